import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LiveSocket, type SocketLike } from '@kit/livesocket'

class FakeSocket implements SocketLike {
  sent: { sub?: string[]; unsub?: string[]; since?: Record<string, number> }[] = []
  closed = false
  onopen: SocketLike['onopen'] = null
  onmessage: SocketLike['onmessage'] = null
  onclose: SocketLike['onclose'] = null
  onerror: SocketLike['onerror'] = null
  send(text: string) { this.sent.push(JSON.parse(text)) }
  close() { this.closed = true }
  accept() { this.onopen?.(undefined as never) }
  say(frame: object | string) { this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) }) }
  drop(code = 1006) { this.onclose?.({ code }) }
}

const made: FakeSocket[] = []
const states: string[] = []
let ended = 0
let reachable = true
const last = () => made.at(-1)!
function start() {
  const s = new LiveSocket({ open: () => { made.push(new FakeSocket()); return last() }, random: () => 0.5, probe: () => Promise.resolve(reachable), quiet: 25_000, changed: (x) => states.push(x), ended: () => ended++ })
  s.start()
  return s
}
function listen(s: LiveSocket, topic: string) {
  const got: unknown[] = []
  const stop = s.subscribe(topic, { message: (d) => got.push(d), reload: () => got.push('reload') })
  return { got, stop }
}
beforeEach(() => {
  vi.useFakeTimers()
  made.length = 0
  states.length = 0
  ended = 0
  reachable = true
})
afterEach(() => vi.useRealTimers())

describe('topics', () => {
  it('subscribes on opening and later, leaves when nobody listens', () => {
    const s = start()
    const desk = listen(s, 'desk')
    expect(last().sent).toEqual([])
    last().accept()
    expect(last().sent).toEqual([{ sub: ['desk'], since: {} }])
    const wall = listen(s, 'wallboard')
    expect(last().sent.at(-1)).toEqual({ sub: ['wallboard'], since: {} })
    wall.stop()
    expect(last().sent.at(-1)).toEqual({ unsub: ['wallboard'] })
    last().say({ topic: 'wallboard', seq: 1, data: 1 })
    expect([desk.got, wall.got]).toEqual([[], []])
    s.stop()
  })
  it('gives each message once and in order; numbers need not be dense', () => {
    const s = start()
    const { got } = listen(s, 'desk')
    last().accept()
    for (const seq of [5, 9, 9, 7, 12]) last().say({ topic: 'desk', seq, data: seq })
    last().say('not json')
    last().say({ topic: 'other', seq: 1, data: 'x' })
    expect(got).toEqual([5, 9, 12])
    s.stop()
  })
})

describe('resuming', () => {
  it('asks for what came after the last number, and takes the replay', () => {
    const s = start()
    const { got } = listen(s, 'desk')
    last().accept()
    last().say({ topic: 'desk', seq: 12, data: 'a' })
    last().drop()
    expect(s.state).toBe('lost')
    vi.advanceTimersByTime(500)
    expect(made).toHaveLength(2)
    last().accept()
    expect(last().sent).toEqual([{ sub: ['desk'], since: { desk: 12 } }])
    last().say({ topic: 'desk', seq: 12, data: 'a' })
    last().say({ topic: 'desk', seq: 14, data: 'b' })
    expect(got).toEqual(['a', 'b'])
    s.stop()
  })
  it('reloads when told so, and goes on from the number it was told, even a smaller one', () => {
    const s = start()
    const { got } = listen(s, 'desk')
    last().accept()
    last().say({ topic: 'desk', seq: 900, data: 'a' })
    last().say({ topic: 'desk', seq: 30, reload: true })
    last().say({ topic: 'desk', seq: 31, data: 'b' })
    expect(got).toEqual(['a', 'reload', 'b'])
    s.stop()
  })
  it('waits longer each time, at most ten seconds, and starts anew after success', () => {
    const s = start()
    last().drop()
    const waits: number[] = []
    for (let i = 0; i < 7; i++) {
      const before = made.length
      let waited = 0
      while (made.length === before && waited < 60_000) {
        vi.advanceTimersByTime(100)
        waited += 100
      }
      waits.push(waited)
      last().drop()
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000])
    vi.advanceTimersByTime(10_000)
    last().accept()
    last().drop()
    const before = made.length
    vi.advanceTimersByTime(500)
    expect(made.length).toBe(before + 1)
    s.stop()
  })
})

describe('deadlines', () => {
  it('gives up a connection that does not open in ten seconds', () => {
    const s = start()
    vi.advanceTimersByTime(10_000)
    expect(s.state).toBe('lost')
    expect(made[0]!.closed).toBe(true)
    s.stop()
  })
  it('asks after silence whether the house is there', async () => {
    const s = start()
    last().accept()
    await vi.advanceTimersByTimeAsync(25_000)
    expect(s.state).toBe('open')
    reachable = false
    await vi.advanceTimersByTimeAsync(25_000)
    expect(s.state).toBe('lost')
    s.stop()
  })
  it('is cut and nudged by the computer’s own word', () => {
    const s = start()
    last().accept()
    s.cut()
    expect(s.state).toBe('lost')
    s.nudge()
    expect(made).toHaveLength(2)
    last().accept()
    expect(states).toEqual(['connecting', 'open', 'lost', 'open'])
    s.stop()
  })
  it('does not come back when the session is over', () => {
    const s = start()
    last().accept()
    last().drop(4401)
    vi.advanceTimersByTime(60_000)
    expect([s.state, made.length, ended]).toEqual(['closed', 1, 1])
  })
  it('ignores what an abandoned socket still says', () => {
    const s = start()
    const { got } = listen(s, 'desk')
    last().accept()
    const old = last()
    old.drop()
    vi.advanceTimersByTime(500)
    last().accept()
    old.say({ topic: 'desk', seq: 99, data: 'ghost' })
    old.drop()
    expect([got, s.state]).toEqual([[], 'open'])
    s.stop()
  })
})
