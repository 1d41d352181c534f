/** Days of the calendar as the house writes them, 2026-11-23, and times of day, 08:30: reading what was typed, and the sheet of a month. */
const dayMs = 86_400_000
const utc = (day: string) => Date.parse(`${day}T00:00:00Z`)
const written = (ms: number) => new Date(ms).toISOString().slice(0, 10)
const two = (n: number | string) => String(n).padStart(2, '0')

/** addDays moves a day. */
export function addDays(day: string, n: number): string { return written(utc(day) + n * dayMs) }

/** weekday gives 1 Monday … 7 Sunday. */
export function weekday(day: string): number { return new Date(utc(day)).getUTCDay() || 7 }

/** validDay tells whether a text is a day of the calendar. */
export function validDay(day: string): boolean { return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(utc(day)) && written(utc(day)) === day }

/** addMonths moves a day by months; the 31st becomes the last day of a shorter month. */
export function addMonths(day: string, n: number): string {
  const [y, m, d] = day.split('-').map(Number) as [number, number, number]
  const last = new Date(Date.UTC(y, m + n, 0))
  return written(Date.UTC(last.getUTCFullYear(), last.getUTCMonth(), Math.min(d, last.getUTCDate())))
}

/** monthSheet gives the six weeks from Monday on that hold a day's month, seven days each. */
export function monthSheet(day: string): string[][] {
  const first = `${day.slice(0, 8)}01`
  const start = addDays(first, 1 - weekday(first))
  return Array.from({ length: 6 }, (_, w) => Array.from({ length: 7 }, (_, d) => addDays(start, 7 * w + d)))
}

/**
 * readDay reads a day as people type it: 2026-11-24, 2026/11/24, 2026.11.24, 2026年11月24日, 20261124; without a year
 * (11-24, 11/24, 1124) it is this year's. Month before day always, in both languages. Null: it is no day.
 */
export function readDay(text: string, today: string): string | null {
  const s = text.trim().replace(/[年月/.]/g, '-').replace(/日$/, '').replace(/\s+/g, '')
  const parts = /^(?:(\d{4})-)?(\d{1,2})-(\d{1,2})$/.exec(s) ?? /^(\d{4})?(\d{2})(\d{2})$/.exec(s)
  if (!parts) return null
  const day = `${parts[1] ?? today.slice(0, 4)}-${two(parts[2]!)}-${two(parts[3]!)}`
  return validDay(day) ? day : null
}

/** readClock reads a time of day: 08:30, 8:30, 0830, 830, 8, 8点30. Null: it is none. */
export function readClock(text: string): string | null {
  const s = text.trim().replace(/[:点时.]/g, ':').replace(/[分\s]/g, '').replace(/:$/, '')
  const parts = /^(\d{1,2})(?::(\d{1,2}))?$/.exec(s) ?? /^(\d{1,2})(\d{2})$/.exec(s)
  if (!parts) return null
  const hour = Number(parts[1]), minute = Number(parts[2] ?? 0)
  return hour < 24 && minute < 60 ? `${two(hour)}:${two(minute)}` : null
}
