import { expect, it } from 'vitest'
import { ringText } from './missed'

it('says when somebody is to be rung', () => {
  const now = Date.parse('2026-11-24T02:00:00Z')
  const row = { state: 'open' as const, ring_day: '2026-11-24', again_at: 0 }
  expect(ringText(row, '2026-11-24', now).late).toBe(false)
  expect(ringText({ ...row, ring_day: '2026-11-23' }, '2026-11-24', now).late).toBe(true)
  expect(ringText({ ...row, ring_day: '2026-11-25' }, '2026-11-24', now).text).toBe('11-25')
  expect(ringText({ ...row, again_at: now + 3600_000 }, '2026-11-24', now).late).toBe(false)
  expect(ringText({ ...row, state: 'reached' }, '2026-11-24', now).text).toBe('')
})
