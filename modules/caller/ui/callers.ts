import { request, useLive, type Live } from '@kit'
import type { components } from '../../../web/src/openapi'

export type Board = components['schemas']['CallerBoard']
export type Marked = components['schemas']['CallerMarked']
export type Request = components['schemas']['CallerRequest']
export type Standing = components['schemas']['CallerStanding']

export const dos = ['notice', 'last', 'skill', 'message'] as const
export const spans = [7, 30, 90, 180, 366] as const

/** order puts what waits for a decision first, then the newest. */
export function order(all: readonly Request[]): Request[] {
  return [...all].sort((a, b) => Number(b.state === 'open') - Number(a.state === 'open') || b.asked_at - a.asked_at)
}

/** useRules says whether there is a rule about any caller, so that pages ask about none in vain. */
export function useRules(): Live<{ on: boolean }> {
  return useLive('callers', () => request<{ on: boolean }>('get', '/api/v1/callers/state'), () => null)
}
