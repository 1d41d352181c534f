/**
 * The browser as a telephone. This is the only file that knows the SIP library (JsSIP, loaded when the first
 * account registers); everything else sees the eight verbs of Phone and snapshots of its lines.
 *
 * Offers come as INVITEs with `X-Kapok-Contact` (the contact they belong to) and `X-Kapok-Kind`: `offer` waits for
 * answer(); `echo` (the person asked for a test), `own` (they call out, or take back who was parked), `supervise` and
 * `reattach` (the house brings a kept call back after a reload or a lost line) are answered by themselves.
 */
import { mosOf } from './quality'

export interface SipAccount { user: string; secret: string; realm: string; url: string }
export type LineKind = 'offer' | 'echo' | 'reattach' | 'supervise' | 'own' | 'out'
export type LinePhase = 'ringing' | 'answering' | 'talking' | 'held' | 'ended'

/** One call as the phone sees it. `mos` is 1..4.5, `loss` a share 0..1; null until two seconds were measured. */
export interface Line {
  contact: string
  kind: LineKind
  phase: LinePhase
  muted: boolean
  mos: number | null
  loss: number | null
  /** Why it ended or could not be answered, as a text key; empty otherwise. */
  trouble: string
}

/** What a telephone knows of its place; one that only calls is `registered` when it is connected. */
export type Registration = 'none' | 'connecting' | 'registered' | 'lost' | 'refused'
/** How the computer stands in its network: `offline`, or `changed` until the telephone is registered over the new one. */
export type Network = 'ok' | 'offline' | 'changed'
export interface PhoneSnapshot { registration: Registration; network: Network; lines: Line[] }

/** The eight verbs. Verbs on a contact that has no line do nothing, except answer, which waits for its INVITE. */
export interface Phone {
  /** register takes an account (null: gives it up) and keeps it registered over lost lines. */
  register(account: SipAccount | null): Promise<void>
  /** call dials a target; resolves when it was sent. */
  call(target: string): Promise<void>
  /** answer sends the 200 OK; when the INVITE has not come yet it is answered on arrival, within 5 s. */
  answer(contact: string): void
  hold(contact: string, on: boolean): void
  mute(contact: string, on: boolean): void
  dtmf(contact: string, digits: string): void
  /** transfer sends a REFER to the target. */
  transfer(contact: string, target: string): void
  hangup(contact: string): void
  /** watch is told of every change; the result ends it. */
  watch(listener: (snapshot: PhoneSnapshot) => void): () => void
}

/** What is used of JsSIP's session; a fake has the same. */
export interface SessionLike {
  on(event: string, handler: (e: never) => void): void
  answer(options: object): void
  terminate(options?: object): void
  hold(options?: object): boolean
  unhold(options?: object): boolean
  mute(options?: object): void
  unmute(options?: object): void
  sendDTMF(tones: string, options?: object): void
  refer(target: string): void
  connection: RTCPeerConnection | undefined
}
export interface UALike {
  on(event: string, handler: (e: never) => void): void
  start(): void
  stop(): void
  register(): void
  call(target: string, options: object): SessionLike
}
interface NewSession {
  originator: 'local' | 'remote'
  session: SessionLike
  request: { getHeader(name: string): string | undefined; call_id?: string }
}

export interface PhoneOptions {
  /** register: false for a telephone that only calls (a test call): it tells nobody where it is, and is not rung. */
  register?: boolean
  /** open makes the user agent; the default loads JsSIP. */
  open?: (account: SipAccount) => Promise<UALike>
  /** media asks for the microphone's constraints at the moment of answering. */
  media?: () => MediaTrackConstraints
  /** play brings a remote track to the person's ears; the result silences it. */
  play?: (stream: MediaStream) => () => void
  /** network tells when the computer goes off its network, comes back, or changes it; the result ends that. */
  network?: (told: (now: 'offline' | 'changed') => void) => () => void
}

