import { expect, it } from 'vitest'
import { dueOf, share } from './outbound'

it('says how much of a list is done with', () => {
  expect(share({ people: 4, states: { closed: 1, pending: 3 } })).toBe(0.25)
  expect(share({ people: 0, states: {} })).toBe(0)
})

it('reads when to call again', () => {
  expect(dueOf('')).toBe(0)
  expect(dueOf('no day')).toBe(0)
  expect(dueOf('2026-11-24T10:00')).toBe(new Date(2026, 10, 24, 10).getTime())
})
