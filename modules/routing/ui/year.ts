/** A day as the calendar's API gives it. */
export interface Day { date: string; kind: 'work' | 'rest' | 'off' | 'swapped' | 'special'; name?: string; hours: string[]; minutes: number }

/** monthsOf puts the days of a year into months whose weeks begin on Monday; null pads the first week. */
export function monthsOf(days: readonly Day[]): { month: number; cells: (Day | null)[] }[] {
  const out: { month: number; cells: (Day | null)[] }[] = []
  for (const d of days) {
    const month = Number(d.date.slice(5, 7))
    let m = out.at(-1)
    if (!m || m.month !== month) {
      const lead = (new Date(`${d.date}T00:00:00Z`).getUTCDay() + 6) % 7
      m = { month, cells: Array<null>(lead).fill(null) }
      out.push(m)
    }
    m.cells.push(d)
  }
  return out
}

/** hoursOf reads "08:30-12:00, 14:00-17:30" (also with Chinese commas and dashes); null when a part is no span. */
export function hoursOf(text: string): string[] | null {
  const parts = text.split(/[,,;;、\s]+/).map((p) => p.trim().replace(/[–—~~至]/g, '-').replace(/:/g, ':')).filter(Boolean)
  const out: string[] = []
  for (const p of parts) {
    const m = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(p)
    if (!m) return null
    const [a, b] = [Number(m[1]) * 60 + Number(m[2]), Number(m[3]) * 60 + Number(m[4])]
    if (a >= b || b > 24 * 60 || Number(m[2]) > 59 || Number(m[4]) > 59) return null
    out.push(`${m[1]!.padStart(2, '0')}:${m[2]}-${m[3]!.padStart(2, '0')}:${m[4]}`)
  }
  return out
}

/** lunchOf finds the break between two spans of a day: "12:00-14:00", or none. */
export function lunchOf(hours: readonly string[]): string {
  if (hours.length < 2) return ''
  const sorted = [...hours].sort()
  return `${sorted[0]!.split('-')[1]}-${sorted[1]!.split('-')[0]}`
}

/** sumOf counts the year's days by kind and its working hours. */
export function sumOf(days: readonly Day[]): { open: number; off: number; swapped: number; hours: number } {
  return {
    open: days.filter((d) => d.minutes > 0).length, off: days.filter((d) => d.kind === 'off').length,
    swapped: days.filter((d) => d.kind === 'swapped').length, hours: Math.round(days.reduce((s, d) => s + d.minutes, 0) / 60),
  }
}