/** JsSIP gathers no candidates: the house is ICE-lite on one address, and servers would only cost time. */
const pcConfig = { iceServers: [], rtcpMuxPolicy: 'require' as const }
const answerDeadline = 8000
const inviteDeadline = 5000
const networkSettles = 300
const retireDeadline = 20_000
const registerPauses = [2000, 4000, 8000, 15_000]

/**
 * onlyMd5 leaves, of several challenges (RFC 8760), the MD5 one: JsSIP knows no other and looks at the last alone.
 * Everything else passes as it is.
 */
export function onlyMd5(message: string): string {
  if (!/^SIP\/2\.0 40[17] /.test(message)) return message
  const challenge = /^(?:WWW|Proxy)-Authenticate:.*\r\n/gim
  const all = message.match(challenge) ?? []
  const md5 = all.find((line) => !/algorithm\s*=/i.test(line) || /algorithm\s*=\s*"?MD5"?\s*(?:,|\r\n)/i.test(line))
  return all.length > 1 && md5 ? message.replace(challenge, (line) => (line === md5 ? line : '')) : message
}

async function openJsSIP(account: SipAccount, register = true): Promise<UALike> {
  const JsSIP = (await import('jssip')).default
  const socket = new JsSIP.WebSocketInterface(account.url)
  let deliver: ((data: unknown) => void) | undefined
  Object.defineProperty(socket, 'ondata', {
    get: () => (data: unknown) => deliver?.(typeof data === 'string' ? onlyMd5(data) : data),
    set: (to: typeof deliver) => { deliver = to },
  })
  return new JsSIP.UA({
    sockets: [socket],
    uri: `sip:${account.user}@${account.realm}`,
    authorization_user: account.user,
    password: account.secret,
    realm: account.realm,
    register,
    register_expires: 120,
    session_timers: true,
    connection_recovery_min_interval: 1,
    connection_recovery_max_interval: 8,
    user_agent: 'Kapok desk',
  }) as unknown as UALike
}

function playAloud(stream: MediaStream): () => void {
  const audio = new Audio()
  audio.autoplay = true
  audio.srcObject = stream
  void import('./devices').then(({ audioChoice, playOn }) => playOn(audio, audioChoice.speaker))
  void audio.play().catch(() => {})
  return () => {
    audio.pause()
    audio.srcObject = null
  }
}

/** watchNetwork listens to what browsers tell: off, on again, and (where there is navigator.connection) another way. */
function watchNetwork(told: (now: 'offline' | 'changed') => void): () => void {
  const off = () => told('offline'), on = () => told('changed')
  const way = (navigator as { connection?: EventTarget & { type?: string } }).connection
  let kind = way?.type
  const other = () => { if (way?.type !== kind) { kind = way?.type; if (navigator.onLine) on() } } // speed estimates change too: no other network
  addEventListener('offline', off)
  addEventListener('online', on)
  way?.addEventListener('change', other)
  return () => {
    removeEventListener('offline', off)
    removeEventListener('online', on)
    way?.removeEventListener('change', other)
  }
}

class Call {
  readonly line: Line
  silence: () => void = () => {}
  deadline: ReturnType<typeof setTimeout> | undefined
  replaces: Call | undefined
  last = { received: 0, lost: 0 }
  constructor(readonly session: SessionLike, contact: string, kind: LineKind, readonly ua: UALike | null) {
    this.line = { contact, kind, phase: kind === 'out' ? 'answering' : 'ringing', muted: false, mos: null, loss: null, trouble: '' }
  }
}

class SipPhone implements Phone {
  private ua: UALike | null = null
  private account: SipAccount | null = null
  private registration: Registration = 'none'
  private calls: Call[] = []
  private readonly wanted = new Map<string, ReturnType<typeof setTimeout>>()
  private readonly listeners = new Set<(s: PhoneSnapshot) => void>()
  private retry: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private meter: ReturnType<typeof setInterval> | undefined
  private generation = 0
  private network: Network = 'ok'
  private settling: ReturnType<typeof setTimeout> | undefined
  private endNetwork: (() => void) | undefined
  private readonly retired = new Map<UALike, ReturnType<typeof setTimeout>>()

