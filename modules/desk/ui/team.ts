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
  /** lead does what a leader says about an agent, with the reason the agent sees. */
  const lead = async (user: string, d: Deed) => {
    const path = { user }
    if (d.verb === 'ready' || d.verb === 'away') team.data.value = await api.post('/api/v1/desk/team/{user}/state', { path, body: { state: d.verb, reason: d.reason, why: d.why } })
    else if (d.verb === 'sign_out') team.data.value = await api.post('/api/v1/desk/team/{user}/signout', { path, body: { why: d.why } })
    else if (d.verb === 'skills') await api.post('/api/v1/desk/team/{user}/skills', { path, body: { skills: d.skills ?? {}, why: d.why } })
    else if (d.verb === 'release' || d.verb === 'requeue') team.data.value = await api.post('/api/v1/desk/team/{user}/release', { path, body: { contact: d.contact ?? '', requeue: d.verb === 'requeue', why: d.why } })
    else if (d.verb === 'end') team.data.value = await api.post('/api/v1/desk/team/supervision/end', { body: { contact: d.contact ?? '' } })
    else {
      const body = { contact: d.contact ?? '', phone: d.phone || undefined, why: d.why }
      if (d.verb === 'listen') team.data.value = await api.post('/api/v1/desk/team/{user}/listen', { path, body })
      else if (d.verb === 'whisper') team.data.value = await api.post('/api/v1/desk/team/{user}/whisper', { path, body })
      else if (d.verb === 'barge') team.data.value = await api.post('/api/v1/desk/team/{user}/barge', { path, body })
      else team.data.value = await api.post('/api/v1/desk/team/{user}/take_over', { path, body })
    }
  }
  return { ...team, helped, lead }
}

/** What a leader can do to an agent, and the right it takes. */
export const verbs = {
  listen: 'desk.call.listen', whisper: 'desk.call.whisper', barge: 'desk.call.barge', take_over: 'desk.call.take_over', release: 'desk.call.release', requeue: 'desk.call.release',
  ready: 'desk.state.force', away: 'desk.state.force', skills: 'desk.skill.force', sign_out: 'desk.session.force',
} as const
export type Verb = keyof typeof verbs
export interface Deed { verb: Verb | 'end'; why: string; contact?: string; reason?: string; phone?: string; skills?: Record<string, number> }

/** deedsOn gives what can be done to an agent now by one who holds `may`: nothing in a call nobody may listen to but ending it. */
export function deedsOn(a: TeamAgent, may: (right: string) => boolean): Verb[] {
  const call = a.calls.find((c) => c.phase === 'talking' || c.phase === 'held')
  return (Object.keys(verbs) as Verb[]).filter((v) => {
    if (!may(verbs[v])) return false
    if (v === 'release' || v === 'requeue') return !!call
    if (verbs[v].startsWith('desk.call.')) return !!call && !call.secret
    if (v === 'ready') return a.state === 'away' || a.state === 'wrapup'
    if (v === 'away') return a.state !== 'away'
    return true
  })
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
