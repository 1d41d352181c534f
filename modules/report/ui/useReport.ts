import { serverNow, useSession } from '@kit'
import { computed, reactive, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { addDays, dayIn, presetOf, rangeOf, spanDays, validDay, type Preset } from './days'
import { bys, longestFor, steps, stepsFor, type By, type Step } from './figures'

/** What a report is asked for; the same words as the API's query. */
export interface Ask { by: By; step: Step; from: string; to: string; medium: string; site: string; queue: string; agent: string; number: string }

/** useToday gives the hotline's local day now. */
export function useToday() {
  const session = useSession()
  const zone = () => (session.me?.bureau as { timezone?: string } | undefined)?.timezone ?? 'Asia/Shanghai'
  return () => dayIn(serverNow(), zone())
}

/** useAsk keeps the question in the address, so that a report can be sent to somebody and the way back works. */
export function useAsk() {
  const route = useRoute()
  const router = useRouter()
  const today = useToday()
  const one = (k: string) => (typeof route.query[k] === 'string' ? (route.query[k] as string) : '')
  const week = rangeOf('week', today())
  const ask = reactive<Ask>({
    by: bys.includes(one('by') as By) ? (one('by') as By) : 'queue',
    step: steps.includes(one('step') as Step) ? (one('step') as Step) : 'day',
    from: validDay(one('from')) ? one('from') : week.from,
    to: validDay(one('to')) ? one('to') : week.to,
    medium: one('medium') || 'phone', site: one('site'), queue: one('queue'), agent: one('agent'), number: one('number'),
  })
  const preset = computed<Preset | ''>({
    get: () => presetOf(ask.from, ask.to, today()) ?? '',
    set: (p) => { if (p) Object.assign(ask, rangeOf(p, today())) },
  })
  watch(ask, (a) => {
    if (a.from > a.to) a.to = a.from
    if (!stepsFor(a.by).includes(a.step)) a.step = 'day'
    if (spanDays(a.from, a.to) > longestFor(a.step)) a.step = a.step.length === 2 ? 'day' : 'month'
    const query = Object.fromEntries(Object.entries(a).filter(([k, v]) => v && !(k === 'medium' && v === 'phone')))
    void router.replace({ query })
  })
  const query = computed(() => ({ ...ask }))
  const move = (n: number) => {
    const days = spanDays(ask.from, ask.to)
    Object.assign(ask, { from: addDays(ask.from, n * days), to: addDays(ask.to, n * days) })
  }
  return { ask, query, preset, move }
}