  constructor(private readonly options: PhoneOptions) {}

  async register(account: SipAccount | null): Promise<void> {
    const same = account && this.account && JSON.stringify(account) === JSON.stringify(this.account)
    if (same && this.ua) return
    this.generation++
    const mine = this.generation
    clearTimeout(this.retry)
    clearTimeout(this.settling)
    for (const ua of [...this.retired.keys()]) this.stopRetired(ua)
    this.ua?.stop()
    this.ua = null
    this.account = account
    this.network = 'ok'
    if (!account) {
      this.endNetwork?.()
      this.endNetwork = undefined
      for (const call of [...this.calls]) this.forget(call, '')
      this.setRegistration('none')
      return
    }
    this.endNetwork ??= (this.options.network ?? watchNetwork)((now) => this.networkIs(now))
    await this.open(account, mine)
  }

  /** open makes a user agent for the account and has it registered. */
  private async open(account: SipAccount, mine: number): Promise<void> {
    this.failures = 0
    this.setRegistration('connecting')
    const ua = await (this.options.open ?? ((a: SipAccount) => openJsSIP(a, this.options.register ?? true)))(account)
    if (mine !== this.generation) return
    this.ua = ua
    ua.on('registered', () => {
      this.failures = 0
      if (this.ua === ua) this.network = 'ok'
      this.setRegistration('registered')
    })
    ua.on('unregistered', () => { if (this.ua === ua && this.registration === 'registered') this.setRegistration('lost') })
    ua.on('disconnected', () => { if (this.ua === ua) this.setRegistration('lost') })
    ua.on('connected', () => { if (this.ua === ua && this.registration !== 'registered') this.setRegistration(this.options.register === false ? 'registered' : 'connecting') })
    ua.on('registrationFailed', () => { if (this.ua === ua) this.registerLater(ua) })
    ua.on('newRTCSession', (e: NewSession) => { if (this.ua === ua) this.meet(e) })
    ua.start()
  }

  /**
   * networkIs: off the network nothing can be done but to say so. On another one the old socket may stay silent for
   * minutes without ever closing: a new one is opened at once, and the house brings the calls there (RFC 3891's way).
   */
  private networkIs(now: 'offline' | 'changed'): void {
    if (!this.account) return
    clearTimeout(this.settling)
    this.network = now
    if (now === 'offline') {
      this.setRegistration('lost')
      return
    }
    this.tell()
    this.settling = setTimeout(() => void this.rejoin(), networkSettles)
  }

  /** rejoin registers anew over a new socket. The old user agent stays until its calls have been taken over, 20 s at most. */
  private async rejoin(): Promise<void> {
    const old = this.ua
    if (!this.account) return
    clearTimeout(this.retry)
    const mine = ++this.generation
    this.ua = null
    if (old) this.retire(old)
    await this.open(this.account, mine)
  }

  private retire(ua: UALike): void {
    this.retired.set(ua, setTimeout(() => {
      for (const call of this.calls.filter((c) => c.ua === ua)) {
        this.end(call)
        this.forget(call, 'shell.phone.network_lost')
      }
      this.stopRetired(ua)
    }, retireDeadline))
    this.tidy()
  }

  private stopRetired(ua: UALike): void {
    clearTimeout(this.retired.get(ua))
    this.retired.delete(ua)
    ua.stop()
  }

  /** tidy stops retired user agents that have no call any more: stopping one hangs up what it has. */
  private tidy(): void {
    for (const ua of [...this.retired.keys()]) if (!this.calls.some((c) => c.ua === ua)) this.stopRetired(ua)
  }

