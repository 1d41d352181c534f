import { expect, test } from 'vitest'
import { connect, figuresOf, freshId, layoutOf, portsOf, portTaken, renamed, tidied, without, type FlowGraph, type KindForm } from './flowgraph'

const kinds: KindForm[] = [
  { kind: 'menu', fields: ['keys', 'timeout', 'invalid', 'bypass'], required: ['keys'], ports: ['keys', 'timeout', 'invalid', 'bypass'], ends: false },
  { kind: 'play', fields: ['prompts', 'next'], required: ['next'], ports: ['next'], ends: false },
  { kind: 'hangup', fields: [], required: [], ports: [], ends: true },
]
const graph: FlowGraph = { code: 'f', name: 'f', start: 'menu', nodes: [
  { id: 'menu', kind: 'menu', keys: [{ key: '1', name: 'one', to: 'hello' }, { key: '*', to: 'menu' }], timeout: 'end', invalid: 'end', bypass: 'hello' },
  { id: 'hello', kind: 'play', next: 'end' },
  { id: 'end', kind: 'hangup' },
  { id: 'loose', kind: 'hangup' },
] }

test('the ports of a node, in the order of its form', () => {
  expect(portsOf(graph.nodes[0]!, kinds).map((p) => `${p.field} ${p.label} ${p.to}`)).toEqual(['keys[0] 1 one hello', 'keys[1] * menu', 'timeout  end', 'invalid  end', 'bypass  hello'])
})
test('connecting, renaming and taking out keep the rest', () => {
  expect(connect(graph.nodes[0]!, 'keys[1]', 'end').keys![1]).toEqual({ key: '*', to: 'end' })
  expect(portsOf(renamed(graph, 'end', 'over', kinds).nodes[0]!, kinds).filter((p) => p.to === 'over')).toHaveLength(2)
  const less = without(graph, 'hello', kinds)
  expect(less.nodes).toHaveLength(3)
  expect(portsOf(less.nodes[0]!, kinds).map((p) => p.to)).toEqual(['', 'menu', 'end', 'end', ''])
  expect(without(graph, 'menu', kinds).start).toBe('hello')
  expect(freshId(graph, 'menu')).toBe('menu_2')
})
test('what is empty is left out, a key without a target stays', () => {
  const g = tidied(without({ ...graph, nodes: [{ ...graph.nodes[0]!, name: '', served: false }, ...graph.nodes.slice(1)] }, 'hello', kinds))
  expect(g.nodes[0]).toEqual({ id: 'menu', kind: 'menu', keys: [{ key: '1', name: 'one', to: '' }, { key: '*', to: 'menu' }], timeout: 'end', invalid: 'end' })
})
test('columns by distance from the start; what nothing leads to stands below', () => {
  const at = layoutOf(graph, kinds)
  expect(at.menu![0]).toBeLessThan(at.hello![0])
  expect(at.hello![0]).toBeLessThan(at.end![0])
  expect(at.loose![1]).toBeGreaterThan(at.menu![1])
  expect(Object.keys(layoutOf({ ...graph, nodes: graph.nodes.map((n) => (n.id === 'end' ? { id: 'end', kind: 'play', next: 'menu' } : n)) }, kinds))).toHaveLength(4)
})
test('figures come to the port that was taken', () => {
  const menu = graph.nodes[0]!
  const taken = (port: string, to: string) => portTaken(menu, { node: 'menu', what: 'taken', port, to, n: 1 }, kinds)
  expect([taken('key:1', 'hello'), taken('key:*', 'menu'), taken('timeout', 'end'), taken('invalid', 'end'), taken('', 'hello'), taken('', 'end'), taken('key:1', 'end')]).toEqual(['keys[0]', 'keys[1]', 'timeout', 'invalid', 'bypass', 'timeout', ''])
  const f = figuresOf(graph, [
    { node: '', what: 'entered', port: '', to: '', n: 10 }, { node: 'menu', what: 'visit', port: '', to: '', n: 10 },
    { node: 'menu', what: 'timeout', port: '', to: '', n: 5 }, { node: 'menu', what: 'taken', port: 'timeout', to: 'end', n: 2 },
    { node: 'menu', what: 'taken', port: 'key:1', to: 'hello', n: 6 }, { node: 'menu', what: 'left', port: '', to: '', n: 1 }, { node: 'menu', what: 'lost', port: '', to: '', n: 1 },
  ], kinds).get('menu')
  expect(f).toEqual({ visits: 10, pressed: 0, silent: 5, wrong: 0, repeats: 3, reached: 0, left: 2, served: 0, ports: { timeout: 2, 'keys[0]': 6 } })
})
