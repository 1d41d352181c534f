import { expect, it } from 'vitest'
import { backOption, shareOf, waitClasses, type GiveUpLine } from './giveups'

const line = { key: 'vat', name: 'VAT', gave_up: 10, unknown: 2, back_soon: 4, back_day: 1, back_week: 1, back_no: 2 } as GiveUpLine

it('shares are of those whose number is known', () => {
  expect(shareOf(line, 4)).toBe('50.0%')
  expect(shareOf({ ...line, gave_up: 2 }, 0)).toBe('–')
})

it('names the classes of waits', () => {
  expect(waitClasses([5000, 300000])).toEqual(['≤0:05', '≤5:00', '>5:00'])
})

it('charts one bar a row, and the total where there are no rows', () => {
  const words = { of: (k: string) => k, color: () => '' }
  const option = backOption({ rows: [], total: line, edges: [] }, words) as { series: { data: number[] }[] }
  expect(option.series.map((s) => s.data[0])).toEqual([4, 1, 1, 2, 2])
})