  async call(target: string): Promise<void> {
    if (!this.ua) return
    this.ua.call(target, { mediaConstraints: { audio: this.media(), video: false }, pcConfig })
  }

  answer(contact: string): void {
    const call = this.find(contact)
    if (call) {
      if (call.line.phase === 'ringing') this.accept(call)
      return
    }
    clearTimeout(this.wanted.get(contact))
    this.wanted.set(contact, setTimeout(() => this.wanted.delete(contact), inviteDeadline))
  }

  hold(contact: string, on: boolean): void {
    const call = this.find(contact)
    if (!call) return
    if (on) call.session.hold()
    else call.session.unhold()
  }

  mute(contact: string, on: boolean): void {
    const call = this.find(contact)
    if (!call) return
    if (on) call.session.mute({ audio: true })
    else call.session.unmute({ audio: true })
    call.line.muted = on
    this.tell()
  }

  dtmf(contact: string, digits: string): void {
    this.find(contact)?.session.sendDTMF(digits, { transportType: 'RFC2833' })
  }

  transfer(contact: string, target: string): void {
    this.find(contact)?.session.refer(target)
  }

  hangup(contact: string): void {
    this.wanted.delete(contact)
    const call = this.find(contact)
    if (call) this.end(call)
  }

  watch(listener: (s: PhoneSnapshot) => void): () => void {
    this.listeners.add(listener)
    listener(this.snapshot())
    return () => this.listeners.delete(listener)
  }

  private snapshot(): PhoneSnapshot {
    return { registration: this.registration, network: this.network, lines: this.calls.map((c) => ({ ...c.line })) }
  }

  private tell(): void {
    const s = this.snapshot()
    for (const l of [...this.listeners]) l(s)
  }

  private setRegistration(to: Registration): void {
    this.registration = to
    this.tell()
  }

  private registerLater(ua: UALike): void {
    this.setRegistration(this.failures >= 2 ? 'refused' : 'lost')
    const pause = registerPauses[Math.min(this.failures, registerPauses.length - 1)]!
    this.failures++
    clearTimeout(this.retry)
    this.retry = setTimeout(() => { if (this.ua === ua) ua.register() }, pause)
  }

  private find(contact: string): Call | undefined {
    return this.calls.findLast((c) => c.line.contact === contact && c.line.phase !== 'ended')
  }

  private media(): MediaTrackConstraints | true { return this.options.media?.() ?? true }

  /** meet takes a new session of the library, ours or theirs. */
  private meet({ originator, session, request }: NewSession): void {
    const said = request.getHeader('X-Kapok-Kind')
    const kind: LineKind = originator === 'local' ? 'out' : said === 'echo' || said === 'reattach' || said === 'supervise' || said === 'own' ? said : 'offer'
    const contact = request.getHeader('X-Kapok-Contact') || request.call_id || kind
    const call = new Call(session, contact, kind, this.ua)
    call.replaces = this.find(contact)
    this.calls.push(call)
    this.attach(call)
    this.tell()
    const wanted = this.wanted.get(contact)
    clearTimeout(wanted)
    this.wanted.delete(contact)
    if (kind === 'echo' || kind === 'reattach' || kind === 'supervise' || kind === 'own' || (kind === 'offer' && wanted !== undefined)) this.accept(call)
  }

