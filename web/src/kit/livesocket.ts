/** What the socket needs of a WebSocket; tests hand in their own. */
export interface SocketLike {
  send(text: string): void
  close(): void
  onopen: ((e: never) => void) | null
  onmessage: ((e: { data: unknown }) => void) | null
  onclose: ((e: { code?: number }) => void) | null
  onerror: ((e: never) => void) | null
}

export type SocketState = 'connecting' | 'open' | 'lost' | 'closed'

/** A subscriber gets every message of its topic once and in order, or is told to read everything anew. */
export interface Subscriber {
  message(data: unknown, seq: number): void
  reload(): void
}

interface Topic { seq: number | null; subscribers: Set<Subscriber> }
interface Frame { topic: string; seq: number; data?: unknown; reload?: boolean }

export interface LiveSocketOptions {
  open: () => SocketLike
  now?: () => number
  random?: () => number
  /** probe answers whether the house can be reached; asked after `quiet` ms without a word. */
  probe?: () => Promise<boolean>
  quiet?: number
  changed?: (state: SocketState) => void
  /** ended is told when the server closed because the session is over. */
  ended?: () => void
}

const slowest = 10_000
/** The close code the house uses when the session has ended (platform/web). */
const sessionEnded = 4401

/**
 * LiveSocket keeps one WebSocket open and carries topics over it. It remembers the last sequence number of each
 * topic and asks for what came after it when it has to connect again; when the server cannot say, it tells the
 * topic's subscribers to reload. Numbers rise but are not dense: other people's messages have numbers too. Every
 * state has a deadline: connecting 10 s, silence is probed, a lost line is tried again after 0.5 s, growing to 10 s.
 */
export class LiveSocket {
  state: SocketState = 'closed'
  /** When anything was last heard, unix milliseconds; null before the first connection. */
  heardAt: number | null = null
  private socket: SocketLike | null = null
  private readonly topics = new Map<string, Topic>()
  private attempt = 0
  private retry: ReturnType<typeof setTimeout> | undefined
  private deadline: ReturnType<typeof setTimeout> | undefined
  private silence: ReturnType<typeof setTimeout> | undefined
  private readonly now: () => number
  private readonly random: () => number

  constructor(private readonly options: LiveSocketOptions) {
    this.now = options.now ?? Date.now
    this.random = options.random ?? Math.random
  }

  /** start connects; it is harmless when started already. */
  start(): void {
    if (this.state === 'closed') this.connect()
  }

  /** stop closes for good (sign-out); topics and their numbers are forgotten. */
  stop(): void {
    this.set('closed')
    this.drop()
    clearTimeout(this.retry)
    this.topics.clear()
    this.attempt = 0
    this.heardAt = null
  }

  /** nudge tries again now (the computer is back on the network, the tab was woken). */
  nudge(): void {
    if (this.state === 'lost') {
      clearTimeout(this.retry)
      this.connect()
    } else if (this.state === 'open') this.suspect()
  }

  /** cut treats the line as lost at once (the computer says it is off the network). */
  cut(): void {
    if (this.state === 'open' || this.state === 'connecting') this.lose()
  }

  /** subscribe attaches a subscriber to a topic; call the result to detach. */
  subscribe(name: string, subscriber: Subscriber): () => void {
    const topic = this.topics.get(name) ?? { seq: null, subscribers: new Set() }
    const first = topic.subscribers.size === 0
    this.topics.set(name, topic)
    topic.subscribers.add(subscriber)
    if (first) this.announce([name])
    return () => {
      topic.subscribers.delete(subscriber)
      if (topic.subscribers.size === 0 && this.topics.get(name) === topic) {
        this.topics.delete(name)
        if (this.state === 'open') this.socket?.send(JSON.stringify({ unsub: [name] }))
      }
    }
  }

  private connect(): void {
    this.drop()
    if (this.state !== 'lost') this.set('connecting')
    const socket = this.options.open()
    this.socket = socket
    this.deadline = setTimeout(() => { if (this.socket === socket) this.lose() }, 10_000)
    socket.onopen = () => {
      if (this.socket !== socket) return
      clearTimeout(this.deadline)
      this.attempt = 0
      this.heard()
      this.set('open')
      this.announce()
    }
    socket.onmessage = (e) => { if (this.socket === socket) this.receive(e.data) }
    socket.onclose = (e) => {
      if (this.socket !== socket) return
      if (e?.code === sessionEnded) {
        this.stop()
        this.options.ended?.()
      } else this.lose()
    }
    socket.onerror = () => { if (this.socket === socket) this.lose() }
  }

  private drop(): void {
    clearTimeout(this.deadline)
    clearTimeout(this.silence)
    const socket = this.socket
    this.socket = null
    if (socket) {
      try { socket.close() } catch { /* already closed */ }
    }
  }

  private lose(): void {
    this.drop()
    if (this.state === 'closed') return
    this.set('lost')
    const wait = Math.min(slowest, 500 * 2 ** this.attempt) * (0.75 + this.random() / 2)
    this.attempt = Math.min(this.attempt + 1, 6)
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.connect(), wait)
  }

  private announce(names = [...this.topics.keys()]): void {
    if (this.state !== 'open' || !this.socket || names.length === 0) return
    const since: Record<string, number> = {}
    for (const name of names) {
      const seq = this.topics.get(name)?.seq
      if (seq !== null && seq !== undefined) since[name] = seq
    }
    this.socket.send(JSON.stringify({ sub: names, since }))
  }

  private heard(): void {
    this.heardAt = this.now()
    clearTimeout(this.silence)
    if (this.options.probe) this.silence = setTimeout(() => this.suspect(), this.options.quiet ?? 25_000)
  }

  /** suspect asks over plain HTTP whether the house is there: a dead TCP path tells the browser nothing. */
  private suspect(): void {
    const socket = this.socket
    clearTimeout(this.silence)
    this.options.probe?.().then((reachable) => {
      if (this.socket !== socket || this.state !== 'open') return
      if (reachable) this.heard()
      else this.lose()
    }, () => { if (this.socket === socket && this.state === 'open') this.lose() })
  }

  private receive(data: unknown): void {
    this.heard()
    let frame: Frame
    try {
      frame = JSON.parse(String(data)) as Frame
    } catch {
      return
    }
    const topic = this.topics.get(frame.topic)
    if (!topic || typeof frame.seq !== 'number') return
    if (frame.reload) {
      topic.seq = frame.seq
      for (const s of [...topic.subscribers]) s.reload()
      return
    }
    if (topic.seq !== null && frame.seq <= topic.seq) return
    topic.seq = frame.seq
    for (const s of [...topic.subscribers]) s.message(frame.data, frame.seq)
  }

  private set(state: SocketState): void {
    if (this.state === state) return
    this.state = state
    this.options.changed?.(state)
  }
}
