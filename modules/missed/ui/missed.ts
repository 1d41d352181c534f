import { serverNow, shortDate, t } from '@kit'
import type { components } from '../../../web/src/openapi'

/** A missed caller, and what the list's page has of all. */
export type Row = components['schemas']['MissedRow']
export type Whole = components['schemas']['MissedWhole']
export type Listed = components['schemas']['MissedListed']

export const views = ['due', 'open', 'mine', 'closed'] as const
export const kinds = ['abandoned', 'turned', 'failed', 'voicemail', 'callback'] as const
export const results = ['reached', 'no_answer', 'not_wanted', 'wrong_number'] as const

/** From so many attempts on a caller comes first. */
export const pressing = 3

/** When a caller who did not answer is tried again: as soon as anybody can, or so many minutes from now. */
export const agains = [0, 30, 60, 120, 240, 1440] as const

/** ringText says when somebody is to be rung: now, from a moment, on a day; late is what should have been done. */
export function ringText(r: Pick<Row, 'state' | 'ring_day' | 'again_at'>, today: string, now = serverNow()): { text: string; late: boolean } {
  if (r.state !== 'open') return { text: '', late: false }
  if (r.again_at > now) return { text: t('missed.ring.from', { at: shortDate(r.again_at, now) }), late: false }
  if (r.ring_day > today) return { text: r.ring_day.slice(5), late: false }
  if (r.ring_day < today) return { text: t('missed.ring.late', { day: r.ring_day.slice(5) }), late: true }
  return { text: t('missed.ring.today'), late: false }
}
