import { addDays, weekday } from '@kit'

/** Local days of the hotline, written 2026-11-23, and the ranges reports are asked for. */
const dayMs = 86_400_000

/** dayIn gives the local day of a moment in a time zone; a zone the browser does not know counts as Asia/Shanghai. */
export function dayIn(ms: number, zone: string): string {
  const write = (timeZone: string) => new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(ms)
  try {
    return write(zone || 'Asia/Shanghai')
  } catch {
    return write('Asia/Shanghai')
  }
}

const utc = (day: string) => Date.parse(`${day}T00:00:00Z`)

/** spanDays counts the days of a range, both ends included; 0 when it runs backward. */
export function spanDays(from: string, to: string): number { return Math.max(0, Math.round((utc(to) - utc(from)) / dayMs) + 1) }

export { addDays, validDay, weekday } from '@kit'

export type Preset = 'today' | 'yesterday' | 'week' | 'last_week' | 'month' | 'last_month' | 'year'
export const presets: readonly Preset[] = ['today', 'yesterday', 'week', 'last_week', 'month', 'last_month', 'year']

/** rangeOf gives the first and last day of a preset; running periods end today. Weeks begin on Monday. */
export function rangeOf(preset: Preset, today: string): { from: string; to: string } {
  const monday = addDays(today, 1 - weekday(today))
  const first = `${today.slice(0, 8)}01`
  switch (preset) {
    case 'today': return { from: today, to: today }
    case 'yesterday': return { from: addDays(today, -1), to: addDays(today, -1) }
    case 'week': return { from: monday, to: today }
    case 'last_week': return { from: addDays(monday, -7), to: addDays(monday, -1) }
    case 'month': return { from: first, to: today }
    case 'last_month': {
      const last = addDays(first, -1)
      return { from: `${last.slice(0, 8)}01`, to: last }
    }
    case 'year': return { from: `${today.slice(0, 4)}-01-01`, to: today }
  }
}

/** presetOf names the preset a range is, if it is one. */
export function presetOf(from: string, to: string, today: string): Preset | undefined {
  return presets.find((p) => {
    const r = rangeOf(p, today)
    return r.from === from && r.to === to
  })
}
