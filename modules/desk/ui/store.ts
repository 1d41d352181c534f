import { announce, api, asFault, createPhone, flashTitle, has, locale, lostNote, microphoneConstraints, notifyHidden, playSound, serverNow, t, toMs, useLive, useSession, useSocket,
  type Desk, type DeskCall, type DeskLists, type Fault, type Line, type PhoneSnapshot, type Pop } from '@kit'
import { defineStore } from 'pinia'
import { computed, effectScope, ref, shallowReactive, shallowRef, watch, type EffectScope } from 'vue'
import { Drafts, type Draft } from './draft'
import { holderOf, type Holder } from './holder'

/** Something the agent must know and closes when read: never a toast. */
export interface Notice { id: number; text: string; at: number }

/** pickupRate is answered of the offers decided: one that still rings is neither taken nor missed. */
export function pickupRate(day: { answered: number; offered: number }, ringing: number): number | null {
  const decided = Math.max(day.answered, day.offered - ringing)
  return decided > 0 ? day.answered / decided : null
}

/** What is open under the phone bar. */
export type Panel = '' | 'transfer' | 'consult' | 'keypad' | 'help' | 'emergency' | 'dial'

/** Where the desk is worked: `here`, `elsewhere` (asks before taking over), `none` (not signed in), `unknown` at start. */
export type Place = 'unknown' | 'none' | 'here' | 'elsewhere'

