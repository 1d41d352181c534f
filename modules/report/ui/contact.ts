import type { Candidate, Detail, Fact, Message, Trace } from './types'

/** A text key with what goes into it. */
export interface Said { key: string; params: Record<string, unknown> }

/** The names known on a contact's page, for codes that stand in facts. */
export interface Names { agent: (code: string) => string; queue: (code: string) => string }

const s = (v: unknown) => (v === null || v === undefined ? '' : String(v))
const mmss = (ms: unknown) => {
  const n = Math.max(0, Math.floor(Number(ms ?? 0) / 1000))
  return `${Math.floor(n / 60)}:${String(n % 60).padStart(2, '0')}`
}

/** namesOf collects the names the detail carries, and those of the people given: candidates come as codes alone. */
export function namesOf(d: Pick<Detail, 'visits' | 'legs' | 'offers' | 'contact'>, people: readonly { code: string; name: string }[] = []): Names {
  const agents = new Map<string, string>(people.map((p) => [p.code, p.name])), queues = new Map<string, string>()
  for (const x of [...d.visits, ...d.legs, ...d.offers]) if (x.agent && x.agent_name) agents.set(x.agent, x.agent_name)
  if (d.contact.agent) agents.set(d.contact.agent, d.contact.agent_name || d.contact.agent)
  for (const v of d.visits) if (v.queue_name) queues.set(v.queue, v.queue_name)
  if (d.contact.queue) queues.set(d.contact.queue, d.contact.queue_name || d.contact.queue)
  return { agent: (c) => (agents.get(c) ? `${agents.get(c)} ${c}` : c), queue: (c) => queues.get(c) ?? c }
}

/** factSaid tells one fact in plain words: a text `report.fact.<kind>` with its parameters. */
export function factSaid(f: Fact, names: Names): Said {
  const b = f.body ?? {}
  const kind = f.kind.replace('.', '_')
  const params: Record<string, unknown> = {
    agent: names.agent(s(b.agent) || (f.kind.startsWith('agent.') ? f.actor : '')), queue: names.queue(s(b.queue)), from: s(b.from), to: s(b.to), number: s(b.number || b.to), flow: s(b.flow), node: s(b.node),
    step: s(b.step), pressed: s(b.key), wait: mmss(b.wait_ms), length: mmss(b.ms), talk: mmss(b.talk_ms), hold: mmss(b.hold_ms || b.held_ms), ring: mmss(b.ring_ms),
    city: s(b.city), area: s(b.area), why: s(b.why), rule: s(b.rule), cause: s(b.cause), by: s(b.by), outcome: s(b.outcome), role: s(b.role), peer: s(b.peer), trunk: s(b.trunk), mos: b.mos ? Number(b.mos).toFixed(1) : '', kind: f.kind, reason: s(b.why), grade: s(b.grade), slot: s(b.slot), hash: s(b.sha256).slice(0, 16),
  }
  if (b.to && typeof b.to === 'object') params.to = Object.values(b.to as object).filter(Boolean).join(' ')
  let key = kind
  if (f.kind === 'contact.stepped' && b.key) key = b.said ? 'contact_stepped_said' : 'contact_stepped_key'
  if (f.kind === 'contact.stepped' && ['timeout', 'invalid', 'unheard', 'deaf'].includes(String(b.why))) key = `contact_stepped_${b.why}`
  if (f.kind === 'leg.started' && b.role) key = `leg_started_${s(b.role)}`
  if (f.kind === 'contact.located' && b.how) key = `contact_located_${b.away ? 'away' : s(b.how)}`
  if (f.kind === 'contact.supervised' && b.mode) key = `contact_supervised_${s(b.mode)}`
  if (f.kind === 'contact.missed') key = ['missed', 'refused', 'failed', 'withdrawn'].includes(s(b.why)) ? `contact_missed_${s(b.why)}` : 'contact_missed'
  if (f.kind === 'contact.unparked' && b.how) key = `contact_unparked_${s(b.how)}`
  if (f.kind === 'callout.heard' && b.who) key = `callout_heard_${s(b.who)}`
  if (f.kind === 'callout.ended' && b.result) key = `callout_ended_${s(b.result)}`
  if (f.kind === 'recording.stored' && b.missing) key = 'recording_stored_missing'
  if (f.kind === 'recording.kept' && !b.held) key = 'recording_kept_off'
  if (f.kind === 'contact.limited' && b.do) key = `contact_limited_${s(b.do)}`
  if (f.kind === 'wrapup.saved' && !b.final) key = 'wrapup_saved_auto'
  return { key: `report.fact.${key}`, params }
}

/** The refusals of the brain, in the order they are looked at (engine/acd). */
export const refusals = ['eligible', 'not_in_queue', 'not_in_ring', 'no_skill', 'low_level', 'no_slot', 'away', 'reserved', 'wrap_up', 'resting', 'no_room', 'no_endpoint', 'has_it', 'kept_for'] as const

