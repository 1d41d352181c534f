import { api, locale, useLive } from '@kit'
import type { components } from '../../../web/src/openapi'

export type Mine = components['schemas']['OutboundMyOutbound']
export type Card = components['schemas']['OutboundCallCard']
export type Progress = components['schemas']['OutboundListProgress']
export type Taken = components['schemas']['OutboundPeopleTaken']
export type Report = components['schemas']['OutboundAttemptReport']
export type Figure = components['schemas']['OutboundAttemptFigure']

/** The results an agent gives, in the order of the buttons. */
export const results = ['done', 'again', 'refused', 'machine', 'wrong', 'never'] as const
export type Result = (typeof results)[number]

/** useMine reads the agent's lists and cards, and does what the agent says. */
export function useMine() {
  const mine = useLive('outbound', () => api.get('/api/v1/outbound/mine'))
  const took = (m: Mine) => { mine.data.value = m }
  return {
    ...mine,
    next: async (list = '') => took(await api.post('/api/v1/outbound/mine/next', { body: { list } })),
    dial: async (id: string) => took(await api.post('/api/v1/outbound/mine/{id}/dial', { path: { id } })),
    skip: async (id: string, why: string) => took(await api.post('/api/v1/outbound/mine/{id}/skip', { path: { id }, body: { why } })),
    result: async (id: string, result: Result, note: string, due: number) => took(await api.post('/api/v1/outbound/mine/{id}/result', { path: { id }, body: { result, note, due } })),
  }
}

/** share gives how much of a list is done with, 0–1. */
export const share = (l: Pick<Progress, 'people' | 'states'>): number => (l.people ? (l.states.closed ?? 0) / l.people : 0)

/** nameOf gives a name in the reader's language. */
export const nameOf = (x: { name: string; name_en?: string }): string => (locale.value === 'en' && x.name_en) || x.name

/** dueOf reads a local date and time of a form as unix ms; 0 when nothing was chosen. */
export const dueOf = (text: string): number => (text ? Math.max(0, Date.parse(text)) || 0 : 0)
