import { expect, it } from 'vitest'
import { causeKey, columnsOf, factSaid, lanesOf, peaksOf, ranked, refusalKey, refusedBy, shortSIP, ticksOf } from './contact'
import { addDays, dayIn, presetOf, rangeOf, spanDays, validDay, weekday } from './days'
import { chartOption, chartParts, mainColumns, missed, slotLabel, stepsFor } from './figures'
import type { Candidate, Detail, Fact, Interval, Line, Measure, Trace } from './types'
import { fitTiles, level, wallOrder } from './wall'

it('days: the local day is that of the hotline, not of the browser', () => {
  const lateInUTC = Date.parse('2026-11-23T18:30:00Z')
  expect(dayIn(lateInUTC, 'Asia/Shanghai')).toBe('2026-11-24')
  expect(dayIn(lateInUTC, 'UTC')).toBe('2026-11-23')
  expect(dayIn(lateInUTC, 'Moon/Crater')).toBe('2026-11-24')
})

it('days: ranges as people say them, weeks from Monday, running ones end today', () => {
  const today = '2026-03-01'
  expect(weekday(today)).toBe(7)
  expect([rangeOf('week', today), rangeOf('last_week', today)]).toEqual([{ from: '2026-02-23', to: today }, { from: '2026-02-16', to: '2026-02-22' }])
  expect(rangeOf('last_month', today)).toEqual({ from: '2026-02-01', to: '2026-02-28' })
  expect(rangeOf('last_month', '2024-03-31')).toEqual({ from: '2024-02-01', to: '2024-02-29' })
  expect(presetOf('2026-02-28', '2026-02-28', today)).toBe('yesterday')
  expect(presetOf('2026-02-20', '2026-02-28', today)).toBeUndefined()
  expect([addDays('2026-12-31', 1), spanDays('2026-01-01', '2026-12-31'), spanDays('2026-02-02', '2026-02-01')]).toEqual(['2027-01-01', 365, 0])
  expect([validDay('2026-02-29'), validDay('2024-02-29'), validDay('x')]).toEqual([false, true, false])
})

it('wall: tiles fill their place and never overflow it', () => {
  for (const n of [1, 2, 7, 24, 59, 60]) {
    for (const [w, h] of [[480, 420], [760, 560], [300, 900]] as const) {
      const f = fitTiles(n, w, h)
      expect(f.columns * f.rows).toBeGreaterThanOrEqual(n)
      expect(f.width * f.columns + 6 * (f.columns - 1)).toBeLessThanOrEqual(w)
      expect(f.height * f.rows + 6 * (f.rows - 1)).toBeLessThanOrEqual(h)
    }
  }
  expect(fitTiles(0, 100, 100).width).toBe(0)
})

it('wall: the queue somebody waits longest in comes first, then the one below its target', () => {
  const q = (code: string, waiting: number, rate: number | null) => ({ code, name: code, name_en: '', waiting, longest_since: null, entered: 1, answered: 1, abandoned: 0, rate, sl20: null, ready: 0, ringing: 0, talking: 0, wrapup: 0, away: 0, target: 0.9 })
  const list = [q('a', 0, 0.95), q('b', 0, 0.5), q('c', 1, 0.99)]
  expect(wallOrder(list, (x) => (x.code === 'c' ? 9000 : 0)).map((x) => x.code)).toEqual(['c', 'b', 'a'])
  expect([level(0.95, 0.95), level(0.94, 0.95), level(0.5, 0.95), level(null, 0.95), level(1, 0)]).toEqual(['good', 'near', 'low', 'none', 'none'])
})

const line = (slot: string, key: string, m: Record<string, number | null>): Line => ({ slot, key, name: key, restated_at: 0, measures: m, shown: {} })
const report = (rows: Line[], columns = ['entered', 'answered', 'abandoned', 'JTL']): Interval => ({ columns, rows, totals: line('', '', {}), sentence: { code: '', text: '', params: {} } })
const words = { of: (id: string) => id, name: (l: Line) => l.name, target: 'target', color: (id: string) => id }

it('reports: over slots the axis is time, within one slot it is names; an unknown rate is a gap', () => {
  const jtl: Measure = { id: 'JTL', name: '', name_en: '', formula: '', formula_en: '', unit: 'rate', target: 0.95, below: false, computed: true, by: '', kpi: true }
  const day = chartOption(report([line('2026-11-23T08:30', 'a', { answered: 1, JTL: 0.5 }), line('2026-11-23T09:00', 'a', { answered: 0, JTL: null })]), [jtl], words) as { xAxis: { data: string[] }; series: { data: unknown[] }[] }
  expect(day.xAxis.data).toEqual(['08:30', '09:00'])
  expect(day.series.at(-1)!.data).toEqual([50, null])
  const names = chartOption(report([line('2026-11-23', 'vat', {}), line('2026-11-23', 'cit', {})]), [], words) as { xAxis: { data: string[] } }
  expect(names.xAxis.data).toEqual(['vat', 'cit'])
  expect(chartParts(['offered', 'answered', 'missed', 'OCC'])).toEqual({ bars: ['answered', 'missed'], rate: 'OCC' })
})

