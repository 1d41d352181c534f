import { api, locale, serverNow, toMs, useLive, type TeamAgent } from '@kit'
import { onScopeDispose } from 'vue'

/** useTeam reads the signed-in agents of one's sites: at every call for help, and every `each` ms when given. */
export function useTeam(each = 0) {
  const team = useLive('help', () => api.get('/api/v1/desk/team'), () => null)
  if (each) {
    const timer = setInterval(() => { if (!document.hidden) void team.reload() }, each)
    onScopeDispose(() => clearInterval(timer))
  }
  const helped = async (user: string) => { team.data.value = await api.post('/api/v1/desk/team/{user}/helped', { path: { user } }) }
  return { ...team, helped }
}

/** isOver tells whether an agent is in the present state for longer than it may last. */
export function isOver(a: TeamAgent, now = serverNow()): boolean {
  return !!a.limit_ms && now - (toMs(a.since) ?? now) > a.limit_ms
}

/** stateOf gives the state to mark: a held contact shows as held. */
export const stateOf = (a: TeamAgent): string => (a.state === 'talking' && a.calls.some((c) => c.phase === 'held') && !a.calls.some((c) => c.phase === 'talking') ? 'held' : a.state)

/** reasonOf names the away reason in the reader's language. */
export const reasonOf = (a: TeamAgent): string => (a.state === 'away' ? (locale.value === 'en' && a.reason_name_en) || a.reason_name || a.reason || '' : '')

/** queueOf names the queue of a contact. */
export const queueOf = (c: TeamAgent['calls'][number]): string => (locale.value === 'en' && c.queue_name_en) || c.queue_name || c.queue || ''
