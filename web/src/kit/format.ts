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

/** date writes 2014-11-03 周一 (2014-11-03 Mon in English) in the reader's time zone. */
export function date(moment: Moment | null | undefined, locale = 'zh'): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const d = new Date(ms)
  const names = locale === 'en' ? weekdays.en : weekdays.zh
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${names[d.getDay()]}`
}

/** time writes 09:05, or 09:05:07 with seconds. */
export function time(moment: Moment | null | undefined, seconds = false): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const d = new Date(ms)
  return `${two(d.getHours())}:${two(d.getMinutes())}${seconds ? `:${two(d.getSeconds())}` : ''}`
}

/** dateTime writes 2014-11-03 09:05. */
export function dateTime(moment: Moment | null | undefined, seconds = false): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const d = new Date(ms)
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${time(ms, seconds)}`
}

/** shortDate writes 11-03 within this year, 2013-11-03 otherwise; today is the time alone. */
export function shortDate(moment: Moment | null | undefined, now: number): string {
  const ms = toMs(moment)
  if (ms === null) return none
  const d = new Date(ms)
  const n = new Date(now)
  if (d.toDateString() === n.toDateString()) return time(ms)
  const day = `${two(d.getMonth() + 1)}-${two(d.getDate())}`
  return d.getFullYear() === n.getFullYear() ? day : `${d.getFullYear()}-${day}`
}

/** bytes writes 1.2 MB. */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return none
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let i = 0
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++ }
  return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`
}
