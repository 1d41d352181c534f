import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createPhone, onlyMd5, type Phone, type PhoneSnapshot, type SessionLike, type SipAccount, type UALike } from '@kit/phone'
import { mosOf, qualityWord } from '@kit/quality'

type Handlers = Map<string, (e: never) => void>
class FakeSession implements SessionLike {
  did: string[] = []
  handlers: Handlers = new Map()
  connection = undefined
  on(event: string, h: (e: never) => void) { this.handlers.set(event, h) }
  fire(event: string, e: object = {}) { this.handlers.get(event)?.(e as never) }
  answer() { this.did.push('answer') }
  terminate() { this.did.push('terminate') }
  hold() { this.did.push('hold'); return true }
  unhold() { this.did.push('unhold'); return true }
  mute() { this.did.push('mute') }
  unmute() { this.did.push('unmute') }
  sendDTMF(d: string) { this.did.push(`dtmf ${d}`) }
  refer(t: string) { this.did.push(`refer ${t}`) }
}
class FakeUA implements UALike {
  did: string[] = []
  handlers: Handlers = new Map()
  on(event: string, h: (e: never) => void) { this.handlers.set(event, h) }
  fire(event: string, e: object = {}) { this.handlers.get(event)?.(e as never) }
  start() { this.did.push('start') }
  stop() { this.did.push('stop') }
  register() { this.did.push('register') }
  call(target: string) {
    this.did.push(`call ${target}`)
    return new FakeSession()
  }
  invite(contact: string, kind: string): FakeSession {
    const session = new FakeSession()
    const headers: Record<string, string> = { 'X-Kapok-Contact': contact, 'X-Kapok-Kind': kind }
    this.fire('newRTCSession', { originator: 'remote', session, request: { getHeader: (n: string) => headers[n] } })
    return session
  }
}

const account: SipAccount = { user: '1001', secret: 's', realm: 'kapok.test', url: 'wss://kapok.test/sip' }
let ua: FakeUA
let phone: Phone
let now: PhoneSnapshot
let troubles: string[]
let network: (now: 'offline' | 'changed') => void
let watched: number
beforeEach(async () => {
  vi.useFakeTimers()
  troubles = []
  watched = 0
  phone = createPhone({ open: async () => (ua = new FakeUA()), media: () => ({}), network: (told) => { watched++; network = told; return () => { watched-- } } })
  phone.watch((s) => {
    now = s
    for (const l of s.lines) if (l.trouble) troubles.push(l.trouble)
  })
  await phone.register(account)
  ua.fire('registered')
})
afterEach(async () => {
  await phone.register(null)
  vi.useRealTimers()
})
const phases = () => now.lines.map((l) => `${l.contact} ${l.phase}`)

describe('registering', () => {
  it('goes from connecting to registered, is lost and comes back with the line', () => {
    expect(now.registration).toBe('registered')
    ua.fire('disconnected')
    expect(now.registration).toBe('lost')
    ua.fire('connected')
    expect(now.registration).toBe('connecting')
    ua.fire('registered')
    expect(now.registration).toBe('registered')
  })
  it('tries again with growing pauses when refused, and says so after the third time', () => {
    for (const [pause, word] of [[2000, 'lost'], [4000, 'lost'], [8000, 'refused'], [15_000, 'refused'], [15_000, 'refused']] as const) {
      ua.fire('registrationFailed')
      expect(now.registration).toBe(word)
      const before = ua.did.length
      vi.advanceTimersByTime(pause - 1)
      expect(ua.did.length).toBe(before)
      vi.advanceTimersByTime(1)
      expect(ua.did.at(-1)).toBe('register')
    }
  })
  it('keeps the same account as it is, replaces another, gives all up on null', async () => {
    const first = ua
    await phone.register({ ...account })
    expect(ua).toBe(first)
    await phone.register({ ...account, secret: 'new' })
    expect(first.did.at(-1)).toBe('stop')
    expect(ua).not.toBe(first)
    await phone.register(null)
    expect([ua.did.at(-1), now.registration]).toEqual(['stop', 'none'])
  })
})

