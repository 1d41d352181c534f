/**
 * mosOf estimates the listening quality of G.711 with packet-loss concealment from the share of packets lost and
 * the mouth-to-ear delay in ms (ITU-T G.107 E-model; Ie 0 and Bpl 25.1 of G.113 appendix I). 1 is bad, 4.4 the best.
 */
export function mosOf(loss: number, delay: number): number {
  const ppl = Math.min(1, Math.max(0, loss)) * 100
  const delayed = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0)
  const r = 93.2 - delayed - (95 * ppl) / (ppl + 25.1)
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  return 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6
}

/** qualityWord names a MOS: good from 4.0, fair from 3.6 (the "some users dissatisfied" line of G.107), poor below. */
export function qualityWord(mos: number | null | undefined): 'good' | 'fair' | 'poor' | 'unknown' {
  if (mos === null || mos === undefined || mos <= 0) return 'unknown'
  return mos >= 4 ? 'good' : mos >= 3.6 ? 'fair' : 'poor'
}