  private attach(call: Call): void {
    const { session, line } = call
    const hear = (pc: RTCPeerConnection) => pc.addEventListener('track', (e) => {
      call.silence()
      call.silence = (this.options.play ?? playAloud)(e.streams[0] ?? new MediaStream([e.track]))
    })
    if (session.connection) hear(session.connection)
    session.on('peerconnection', (e: { peerconnection: RTCPeerConnection }) => hear(e.peerconnection))
    // Host candidates come at once; waiting for the browser to call the gathering finished costs seconds.
    session.on('icecandidate', (e: { ready: () => void }) => { setTimeout(() => e.ready(), 150) })
    const up = () => {
      clearTimeout(call.deadline)
      if (line.phase !== 'held') line.phase = 'talking'
      if (line.muted) session.mute({ audio: true })
      this.release(call)
      this.measure()
      this.tell()
    }
    session.on('accepted', up)
    session.on('confirmed', up)
    session.on('hold', () => this.phase(call, 'held'))
    session.on('unhold', () => this.phase(call, 'talking'))
    session.on('ended', () => this.forget(call, ''))
    session.on('failed', (e: { cause?: string } | undefined) => this.forget(call, troubleOfCause(e?.cause, call)))
    session.on('getusermediafailed', () => this.forget(call, 'shell.phone.no_microphone'))
  }

  private accept(call: Call): void {
    call.line.phase = 'answering'
    if (call.replaces) call.line.muted = call.replaces.line.muted
    call.deadline = setTimeout(() => {
      if (call.line.phase !== 'answering') return
      this.end(call)
      this.forget(call, 'shell.phone.answer_late')
    }, answerDeadline)
    this.tell()
    try {
      call.session.answer({ mediaConstraints: { audio: this.media(), video: false }, pcConfig })
    } catch {
      this.forget(call, 'shell.phone.answer_failed')
    }
  }

  /** release lets go of the line a reattached one took the place of, once the new one stands (as RFC 3891 does). */
  private release(call: Call): void {
    const old = call.replaces
    call.replaces = undefined
    if (!old || old.line.phase === 'ended') return
    this.end(old)
    this.forget(old, '')
  }

  private end(call: Call): void {
    try {
      call.session.terminate()
    } catch {
      this.forget(call, '')
    }
  }

  private phase(call: Call, phase: LinePhase): void {
    if (call.line.phase === 'ended') return
    call.line.phase = phase
    this.tell()
  }

  private forget(call: Call, trouble: string): void {
    if (call.line.phase === 'ended') return
    clearTimeout(call.deadline)
    call.silence()
    call.line.phase = 'ended'
    call.line.trouble = trouble
    this.tell() // once with the ended line, so that its trouble can be shown
    this.calls = this.calls.filter((c) => c !== call)
    this.tidy()
    if (this.calls.length === 0) {
      clearInterval(this.meter)
      this.meter = undefined
    }
    this.tell()
  }

  private measure(): void {
    this.meter ??= setInterval(() => {
      for (const call of this.calls) void this.read(call)
    }, 2000)
  }

  private async read(call: Call): Promise<void> {
    const stats = await call.session.connection?.getStats?.().catch(() => undefined)
    if (!stats || call.line.phase === 'ended') return
    let received = 0, lost = 0, jitter = 0, roundTrip = 0
    stats.forEach((s: Record<string, unknown>) => {
      if (s.type === 'inbound-rtp') {
        received = Number(s.packetsReceived ?? 0)
        lost = Number(s.packetsLost ?? 0)
        jitter = Number(s.jitter ?? 0)
      } else if (s.type === 'candidate-pair' && s.nominated) roundTrip = Number(s.currentRoundTripTime ?? 0)
    })
    const got = received - call.last.received
    const gone = Math.max(0, lost - call.last.lost)
    call.last = { received, lost }
    if (got + gone === 0) return
    call.line.loss = gone / (got + gone)
    call.line.mos = mosOf(call.line.loss, roundTrip * 500 + jitter * 2000 + 40)
    this.tell()
  }
}

function troubleOfCause(cause: string | undefined, call: Call): string {
  if (cause === 'User Denied Media Access') return 'shell.phone.no_microphone'
  if (call.line.phase === 'answering' && cause && cause !== 'Canceled' && cause !== 'Terminated') return 'shell.phone.answer_failed'
  return ''
}

/** createPhone makes a telephone; a page needs one. */
export function createPhone(options: PhoneOptions = {}): Phone { return new SipPhone(options) }
