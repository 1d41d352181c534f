import type { TeamAgent } from '@kit'
import { expect, it } from 'vitest'
import { deedsOn } from './team'

const agent = (state: string, calls: object[] = []) => ({ user: '1001', name: '', site: 'gz', since: 0, state, calls }) as unknown as TeamAgent

it('offers a leader what can be done now, and what they may', () => {
  expect(deedsOn(agent('away'), () => true)).toEqual(['ready', 'skills', 'sign_out'])
  expect(deedsOn(agent('ready'), () => true)).toEqual(['away', 'skills', 'sign_out'])
  expect(deedsOn(agent('talking', [{ phase: 'talking' }]), (r) => r.startsWith('desk.call.'))).toEqual(['listen', 'whisper', 'barge', 'take_over', 'release', 'requeue'])
  expect(deedsOn(agent('talking', [{ phase: 'talking' }]), () => false)).toEqual([])
})

it('offers no listening to a secret call, only its end', () => {
  expect(deedsOn(agent('talking', [{ phase: 'talking', secret: true }]), (r) => r.startsWith('desk.call.'))).toEqual(['release', 'requeue'])
})
