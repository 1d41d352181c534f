import { computed, onScopeDispose, ref, type ComputedRef, type Ref } from 'vue'
import type { Moment } from '../api-types'

/** Difference server − this computer in milliseconds; seats' clocks are often minutes off. */
const skew = ref(0)

/** noteServerDate learns the server's clock from a Date header (whole seconds); differences below 2 s are noise. */
export function noteServerDate(header: string | null, now = Date.now()): void {
  if (!header) return
  const at = Date.parse(header)
  if (Number.isNaN(at)) return
  const difference = at + 500 - now
  skew.value = Math.abs(difference) < 2000 ? 0 : difference
}

/** serverNow is the server's idea of now, unix milliseconds. */
export function serverNow(): number { return Date.now() + skew.value }

/** toMs reads a moment written by the server; null when there is none. A year-1 time (Go's zero) is none. */
export function toMs(moment: Moment | null | undefined): number | null {
  if (moment === null || moment === undefined || moment === '' || moment === 0) return null
  if (typeof moment === 'number') return moment
  const at = Date.parse(moment)
  return Number.isNaN(at) || at < 0 ? null : at
}

let beats = 0
let timer: ReturnType<typeof setInterval> | undefined
const second = ref(Date.now())

/** useNow gives the server's now, once a second; all users share one timer, stopped when nobody looks. */
export function useNow(): ComputedRef<number> {
  beats++
  second.value = Date.now()
  timer ??= setInterval(() => { second.value = Date.now() }, 1000)
  onScopeDispose(() => {
    if (--beats === 0 && timer) {
      clearInterval(timer)
      timer = undefined
    }
  })
  return computed(() => second.value + skew.value)
}

/** useElapsed gives the milliseconds since a moment, ticking. */
export function useElapsed(since: Ref<Moment | null | undefined> | (() => Moment | null | undefined)): ComputedRef<number | null> {
  const now = useNow()
  return computed(() => {
    const start = toMs(typeof since === 'function' ? since() : since.value)
    return start === null ? null : Math.max(0, now.value - start)
  })
}