/** The desk of the signed-in agent: the server's view, the browser's telephone, drafts, and what the agent can do. */
export const useDesk = defineStore('desk', () => {
  const session = useSession()
  const view = shallowRef<Desk | null>(null)
  const fault = shallowRef<Fault | null>(null)
  const place = ref<Place>('unknown')
  const phoneNow = shallowRef<PhoneSnapshot>({ registration: 'none', network: 'ok', lines: [] })
  const lists = shallowRef<DeskLists>({ topics: [], tax_types: [], districts: [] })
  const pops = shallowReactive(new Map<string, { pop: Pop | null; fault: Fault | null }>())
  const notices = ref<Notice[]>([])
  /** What must be read before I can be ready, and is not. */
  const mustRead = ref<{ id: string; title: string }[]>([])
  const selected = ref('')
  const panel = ref<Panel>('')
  const deedFault = shallowRef<Fault | null>(null)
  const busy = ref('')
  const drafts = shallowRef<Drafts | null>(null)
  const phone = createPhone({ media: microphoneConstraints })
  let scope: EffectScope | null = null
  let holder: Holder | null = null
  let pushes = 0

  const calls = computed<DeskCall[]>(() => (place.value === 'here' ? view.value?.calls ?? [] : []))
  /** What rings at the agent and wants an answer; who calls out or takes back a parked person has asked for the ring. */
  const ringing = computed(() => calls.value.find((c) => c.phase === 'ringing' && !c.own) ?? null)
  const live = computed(() => calls.value.find((c) => c.phase !== 'wrapup' && (c.phase !== 'ringing' || c.own)) ?? null)
  /** The talk there is, on hold or not. */
  const talk = computed(() => (live.value?.phase === 'talking' || live.value?.phase === 'held' ? live.value : null))
  const parked = computed(() => (place.value === 'here' ? view.value?.parked ?? [] : []))
  const me = computed(() => session.me?.user ?? '')
  const current = computed<DeskCall | null>(() => calls.value.find((c) => c.contact === selected.value) ?? live.value ?? calls.value.find((c) => c.phase === 'wrapup') ?? ringing.value)
  const line = computed<Line | null>(() => phoneNow.value.lines.find((l) => l.contact === current.value?.contact) ?? null)
  const echo = computed<Line | null>(() => phoneNow.value.lines.find((l) => l.kind === 'echo') ?? null)
  const browser = computed(() => view.value?.endpoint?.kind === 'browser')
  /** Wrap-ups that ran out of time or were left: to be completed when there is a moment. */
  const unfinished = computed<Draft[]>(() => [...(drafts.value?.all.values() ?? [])].filter((d) => !d.done && !calls.value.some((c) => c.contact === d.contact)).sort((a, b) => b.at - a.at))

  function notice(text: string) {
    if (notices.value.some((n) => n.text === text)) return
    notices.value = [...notices.value, { id: Date.now() + Math.random(), text, at: serverNow() }].slice(-4)
  }
  const dismiss = (id: number) => { notices.value = notices.value.filter((n) => n.id !== id) }

  /** start is called when the shell stands; stop when it goes. */
  function start() {
    if (scope || !session.me) return
    const user = session.me.user
    holder = holderOf(user, () => yieldDesk())
    drafts.value = new Drafts(user)
    scope = effectScope(true)
    scope.run(() => {
      const desk = useLive<Desk>('desk', () => api.get('/api/v1/desk'))
      watch(desk.data, (d) => { if (d) take(d, true) })
      watch(desk.fault, (f) => { fault.value = f })
      const told = useLive('notice', () => api.get('/api/v1/desk/notices'), () => null)
      watch(told.data, (all) => { mustRead.value = (all ?? []).filter((n) => n.must && !n.read && n.by !== me.value) })
      lookNotices = () => told.reload()
      watch(ringing, ring, { flush: 'sync' })
      watch(() => live.value?.recalled ?? 0, (n) => recall(n > 0))
      watch(() => current.value?.contact, (c) => { if (c) void lookUp(c) })
      const { state } = useSocket()
      watch([state, () => phoneNow.value.registration, live], () => {
        lostNote.value = live.value && browser.value ? t('desk.lost.kept') : ''
      })
    })
    const end = phone.watch(hear)
    scope.run(() => watch(() => place.value, (p) => { if (p === 'none' || p === 'elsewhere') void phone.register(null) }))
    ending = end
    void loadLists()
  }
  let ending: () => void = () => {}
  let lookNotices: () => unknown = () => {}

  function stop() {
    scope?.stop()
    scope = null
    ending()
    silence()
    unflash()
    void phone.register(null)
    drafts.value?.stop()
    holder?.close()
    holder = null
    view.value = null
    place.value = 'unknown'
    selected.value = ''
    notices.value = []
    lostNote.value = ''
  }

  async function loadLists() {
    try {
      lists.value = await api.get('/api/v1/desk/lists')
    } catch (e) {
      if (asFault(e).status !== 403) setTimeout(() => { if (scope) void loadLists() }, 10_000)
    }
  }

  /** take accepts a newer view of the desk. */
  function take(d: Desk, pushed = false) {
    if (pushed) pushes++
    const before = view.value
    view.value = d
    fault.value = null
    void settle(d)
    if (before) missed(before, d)
    for (const c of d.calls) if (c.phase !== 'ringing' && place.value === 'here') drafts.value?.open(c.contact, c.number, c.since)
  }

  /** settle decides whether the desk is worked here, and keeps the telephone registered when it is. */
  async function settle(d: Desk) {
    if (!d.signed_in) {
      place.value = 'none'
      holder?.release()
      return
    }
    if (busy.value === 'signin') return // our own sign-in is under way: its answer settles it
    if (place.value === 'unknown' || place.value === 'none') {
      const wasMine = holder?.mine() ?? false
      if ((d.holder && session.me?.session && d.holder !== session.me.session) || !wasMine || (await holder?.claimed())) {
        if ((place.value as Place) !== 'here') place.value = 'elsewhere'
        return
      }
      if (view.value?.signed_in) hold()
    } else if (place.value === 'here' && d.holder && session.me?.session && d.holder !== session.me.session) {
      yieldDesk()
      return
    }
    if (place.value === 'here') connectPhone(d)
  }

  function hold() {
    holder?.take()
    place.value = 'here'
    for (const c of view.value?.calls ?? []) if (c.phase !== 'ringing') drafts.value?.open(c.contact, c.number, c.since)
    if (view.value) connectPhone(view.value)
  }

  function yieldDesk() {
    place.value = 'elsewhere'
    silence()
    holder?.release()
  }

  function connectPhone(d: Desk) {
    if (d.endpoint?.kind !== 'browser' || !d.sip) {
      void phone.register(null)
      return
    }
    const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${d.sip.ws_path}`
    phone.register({ user: d.sip.user, secret: d.sip.secret, realm: d.sip.realm, url }).catch((e) => notice(asFault(e).message))
  }

  function missed(before: Desk, now: Desk) {
    if (place.value !== 'here') return
    for (const c of before.calls) {
      const next = now.calls.find((x) => x.contact === c.contact)
      if (c.phase !== 'ringing' || c.own || next) continue
      notice(now.state.state === 'away' ? t('desk.notice.missed_away', { number: c.number, reason: reasonName(now.state.reason) }) : t('desk.notice.missed', { number: c.number }))
    }
  }

  function hear(s: PhoneSnapshot) {
    for (const l of s.lines) if (l.phase === 'ended' && l.trouble) notice(t(l.trouble))
    phoneNow.value = { ...s, lines: s.lines.filter((l) => l.phase !== 'ended') }
  }

  let silence: () => void = () => {}
  function ring(call: DeskCall | null, old: DeskCall | null | undefined) {
    if (call?.contact === old?.contact) return
    silence()
    silence = () => {}
    if (!call) return
    selected.value = call.contact
    const name = queueName(call)
    const text = t({ browser: 'desk.ring.announce', handset: 'desk.ring.announce_handset', outside: 'desk.ring.announce_outside' }[call.answer], { number: call.number, queue: name })
    const ends = [playSound('ring', { repeat: true }), flashTitle(t('desk.ring.title', { number: call.number })), notifyHidden(t('desk.ring.title', { number: call.number }), name, call.contact)]
    announce(text)
    silence = () => ends.forEach((e) => e())
    void lookUp(call.contact)
  }

  /** recall sounds and flashes for a person forgotten on hold, each time the house says so, until the hold ends. */
  let unflash: () => void = () => {}
  function recall(on: boolean) {
    unflash()
    unflash = () => {}
    if (!on || place.value !== 'here' || !live.value) return
    playSound('warning')
    announce(t('desk.hold.title'))
    unflash = flashTitle(t('desk.hold.title'))
  }

  async function lookUp(contact: string) {
    if (pops.get(contact)?.pop) return
    try {
      pops.set(contact, { pop: await api.get('/api/v1/desk/contacts/{id}/pop', { path: { id: contact } }), fault: null })
    } catch (e) {
      pops.set(contact, { pop: null, fault: asFault(e) })
    }
    if (pops.size > 40) pops.delete(pops.keys().next().value!)
  }

  /** does runs a request; its answer is the desk, unless a newer one was pushed meanwhile. */
  async function does(name: string, deed: () => Promise<Desk | void>): Promise<boolean> {
    if (busy.value === name) return false
    busy.value = name
    deedFault.value = null
    const started = pushes
    try {
      const d = await deed()
      if (d && d.state && pushes === started) take(d)
      return true
    } catch (e) {
      deedFault.value = asFault(e)
      return false
    } finally {
      busy.value = ''
    }
  }

  const signIn = (endpoint: string, takeover = false) => does('signin', async () => {
    try {
      const d = await api.post('/api/v1/desk/signin', { body: { endpoint, ...(takeover ? { takeover } : {}) } })
      if (d?.state) view.value = d
      hold()
      return d
    } catch (e) {
      if (asFault(e).code === 'desk.session.elsewhere') {
        place.value = 'elsewhere'
        return
      }
      throw e
    }
  })
  const takeOver = () => signIn(view.value?.endpoint?.kind === 'phone' ? view.value.endpoint.phone ?? 'browser' : 'browser', true)
  const signOut = () => does('signout', async () => {
    const d = await api.post('/api/v1/desk/signout')
    holder?.release()
    place.value = 'none'
    return d
  })
  const setState = (state: 'ready' | 'away', reason?: string) => does('state', () => api.post('/api/v1/desk/state', { body: { state, ...(reason ? { reason } : {}) } }))
  const answer = (contact: string) => {
    phone.answer(contact)
    silence()
  }
  const toggleHold = (c: DeskCall) => does('hold', () => (c.phase === 'held' ? api.post('/api/v1/desk/contacts/{id}/resume', { path: { id: c.contact } }) : api.post('/api/v1/desk/contacts/{id}/hold', { path: { id: c.contact } })))
  const toggleMute = (c: DeskCall) => {
    const l = phoneNow.value.lines.find((x) => x.contact === c.contact)
    if (l) phone.mute(c.contact, !l.muted)
  }
  const hangUp = (c: DeskCall) => does('hangup', () => api.post('/api/v1/desk/contacts/{id}/hangup', { path: { id: c.contact } }))
  const transfer = (c: DeskCall, kind: 'agent' | 'queue' | 'number' | 'line', code: string) => does('transfer', () => api.post('/api/v1/desk/contacts/{id}/transfer', { path: { id: c.contact }, body: { kind, code } }))
  const consult = (c: DeskCall, kind: 'agent' | 'queue' | 'number', code: string, join = false) => does('consult', () => api.post('/api/v1/desk/contacts/{id}/consult', { path: { id: c.contact }, body: { kind, code, ...(join ? { join } : {}) } }))
  const turn = (c: DeskCall, to: 'asked' | 'caller' | 'both') => does('consult', () => api.post('/api/v1/desk/contacts/{id}/consult/turn', { path: { id: c.contact }, body: { with: to } }))
  const endConsult = (c: DeskCall) => does('consult', () => api.post('/api/v1/desk/contacts/{id}/consult/end', { path: { id: c.contact } }))
  const handOver = (c: DeskCall) => does('consult', () => api.post('/api/v1/desk/contacts/{id}/consult/complete', { path: { id: c.contact } }))
  const dropParty = (c: DeskCall, leg: string) => does('consult', () => api.post('/api/v1/desk/contacts/{id}/parties/{leg}/drop', { path: { id: c.contact, leg } }))
  const muteParty = (c: DeskCall, leg: string, muted: boolean) => does('consult', () => api.post('/api/v1/desk/contacts/{id}/parties/{leg}/mute', { path: { id: c.contact, leg }, body: { muted } }))
  /** callOut calls a number, or whoever a contact of mine is with. */
  const callOut = (whom: { number?: string; of?: string }) => does('callout', async () => {
    const d = await api.post('/api/v1/desk/callouts', { body: whom })
    selected.value = ''
    return d
  })
  const park = (c: DeskCall) => does('park', () => api.post('/api/v1/desk/contacts/{id}/park', { path: { id: c.contact } }))
  const fetch = (slot: number) => does('fetch', async () => {
    const d = await api.post('/api/v1/desk/parked/{slot}', { path: { slot } })
    selected.value = ''
    return d
  })
  const dtmf = (c: DeskCall, digits: string) => does('dtmf', () => api.post('/api/v1/desk/contacts/{id}/dtmf', { path: { id: c.contact }, body: { digits } }))
  const help = (contact: string, note: string) => does('help', () => api.post('/api/v1/desk/help', { body: { contact, note } }))
  const testEcho = () => does('echo', () => api.post('/api/v1/desk/echo'))
  const endEcho = () => { if (echo.value) phone.hangup(echo.value.contact) }
  const noted = (id: string) => does('noted', () => api.post('/api/v1/desk/notes/{id}/seen', { path: { id } }))
  const extend = (contact: string) => does('extend', () => api.post('/api/v1/desk/contacts/{id}/wrapup/extend', { path: { id: contact } }))

  /** done ends a wrap-up with what is written now; with a reason the agent goes away, else ready. */
  const done = (d: Draft, reason?: string) => does('done', async () => {
    await drafts.value?.flush(d).catch(() => {})
    const after = await api.post('/api/v1/desk/contacts/{id}/wrapup/done', { path: { id: d.contact }, body: { state: reason ? 'away' : 'ready', ...(reason ? { reason } : {}), wrapup: { ...d.body } } })
    const open = calls.value.find((c) => c.contact === d.contact)
    if (!open || open.phase === 'wrapup') drafts.value?.finish(d)
    if (selected.value === d.contact && (!open || open.phase === 'wrapup')) selected.value = ''
    return after
  })

  const reasonName = (code?: string) => {
    const r = view.value?.reasons.find((x) => x.code === code)
    if (!r) return code && has(`desk.reason.${code}`) ? t(`desk.reason.${code}`) : code ?? ''
    return locale.value === 'en' && r.name_en ? r.name_en : r.name
  }
  const queueName = (c: DeskCall) => (locale.value === 'en' && c.queue_name_en) || c.queue_name || c.queue || ''
  const deadline = (contact: string) => (view.value?.wrapup?.contact === contact ? toMs(view.value.wrapup.deadline) : null)

  return {
    view, fault, place, phoneNow, lists, pops, notices, selected, panel, deedFault, busy, drafts, calls, ringing, live, talk, parked, me, current, line, echo, browser, unfinished,
    start, stop, dismiss, mustRead, lookNotices: () => lookNotices(), signIn, takeOver, signOut, setState, answer, toggleHold, toggleMute, hangUp, transfer, consult, turn, endConsult, handOver, dropParty, muteParty, callOut, park, fetch, dtmf, help, testEcho, endEcho, extend, noted, done, lookUp, reasonName, queueName, deadline,
  }
})