/** refusalKey names why an agent did not get the contact. */
export function refusalKey(word: string): string { return `report.refusal.${(refusals as readonly string[]).includes(word) ? word : 'unknown'}` }

/** causeKey names what made the brain decide: a contact came, an agent became free, the contact's own agent. */
export function causeKey(cause: string | undefined): string { return `report.cause.${['contact', 'agent', 'sticky'].includes(cause ?? '') ? cause : 'none'}` }

/** ranked puts the chosen agent first, then the eligible in the order they would have come, then the refused by reason. */
export function ranked(trace: Trace): (Candidate & { place: number })[] {
  const best = (a: Candidate, b: Candidate) => (trace.best_skill ? b.score - a.score : 0) || a.load - b.load || a.idle_since - b.idle_since || a.agent.localeCompare(b.agent)
  const order = (r: string) => (refusals as readonly string[]).indexOf(r)
  const list = [...(trace.candidates ?? [])].sort((a, b) => {
    if (a.agent === trace.agent) return -1
    if (b.agent === trace.agent) return 1
    if ((a.refusal === 'eligible') !== (b.refusal === 'eligible')) return a.refusal === 'eligible' ? -1 : 1
    return order(a.refusal) - order(b.refusal) || best(a, b)
  })
  let place = 0
  return list.map((c) => ({ ...c, place: c.refusal === 'eligible' || c.agent === trace.agent ? ++place : 0 }))
}

/** refusedBy counts the refused candidates by reason, most first. */
export function refusedBy(trace: Trace): { refusal: string; n: number }[] {
  const by = new Map<string, number>()
  for (const c of trace.candidates ?? []) if (c.refusal !== 'eligible' && c.agent !== trace.agent) by.set(c.refusal, (by.get(c.refusal) ?? 0) + 1)
  return [...by].map(([refusal, n]) => ({ refusal, n })).sort((a, b) => b.n - a.n)
}

/** A bar on the time line, in percent of the whole. */
export interface Bar { left: number; width: number; kind: 'flow' | 'wait' | 'ring' | 'talk'; from: number; to: number }
export interface Lane { id: string; title: Said | string; bars: Bar[] }

/** lanesOf lays the contact out on its time: its queues, then one lane per leg. */
export function lanesOf(d: Detail, now: number): { start: number; end: number; lanes: Lane[] } {
  const start = Math.min(Number(d.contact.at), ...d.legs.map((l) => l.started).filter(Boolean))
  const end = Math.max(start + 1000, d.ended_at || 0, ...d.legs.map((l) => l.ended || (d.ended_at ? l.started : now)), ...d.visits.map((v) => v.left || (d.ended_at ? v.entered : now)))
  const bar = (from: number, to: number, kind: Bar['kind']): Bar => ({ from, to, kind, left: ((from - start) / (end - start)) * 100, width: Math.max(0.4, ((to - from) / (end - start)) * 100) })
  const lanes: Lane[] = d.visits.map((v, i) => ({ id: `v${i}`, title: v.queue_name || v.queue, bars: [bar(v.entered, v.left || end, 'wait')] }))
  for (const l of d.legs) {
    const stop = l.ended || end
    const bars: Bar[] = []
    if (l.role !== 'caller' && l.started < (l.answered || stop)) bars.push(bar(l.started, l.answered || stop, 'ring'))
    if (l.answered) bars.push(bar(l.answered, stop, l.role === 'caller' ? 'flow' : 'talk'))
    const title: Said = l.role === 'agent' ? { key: 'report.leg.agent', params: { name: l.agent_name ? `${l.agent_name} ${l.agent}` : l.agent } } : { key: `report.leg.${l.role}`, params: { peer: l.peer } }
    lanes.push({ id: l.leg, title, bars })
  }
  return { start, end, lanes }
}

/** ticksOf gives about `n` round marks over a span of ms, from 0. */
export function ticksOf(span: number, n = 6): number[] {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200].map((x) => x * 1000)
  const step = steps.find((x) => span / x <= n) ?? steps.at(-1)!
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, i) => i * step)
}

/** columnsOf gives the parties of a ladder in order of appearance, the house in the middle of two. */
export function columnsOf(ladder: readonly Message[], house = 'kapok'): string[] {
  const peers: string[] = []
  for (const m of ladder) for (const p of [m.from, m.to]) if (p !== house && !peers.includes(p)) peers.push(p)
  return [...peers.slice(0, 1), house, ...peers.slice(1)]
}

/** shortSIP makes a message's first line short: "INVITE", "180 Ringing". */
export function shortSIP(text: string): string {
  const m = /^SIP\/2\.0 (.*)$/.exec(text)
  return m ? m[1]! : (text.split(' ')[0] ?? text)
}

/** peaksOf turns the levels of a recording (0–255, caller left, agent right) into shares. */
export function peaksOf(p: { left: readonly number[] | null; right: readonly number[] | null }): number[][] {
  return [p.left ?? [], p.right ?? []].map((row) => row.map((v) => v / 255))
}
