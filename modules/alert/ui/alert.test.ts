import { expect, it } from 'vitest'
import { valueOf } from './alerts'

it('writes a figure as it is read', () => {
  expect(valueOf('rate', 0.785)).toBe('78.5%')
  expect(valueOf('longest', 127)).toBe('2:07')
  expect(valueOf('waiting', 12)).toBe('12')
})