describe('row A5: the network', () => {
  const settle = () => vi.advanceTimersByTimeAsync(400)
  it('gone, it says so at once; back, it registers over a new socket', async () => {
    const first = ua
    network('offline')
    expect([now.network, now.registration, ua]).toEqual(['offline', 'lost', first])
    network('changed')
    expect(now.network).toBe('changed')
    await settle()
    expect(ua).not.toBe(first)
    expect([first.did.at(-1), ua.did]).toEqual(['stop', ['start']])
    ua.fire('registered')
    expect([now.network, now.registration]).toEqual(['ok', 'registered'])
  })
  it('changed in a call: the old telephone hangs nothing up until the house has brought the call to the new one', async () => {
    const first = ua
    const old = ua.invite('c1', 'offer')
    phone.answer('c1')
    old.fire('confirmed')
    network('changed')
    network('changed')
    await settle()
    expect([first.did, old.did, phases()]).toEqual([['start'], ['answer'], ['c1 talking']])
    ua.fire('registered')
    const fresh = ua.invite('c1', 'reattach')
    expect(fresh.did).toEqual(['answer'])
    fresh.fire('accepted')
    expect([old.did.at(-1), first.did.at(-1), phases()]).toEqual(['terminate', 'stop', ['c1 talking']])
    first.fire('disconnected')
    expect(now.registration).toBe('registered')
  })
  it('a call the house does not bring back is let go after twenty seconds, and said', async () => {
    const first = ua
    const old = ua.invite('c1', 'offer')
    phone.answer('c1')
    old.fire('confirmed')
    network('changed')
    await settle()
    await vi.advanceTimersByTimeAsync(20_000)
    expect([phases(), troubles, first.did.at(-1)]).toEqual([[], ['shell.phone.network_lost'], 'stop'])
  })
  it('is watched once, and not any more without an account', async () => {
    await phone.register({ ...account, secret: 'new' })
    expect(watched).toBe(1)
    await phone.register(null)
    expect(watched).toBe(0)
  })
})

describe('of several challenges', () => {
  const head = 'SIP/2.0 401 Unauthorized\r\nCSeq: 1 REGISTER\r\n'
  const md5 = 'WWW-Authenticate: Digest realm="kapok", nonce="a", algorithm=MD5, qop="auth"\r\n'
  const sha = 'WWW-Authenticate: Digest realm="kapok", nonce="a", algorithm=SHA-256, qop="auth"\r\n'
  const bare = 'WWW-Authenticate: Digest realm="kapok", nonce="a"\r\n'
  it.each([[md5 + sha, md5], [sha + md5, md5], [sha + bare, bare], [sha, sha], [md5, md5], ['', '']])('%j leaves the one JsSIP knows', (given, left) => {
    expect(onlyMd5(`${head}${given}\r\n`)).toBe(`${head}${left}\r\n`)
  })
  it('touches nothing else', () => {
    const ok = `SIP/2.0 200 OK\r\n${md5}${sha}\r\n`
    expect(onlyMd5(ok)).toBe(ok)
  })
})

describe('an offer', () => {
  it('rings until answered, talks until ended', () => {
    const s = ua.invite('c1', 'offer')
    expect(phases()).toEqual(['c1 ringing'])
    expect(s.did).toEqual([])
    phone.answer('c1')
    phone.answer('c1')
    expect([s.did, phases()]).toEqual([['answer'], ['c1 answering']])
    s.fire('accepted')
    s.fire('confirmed')
    expect(phases()).toEqual(['c1 talking'])
    s.fire('ended')
    expect(phases()).toEqual([])
  })
  it('may be answered before its INVITE comes, for five seconds', () => {
    phone.answer('c1')
    expect(ua.invite('c1', 'offer').did).toEqual(['answer'])
    phone.answer('c2')
    vi.advanceTimersByTime(5000)
    expect(ua.invite('c2', 'offer').did).toEqual([])
  })
  it('that does not come up in eight seconds is given up and told', () => {
    const s = ua.invite('c1', 'offer')
    phone.answer('c1')
    vi.advanceTimersByTime(8000)
    expect([s.did.at(-1), phases(), troubles]).toEqual(['terminate', [], ['shell.phone.answer_late']])
  })
  it('withdrawn by the house leaves without a word', () => {
    ua.invite('c1', 'offer').fire('failed', { cause: 'Canceled' })
    expect([phases(), troubles]).toEqual([[], []])
  })
  it('without a microphone says so', () => {
    const s = ua.invite('c1', 'offer')
    phone.answer('c1')
    s.fire('getusermediafailed')
    s.fire('failed', { cause: 'User Denied Media Access' })
    expect(troubles).toEqual(['shell.phone.no_microphone'])
  })
})

