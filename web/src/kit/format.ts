import { toMs } from './clock'
import type { Moment } from '../api-types'

/** What is shown where there is no value. */
export const none = '–'

/** duration writes milliseconds as 0:42, 12:07, 1:02:07. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return none
  const total = Math.max(0, Math.floor(ms / 1000))
  const s = String(total % 60).padStart(2, '0')
  const m = Math.floor(total / 60) % 60
  const h = Math.floor(total / 3600)
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`
}

/** percent writes a share 0..1 with one decimal: 91.4%. */
export function percent(share: number | null | undefined, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return none
  return `${(share * 100).toFixed(digits)}%`
}

/** count writes a whole number with thin groups: 12,345. */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return none
  return Math.round(n).toString().replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

const weekdays = { zh: ['周日', '周一', '周二', '周三', '周四', '周五', '周六'], en: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] }
const two = (n: number) => String(n).padStart(2, '0')

/** What a clock on the bureau's wall shows. */
interface Wall { year: number; month: number; day: number; weekday: number; hour: number; minute: number; second: number }

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
let wallClock: Intl.DateTimeFormat | undefined

/** setZone makes every page show the bureau's time, wherever the reader sits: days in lists are the days of the reports. */
export function setZone(zone: string | undefined): void {
  try {
    wallClock = zone
      ? new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', weekday: 'short', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
      : undefined
  } catch {
    wallClock = undefined // a zone this browser does not know: its own is the best there is
  }
}

/** wall reads a moment off the bureau's clock; without a bureau, off the reader's. */
export function wall(ms: number): Wall {
  const d = new Date(ms)
  if (!wallClock) return { year: d.getFullYear(), month: d.getMonth() + 1, day: d.getDate(), weekday: d.getDay(), hour: d.getHours(), minute: d.getMinutes(), second: d.getSeconds() }
  const p: Record<string, string> = {}
  for (const part of wallClock.formatToParts(d)) p[part.type] = part.value
  return { year: Number(p.year), month: Number(p.month), day: Number(p.day), weekday: dayNames.indexOf(p.weekday!), hour: Number(p.hour), minute: Number(p.minute), second: Number(p.second) }
}

const isoDay = (w: Wall) => `${w.year}-${two(w.month)}-${two(w.day)}`

/** date writes 2014-11-03 周一 (2014-11-03 Mon in English) in the bureau's time zone. */
export function date(moment: Moment | null | undefined, locale = 'zh'): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const w = wall(ms)
  const names = locale === 'en' ? weekdays.en : weekdays.zh
  return `${isoDay(w)} ${names[w.weekday]}`
}

/** time writes 09:05, or 09:05:07 with seconds. */
export function time(moment: Moment | null | undefined, seconds = false): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const w = wall(ms)
  return `${two(w.hour)}:${two(w.minute)}${seconds ? `:${two(w.second)}` : ''}`
}

/** dateTime writes 2014-11-03 09:05. */
export function dateTime(moment: Moment | null | undefined, seconds = false): string {
  const ms = toMs(moment)
  if (ms === null) return none
  return `${isoDay(wall(ms))} ${time(ms, seconds)}`
}

/** shortDate writes 11-03 within this year, 2013-11-03 otherwise; today is the time alone. */
export function shortDate(moment: Moment | null | undefined, now: number): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const w = wall(ms)
  const n = wall(now)
  if (isoDay(w) === isoDay(n)) return time(ms)
  return w.year === n.year ? `${two(w.month)}-${two(w.day)}` : isoDay(w)
}

/** bytes writes 1.2 MB. */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return none
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let i = 0
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++ }
  return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`
}