it('reports: main columns are those the report has; steps follow what is counted', () => {
  expect(mainColumns(['entered', 'answered', 'JTL', 'x'], 'queue')).toEqual(['entered', 'answered', 'JTL'])
  expect(mainColumns(['only'], 'queue')).toEqual(['only'])
  expect(stepsFor('topic')).toEqual(['day', 'month', 'year'])
  expect([slotLabel('2026-11-23T08:30', false), slotLabel('2026-11-23', true), slotLabel('2026-11', false)]).toEqual(['11-23 08:30', '11-23', '2026-11'])
})

it('reports: a missed target is marked, above or below as the measure says', () => {
  const m = (target: number | null, below: boolean) => ({ id: 'x', name: '', name_en: '', formula: '', formula_en: '', unit: 'rate' as const, target, below, computed: true, by: '', kpi: true })
  expect([missed(m(0.9, false), 0.8), missed(m(0.9, false), 0.9), missed(m(0.05, true), 0.06), missed(m(null, false), 0), missed(m(0.9, false), null)]).toEqual([true, false, true, false, false])
})

const names = { agent: (c: string) => `A${c}`, queue: (c: string) => `Q${c}` }
const fact = (kind: string, body: Record<string, unknown>): Fact => ({ seq: 1, at: 0, kind, actor: '', place: '', node: '', body })
it('contact: a fact is said by its kind and what happened in it', () => {
  expect(factSaid(fact('contact.answered', { agent: '1', wait_ms: 65_000 }), names)).toMatchObject({ key: 'report.fact.contact_answered', params: { agent: 'A1', wait: '1:05' } })
  expect(factSaid(fact('contact.missed', { agent: '1', why: 'refused' }), names).key).toBe('report.fact.contact_missed_refused')
  expect(factSaid(fact('contact.stepped', { node: 'menu', why: 'timeout' }), names)).toMatchObject({ key: 'report.fact.contact_stepped_timeout', params: { node: 'menu' } })
  expect(factSaid(fact('contact.stepped', { node: 'menu', key: '2' }), names)).toMatchObject({ key: 'report.fact.contact_stepped_key', params: { pressed: '2' } })
  expect(factSaid(fact('wrapup.saved', { agent: '1' }), names).key).toBe('report.fact.wrapup_saved_auto')
  expect(factSaid({ ...fact('contact.ended', {}), body: null }, names).key).toBe('report.fact.contact_ended')
})

it('contact: the chosen agent stands first, who could have taken it next, the refused by reason', () => {
  const c = (agent: string, refusal: string, idle = 0): Candidate => ({ agent, refusal, score: 0, load: 0, idle_since: idle })
  const trace: Trace = { at: 0, contact: '', agent: '3', queue: '', entered_at: 0, key: 0, relax: 0, ring: 0, agents: 5, earlier: 0, rivals: null, candidates: [c('1', 'away'), c('2', 'eligible', 9), c('3', 'eligible', 99), c('4', 'no_skill'), c('5', 'eligible', 5)] }
  expect(ranked(trace).map((x) => [x.agent, x.place])).toEqual([['3', 1], ['5', 2], ['2', 3], ['4', 0], ['1', 0]])
  expect(refusedBy(trace)).toEqual([{ refusal: 'away', n: 1 }, { refusal: 'no_skill', n: 1 }])
  expect([refusalKey('away'), refusalKey('new_one'), causeKey('agent'), causeKey(undefined)]).toEqual(['report.refusal.away', 'report.refusal.unknown', 'report.cause.agent', 'report.cause.none'])
})

it('contact: bars lie within the time line, an open leg reaches to now', () => {
  const leg = { leg: 'l', role: 'agent' as const, agent: '1', agent_name: '', queue: '', peer: '', started: 10_000, answered: 15_000, ended: 0, ring_ms: 0, talk_ms: 0, hold_ms: 0, cause: '', mos: 0 }
  const d = { contact: { at: 5000 }, legs: [leg], visits: [], ended_at: 0 } as unknown as Detail
  const l = lanesOf(d, 25_000)
  expect([l.start, l.end]).toEqual([5000, 25_000])
  expect(l.lanes[0]!.bars.map((b) => [b.kind, b.left, Math.round(b.left + b.width)])).toEqual([['ring', 25, 50], ['talk', 50, 100]])
  expect(ticksOf(20_000)).toEqual([0, 5000, 10_000, 15_000, 20_000])
})

it('contact: a ladder shows its parties once with the house in between, and messages by their names', () => {
  const m = (from: string, to: string) => ({ at: 0, from, to, text: '' })
  expect(columnsOf([m('a', 'kapok'), m('kapok', 'b'), m('b', 'kapok')])).toEqual(['a', 'kapok', 'b'])
  expect([shortSIP('INVITE sip:1@x SIP/2.0'), shortSIP('SIP/2.0 180 Ringing')]).toEqual(['INVITE', '180 Ringing'])
  expect(peaksOf({ left: [0, 255], right: null })).toEqual([[0, 1], []])
})
