import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { asFault, type Fault } from '../fault'

/** A read in progress, done or failed: what DataTable and StatePane show. */
export interface Loaded<T> { data: ShallowRef<T | null>; loading: Ref<boolean>; fault: ShallowRef<Fault | null>; reload: () => Promise<void> }

/** useLoad reads now and whenever a source changes; an answer overtaken by a newer question is dropped. */
export function useLoad<T>(read: (signal: AbortSignal) => Promise<T>, sources?: WatchSource | WatchSource[]): Loaded<T> {
  const data = shallowRef<T | null>(null)
  const loading = ref(false)
  const fault = shallowRef<Fault | null>(null)
  let current: AbortController | null = null
  const reload = async () => {
    current?.abort()
    const mine = new AbortController()
    current = mine
    loading.value = true
    try {
      const value = await read(mine.signal)
      if (current !== mine) return
      data.value = value
      fault.value = null
    } catch (e) {
      if (current !== mine) return
      fault.value = asFault(e)
    }
    loading.value = false
  }
  if (sources) watch(sources, () => void reload(), { immediate: true })
  else void reload()
  onScopeDispose(() => current?.abort())
  return { data, loading, fault, reload }
}

/** useAction runs one deed at a time and keeps its failure to be shown where it was asked for. */
export function useAction<A extends unknown[], R>(deed: (...args: A) => Promise<R>) {
  const busy = ref(false)
  const fault = shallowRef<Fault | null>(null)
  const run = async (...args: A): Promise<R | undefined> => {
    if (busy.value) return undefined
    busy.value = true
    fault.value = null
    try {
      return await deed(...args)
    } catch (e) {
      fault.value = asFault(e)
      return undefined
    } finally {
      busy.value = false
    }
  }
  return { busy, fault, run }
}

/** useDebounced calls back after `wait` ms without a change; `flush` calls now, at the latest when the scope ends. */
export function useDebounced(deed: () => void | Promise<void>, wait = 800) {
  let timer: ReturnType<typeof setTimeout> | undefined
  const flush = async () => {
    if (timer === undefined) return
    clearTimeout(timer)
    timer = undefined
    await deed()
  }
  const touch = () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      timer = undefined
      void deed()
    }, wait)
  }
  const cancel = () => {
    clearTimeout(timer)
    timer = undefined
  }
  onScopeDispose(() => void flush())
  return { touch, flush, cancel }
}
