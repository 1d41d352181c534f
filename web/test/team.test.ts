import { describe, expect, it } from 'vitest'
import type { TeamAgent } from '@kit'
import { isOver, stateOf } from '../../modules/desk/ui/team'

const agent = (more: Partial<TeamAgent>): TeamAgent => ({ user: '1001', name: 'A', site: 'gz', state: 'away', since: 1_000_000, calls: [], ...more })
const call = (phase: 'talking' | 'held') => ({ contact: 'c', number: '139****0137', phase, since: 0 })

it('a state is too long only past its own limit', () => {
  expect(isOver(agent({}), 9e9)).toBe(false)
  expect(isOver(agent({ limit_ms: 60_000 }), 1_060_000)).toBe(false)
  expect(isOver(agent({ limit_ms: 60_000 }), 1_060_001)).toBe(true)
})
it('one whose only caller is on hold shows as holding', () => {
  expect(stateOf(agent({ state: 'talking', calls: [call('held')] }))).toBe('held')
  expect(stateOf(agent({ state: 'talking', calls: [call('held'), call('talking')] }))).toBe('talking')
  expect(stateOf(agent({ state: 'talking' }))).toBe('talking')
})

describe('how many offers were taken', () => {
  it('leaves out the one that still rings', async () => {
    const { pickupRate } = await import('../../modules/desk/ui/store')
    expect(pickupRate({ answered: 0, offered: 1 }, 1)).toBeNull()
    expect(pickupRate({ answered: 1, offered: 2 }, 1)).toBe(1)
    expect(pickupRate({ answered: 1, offered: 2 }, 0)).toBe(0.5)
    expect(pickupRate({ answered: 1, offered: 1 }, 1)).toBe(1) // the figures are a moment behind the ring
    expect(pickupRate({ answered: 0, offered: 0 }, 0)).toBeNull()
  })
})
