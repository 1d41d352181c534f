/**
 * One tab of this browser holds the desk. Tabs talk over a BroadcastChannel: a new one asks whether somebody holds,
 * a taker says so, and the holder lets go.
 */
export interface Holder {
  /** claimed tells whether another tab holds the desk; waits at most `wait` ms for an answer. */
  claimed(wait?: number): Promise<boolean>
  /** take makes this tab the holder; others are told. */
  take(): void
  release(): void
  /** mine tells whether this tab was the holder before a reload. */
  mine(): boolean
  close(): void
}

type Word = { word: 'who' | 'held' | 'taken'; from: string }

/** holderOf makes the holder's end of a user's channel; `lost` is called when another tab takes over. */
export function holderOf(user: string, lost: () => void): Holder {
  const me = crypto.randomUUID()
  const key = `kapok.desk.${user}`
  const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(key)
  let holding = false
  let answered: (() => void) | null = null
  const say = (word: Word['word']) => channel?.postMessage({ word, from: me } satisfies Word)
  if (channel) {
    channel.onmessage = (e: MessageEvent<Word>) => {
      if (e.data.from === me) return
      if (e.data.word === 'who' && holding) say('held')
      else if (e.data.word === 'held') answered?.()
      else if (e.data.word === 'taken' && holding) {
        holding = false
        sessionStorage.removeItem(key)
        lost()
      }
    }
  }
  return {
    claimed(wait = 150) {
      if (!channel) return Promise.resolve(false)
      return new Promise((done) => {
        const timer = setTimeout(() => {
          answered = null
          done(false)
        }, wait)
        answered = () => {
          clearTimeout(timer)
          answered = null
          done(true)
        }
        say('who')
      })
    },
    take() {
      holding = true
      sessionStorage.setItem(key, '1')
      say('taken')
    },
    release() {
      holding = false
      sessionStorage.removeItem(key)
    },
    mine: () => sessionStorage.getItem(key) === '1',
    close() {
      channel?.close()
    },
  }
}
