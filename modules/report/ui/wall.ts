import type { WallQueue } from '@kit'

/** fitTiles gives the columns and the size of n tiles that fill w × h as large as they can be, near `ratio` (w/h). */
export function fitTiles(n: number, w: number, h: number, gap = 6, ratio = 1.5): { columns: number; rows: number; width: number; height: number } {
  if (n <= 0 || w <= 0 || h <= 0) return { columns: 1, rows: 1, width: 0, height: 0 }
  let best = { columns: 1, rows: n, width: 0, height: 0 }
  let most = -1
  for (let columns = 1; columns <= n; columns++) {
    const rows = Math.ceil(n / columns)
    const width = (w - gap * (columns - 1)) / columns, height = (h - gap * (rows - 1)) / rows
    if (width <= 0 || height <= 0) continue
    const unit = Math.min(width / ratio, height)
    if (unit > most) {
      most = unit
      best = { columns, rows, width: Math.floor(width), height: Math.floor(height) }
    }
  }
  return best
}

/** wallOrder puts the queues that need a look first: longest wait, most waiting, below target, then by name. */
export function wallOrder(queues: readonly WallQueue[], longestMs: (q: WallQueue) => number): WallQueue[] {
  const low = (q: WallQueue) => (q.rate !== null && q.target ? Math.max(0, q.target - q.rate) : 0)
  return [...queues].sort((a, b) => longestMs(b) - longestMs(a) || b.waiting - a.waiting || low(b) - low(a) || b.entered - a.entered || a.code.localeCompare(b.code))
}

/** How old a picture may be, ms: beyond the first it is asked for again, beyond the second the wall says it is stale. */
export const ask = 6_000
export const stale = 15_000

/** level of a figure against its target: good, near (within 2 points below), low. */
export function level(value: number | null | undefined, target: number | null | undefined): 'none' | 'good' | 'near' | 'low' {
  if (value === null || value === undefined || !target) return 'none'
  if (value >= target) return 'good'
  return value >= target - 0.02 ? 'near' : 'low'
}