describe('verbs', () => {
  it('reach the session of their contact', () => {
    const s = ua.invite('c1', 'offer')
    phone.answer('c1')
    s.fire('confirmed')
    phone.mute('c1', true)
    expect(now.lines[0]!.muted).toBe(true)
    phone.hold('c1', true)
    s.fire('hold')
    expect(phases()).toEqual(['c1 held'])
    phone.hold('c1', false)
    s.fire('unhold')
    phone.dtmf('c1', '5')
    phone.transfer('c1', 'sip:2@x')
    phone.mute('c1', false)
    phone.hangup('c1')
    expect(s.did).toEqual(['answer', 'mute', 'hold', 'unhold', 'dtmf 5', 'refer sip:2@x', 'unmute', 'terminate'])
  })
  it('on nothing do nothing', () => {
    for (const deed of [() => phone.mute('x', true), () => phone.hold('x', true), () => phone.dtmf('x', '1'), () => phone.hangup('x')]) expect(deed).not.toThrow()
  })
})

describe('the house calls by itself', () => {
  it('an echo test is answered', () => expect(ua.invite('e1', 'echo').did).toEqual(['answer']))
  it('a kept call is taken back: answered, muted as before, and only then the old line is let go', () => {
    const old = ua.invite('c1', 'offer')
    phone.answer('c1')
    old.fire('confirmed')
    phone.mute('c1', true)
    const fresh = ua.invite('c1', 'reattach')
    expect([fresh.did, old.did]).toEqual([['answer'], ['answer', 'mute']])
    fresh.fire('accepted')
    expect([fresh.did, old.did.at(-1)]).toEqual([['answer', 'mute'], 'terminate'])
    expect(phases()).toEqual(['c1 talking'])
    old.fire('ended')
    expect(phases()).toEqual(['c1 talking'])
    phone.hangup('c1')
    expect(fresh.did.at(-1)).toBe('terminate')
  })
  it('after a reload, with no old line, likewise', () => {
    const s = ua.invite('c1', 'reattach')
    s.fire('accepted')
    expect(phases()).toEqual(['c1 talking'])
  })
})

describe('listening quality (E-model)', () => {
  it.each([[0, 40, 'good'], [0.01, 80, 'good'], [0.05, 100, 'fair'], [0.1, 100, 'poor'], [1, 500, 'poor']] as const)('loss %s, %s ms: %s', (loss, delay, word) => {
    expect(qualityWord(mosOf(loss, delay))).toBe(word)
  })
  it('is 4.4 at best and 1 at worst', () => {
    expect(mosOf(0, 0)).toBeCloseTo(4.41, 2)
    expect(mosOf(1, 2000)).toBe(1)
  })
})

it('a telephone that only calls is ready when it is connected, and calls', async () => {
  const caller = createPhone({ open: async () => (ua = new FakeUA()), media: () => ({}), register: false })
  let registration = ''
  caller.watch((x) => { registration = x.registration })
  await caller.register(account)
  expect(registration).toBe('connecting')
  ua.fire('connected')
  expect(registration).toBe('registered')
  await caller.call('sip:test-1@kapok')
  expect(ua.did).toEqual(['start', 'call sip:test-1@kapok'])
  await caller.register(null)
})
