import type { Interval, Line, Measure } from './types'

export type By = 'all' | 'queue' | 'agent' | 'site' | 'number' | 'topic' | 'district' | 'tax_type'
export type Step = '15' | '30' | 'day' | 'month' | 'year'
export const bys: readonly By[] = ['all', 'queue', 'agent', 'site', 'number', 'topic', 'district', 'tax_type']
export const steps: readonly Step[] = ['15', '30', 'day', 'month', 'year']

/** stepsFor: what people write down (topic, district, tax type) is counted by day at the finest. */
export function stepsFor(by: By): readonly Step[] {
  return by === 'topic' || by === 'district' || by === 'tax_type' ? steps.filter((s) => s.length > 2) : steps
}

const first: Record<string, readonly string[]> = {
  all: ['started', 'entered', 'answered', 'abandoned', 'exited', 'JTL', 'JTL2', 'JTLU', 'SL20', 'ASA', 'AHT', 'max_wait_ms'],
  agent: ['offered', 'answered', 'missed', 'ACC', 'AHT', 'TALK', 'ACW', 'signed_in_ms', 'OCC', 'GSL'],
  number: ['started', 'served', 'asked', 'reached', 'gave_up', 'left_flow', 'turned', 'failed', 'JTL2'],
  other: ['entered', 'answered', 'abandoned', 'exited', 'JTL', 'JTLU', 'SL20', 'ASA', 'max_wait_ms', 'AHT'],
}

/** mainColumns picks the columns shown before "all columns" is asked for, in the report's own order. */
export function mainColumns(columns: readonly string[], by: By): string[] {
  const want = first[by] ?? first.other!
  const few = want.filter((c) => columns.includes(c))
  return few.length ? few : [...columns]
}

/** slotLabel shortens a slot: times of a single day stand alone, the month of a day stays. */
export function slotLabel(slot: string, oneDay: boolean): string {
  const at = slot.indexOf('T')
  if (at < 0) return slot.length === 10 ? slot.slice(5) : slot
  return oneDay ? slot.slice(at + 1) : `${slot.slice(5, at)} ${slot.slice(at + 1)}`
}

export interface ChartWords { of: (id: string) => string; name: (l: Line) => string; target: string; color: (id: string) => string }

/** chartParts finds what a report's chart shows: bars that add up, a rate, and its target. */
export function chartParts(columns: readonly string[]): { bars: string[]; rate?: string } {
  const has = (c: string) => columns.includes(c)
  if (has('JTL')) return { bars: ['answered', 'abandoned', 'exited'].filter(has), rate: 'JTL' }
  if (has('JTL2')) return { bars: ['served', 'reached', 'gave_up', 'left_flow', 'turned', 'failed'].filter(has), rate: 'JTL2' }
  return { bars: ['answered', 'missed', 'refused'].filter(has), rate: has('OCC') ? 'OCC' : undefined }
}

/** chartOption makes the ECharts option: stacked bars over slots (or names, when there is one slot), the rate as a line. */
export function chartOption(report: Interval, measures: readonly Measure[], words: ChartWords): Record<string, unknown> {
  const parts = chartParts(report.columns)
  const slots = new Set(report.rows.map((r) => r.slot))
  const days = new Set(report.rows.map((r) => r.slot.slice(0, 10)))
  const bySlot = slots.size > 1 || report.rows.length <= 1
  const label = (l: Line) => (bySlot ? slotLabel(l.slot, days.size === 1) : words.name(l))
  const target = measures.find((m) => m.id === parts.rate)?.target ?? undefined
  const series: Record<string, unknown>[] = parts.bars.map((id) => ({
    name: words.of(id), type: 'bar', stack: 'count', barMaxWidth: 32, itemStyle: { color: words.color(id) }, data: report.rows.map((r) => r.measures[id] ?? 0),
  }))
  if (parts.rate) {
    const id = parts.rate
    series.push({
      name: words.of(id), type: 'line', yAxisIndex: 1, connectNulls: false, itemStyle: { color: words.color(id) }, lineStyle: { color: words.color(id) }, data: report.rows.map((r) => { const v = r.measures[id]; return v === null || v === undefined ? null : Math.round(v * 1000) / 10 }),
      ...(target ? { markLine: { silent: true, symbol: 'none', label: { formatter: `${words.target} ${(target * 100).toFixed(1)}%`, position: 'insideEndTop' }, lineStyle: { type: 'dashed' }, data: [{ yAxis: target * 100 }] } } : {}),
    })
  }
  return {
    tooltip: { trigger: 'axis' }, legend: { top: 0 }, grid: { left: 48, right: 48, top: 36, bottom: 28 },
    xAxis: { type: 'category', data: report.rows.map(label) },
    yAxis: [{ type: 'value', minInterval: 1 }, { type: 'value', min: 0, max: 100, axisLabel: { formatter: '{value}%' }, splitLine: { show: false } }],
    series,
  }
}

/** missed tells whether a figure fails its target, so that the table can mark it. */
export function missed(m: Measure | undefined, value: number | null | undefined): boolean {
  if (!m || m.target === null || m.target === undefined || value === null || value === undefined) return false
  return m.below ? value > m.target : value < m.target
}

/** wideRange: how many days a step may span at most (the server checks too); used to offer a longer step. */
export function longestFor(step: Step): number { return step.length === 2 ? 31 : step === 'day' ? 400 : 3700 }
