import { onScopeDispose, readonly, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { LiveSocket, type SocketLike, type SocketState, type Subscriber } from './livesocket'
import { asFault, type Fault } from '../fault'

const state = ref<SocketState>('closed')
const heardAt = ref<number | null>(null)

function address(): string {
  return `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/socket`
}

async function reachable(): Promise<boolean> {
  try {
    return (await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(5000) })).status < 500
  } catch {
    return false
  }
}

let ended = () => {}

/** onSessionEnded is told when the house closed the socket because the session is over. */
export function onSessionEnded(deed: () => void): void { ended = deed }

const live = new LiveSocket({
  open: () => new WebSocket(address()) as unknown as SocketLike,
  probe: reachable,
  ended: () => ended(),
  changed: (s) => {
    heardAt.value = live.heardAt
    state.value = s
  },
})

/** startSocket opens the page's one socket; called by the shell after sign-in. */
export function startSocket(): void {
  live.start()
  window.addEventListener('online', online)
  window.addEventListener('offline', offline)
  document.addEventListener('visibilitychange', woken)
}

/** stopSocket closes it for good; called at sign-out. */
export function stopSocket(): void {
  live.stop()
  window.removeEventListener('online', online)
  window.removeEventListener('offline', offline)
  document.removeEventListener('visibilitychange', woken)
}

const online = () => live.nudge()
const offline = () => live.cut()
const woken = () => { if (!document.hidden) live.nudge() }

/** useSocket gives the line's state and when it was last heard, and lets a page subscribe to topics. */
export function useSocket() {
  const subscribe = (topic: string, subscriber: Subscriber) => {
    const stop = live.subscribe(topic, subscriber)
    onScopeDispose(stop)
    return stop
  }
  return { state: readonly(state), heardAt: readonly(heardAt), subscribe }
}

/** A live value: read once over REST, then replaced by every message of its topic. */
export interface Live<T> {
  data: ShallowRef<T | null>
  /** When the value was last known to be true, this computer's unix milliseconds. */
  at: Ref<number | null>
  loading: Ref<boolean>
  fault: ShallowRef<Fault | null>
  reload: () => Promise<void>
}

/**
 * useLive reads a value and keeps it fresh. `take` decides what a message means: a new value, null to read
 * again over REST (reads are folded: at most one at a time and one waiting), undefined when it is not for us.
 */
export function useLive<T>(topic: string, read: () => Promise<T>, take: (data: unknown) => T | null | undefined = (d) => d as T): Live<T> {
  const data = shallowRef<T | null>(null)
  const at = ref<number | null>(null)
  const loading = ref(true)
  const fault = shallowRef<Fault | null>(null)
  let version = 0
  let running: Promise<void> | null = null
  let again = false

  const once = async () => {
    const started = version
    try {
      const value = await read()
      if (version === started) {
        data.value = value
        at.value = Date.now()
      }
      fault.value = null
    } catch (e) {
      fault.value = asFault(e)
    }
    loading.value = false
  }
  const reload = (): Promise<void> => {
    if (running) {
      again = true
      return running
    }
    running = (async () => {
      do {
        again = false
        await once()
      } while (again)
      running = null
    })()
    return running
  }
  onScopeDispose(live.subscribe(topic, {
    message: (d) => {
      const value = take(d)
      if (value === undefined) return
      if (value === null) {
        void reload()
        return
      }
      version++
      data.value = value
      at.value = Date.now()
      fault.value = null
      loading.value = false
    },
    reload: () => void reload(),
  }))
  void reload()
  return { data, at, loading, fault, reload }
}
