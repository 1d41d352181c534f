import { duration, percent } from '@kit'

/** Who gave up waiting, as the API gives it. */
export interface GiveUpLine {
  key: string; name: string; gave_up: number; wait_ms: number; median_ms: number; longest_ms: number
  back_soon: number; back_day: number; back_week: number; back_no: number
  met_came: number; met_called: number; met_no: number; unknown: number; young: number; waits: number[]
}
export interface GiveUpReport { rows: GiveUpLine[]; total: GiveUpLine; edges: number[] }
export interface GiveUp { contact: string; at: number; number: string; site: string; queue: string; queue_name: string; wait_ms: number; back: string; back_ms: number; met: string }

export const givenBy = ['queue', 'site', 'day'] as const
export type GivenBy = (typeof givenBy)[number]

/** What a click on a figure asks the list for. */
export interface Behind { key: string; name: string; back?: string; met?: string; class?: number; title: string; n: number }

/** figures of a line that open their contacts, in the order of the table. */
export const figures = [
  { key: 'gave_up', ask: {} }, { key: 'back_soon', ask: { back: 'soon' } }, { key: 'back_day', ask: { back: 'day' } }, { key: 'back_week', ask: { back: 'week' } }, { key: 'back_no', ask: { back: 'no' } },
  { key: 'met_came', ask: { met: 'came' } }, { key: 'met_called', ask: { met: 'called' } }, { key: 'met_no', ask: { met: 'no' } }, { key: 'unknown', ask: { back: 'unknown' } },
] as const

/** shareOf writes a part of a line's people as a share of those whose number is known. */
export function shareOf(l: GiveUpLine, part: number): string {
  const known = l.gave_up - l.unknown
  return percent(known > 0 ? part / known : null)
}

/** waitClasses names the classes of waits: up to 5 s … above 5:00. */
export function waitClasses(edges: readonly number[]): string[] {
  return [...edges.map((e) => `≤${duration(e)}`), `>${duration(edges[edges.length - 1] ?? 0)}`]
}

/** backOption is a chart of when people came back: bars that add up, by row. Days stand in a line; names lie one under the other, so that each can be read. */
export function backOption(r: GiveUpReport, words: { of: (key: string) => string; color: (key: string) => string }): Record<string, unknown> {
  const rows = r.rows.length ? r.rows : [r.total]
  const days = /^\d{4}-\d\d-\d\d$/.test(rows[0]!.key)
  return {
    tooltip: { trigger: 'axis' }, legend: { type: 'scroll', top: 0 },
    ...(days
      ? { grid: { left: 44, right: 16, top: 36, bottom: 28 }, xAxis: { type: 'category', data: rows.map((l) => l.key.slice(5)), axisLabel: { hideOverlap: true } }, yAxis: { type: 'value', minInterval: 1 } }
      : { grid: { left: 156, right: 16, top: 36, bottom: 28 }, xAxis: { type: 'value', minInterval: 1 }, yAxis: { type: 'category', inverse: true, data: rows.map((l) => l.name || l.key), axisLabel: { interval: 0, width: 142, overflow: 'truncate' } } }),
    series: (['back_soon', 'back_day', 'back_week', 'back_no', 'unknown'] as const).filter((k) => k !== 'unknown' || r.total.unknown > 0)
      .map((k) => ({ name: words.of(k), type: 'bar', stack: 'back', barMaxWidth: 32, itemStyle: { color: words.color(k) }, data: rows.map((l) => l[k]) })),
  }
}

/** waitOption is a chart of how long people waited before they gave up. */
export function waitOption(r: GiveUpReport, name: string, color: string): Record<string, unknown> {
  return {
    tooltip: { trigger: 'axis' }, grid: { left: 44, right: 16, top: 16, bottom: 28 },
    xAxis: { type: 'category', data: waitClasses(r.edges) }, yAxis: { type: 'value', minInterval: 1 },
    series: [{ name, type: 'bar', barMaxWidth: 32, itemStyle: { color }, data: r.total.waits }],
  }
}
