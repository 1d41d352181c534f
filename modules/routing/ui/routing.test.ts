import { expect, it } from 'vitest'
import { edgesOf, nodeOf, treeOf, type Flow } from './flowtree'
import { levelOf, moveIn, next, withLevel } from './levels'
import { columnsOf, groupSections, prepare, refsOf, schemaAt, tidy, type HouseSchema, type Listing } from './prep'
import { wavOf } from './wav'
import { toYAML } from './yaml'
import { hoursOf, lunchOf, monthsOf, sumOf, type Day } from './year'

const queue: HouseSchema = {
  type: 'object', required: ['code', 'name'], 'x-order': ['code', 'name', 'site', 'needs', 'ring_s'],
  properties: {
    code: { type: 'string' }, name: { type: 'string', description: 'the name' }, ring_s: { type: 'integer', description: '振铃' }, site: { type: 'string', 'x-ref': 'sites' },
    needs: { type: 'array', items: { type: 'object', properties: { skill: { type: 'string', 'x-ref': 'skills' }, level: { type: 'integer' } } } },
  },
}
const say = { locale: 'zh', has: (k: string) => k === 'section.queues.name', t: () => '名称' }

it('a schema becomes a form: its fields in order, titles from the texts, no hint in another language', () => {
  const s = prepare(queue, 'queues', say)
  expect(Object.keys(s.properties!)).toEqual(['code', 'name', 'site', 'needs', 'ring_s'])
  expect([s.properties!.name!.title, s.properties!.name!.description, s.properties!.ring_s!.description]).toEqual(['名称', undefined, '振铃'])
  expect(schemaAt(s, 'needs[0].skill')?.['x-ref']).toBe('skills')
  expect(schemaAt({ properties: { roles: { type: 'array', items: { 'x-ref': 'roles' } } } }, 'roles[]')?.['x-ref']).toBe('roles')
  expect(schemaAt(s, 'nothing.here')).toBeUndefined()
  expect(refsOf(s).sort()).toEqual(['sites', 'skills'])
  expect(columnsOf(s, 'code', 4)).toEqual(['code', 'name', 'site', 'needs'])
})

it('an emptied field is not sent; what is required stays', () => {
  expect(tidy({ code: 'vat', name: '', site: '', needs: [{ skill: 'vat', level: 0 }, {}], ring_s: null }, queue)).toEqual({ code: 'vat', name: '', needs: [{ skill: 'vat', level: 0 }, {}] })
  expect(tidy({ text: { zh: '好', en: '' } }, { properties: { text: { additionalProperties: { type: 'string' } } } })).toEqual({ text: { zh: '好' } })
})

it('sections stand in their groups, those nobody placed come last', () => {
  const l = (key: string) => ({ key }) as Listing
  expect(groupSections([l('queues'), l('users'), l('brand_new')]).map((g) => [g.group, g.list.map((x) => x.key)])).toEqual([['people', ['users']], ['routing', ['queues']], ['other', ['brand_new']]])
})

const flow: Flow = { code: 'main', start: 'menu', nodes: [
  { id: 'menu', kind: 'menu', keys: [{ key: '1', name: '增值税', name_en: 'VAT', to: 'q' }, { key: '*', to: 'menu' }], timeout: 'q', invalid: 'gone' },
  { id: 'q', kind: 'queue', queue: 'vat', failed: 'flow:closing' }, { id: 'island', kind: 'hangup' },
] }
it('a flow is read as a tree: each step once, loops and other flows named, what nothing leads to at the end', () => {
  const { lines, loose } = treeOf(flow)
  expect(lines.map((b) => [b.depth, b.to, b.again, b.node !== null])).toEqual([
    [0, 'menu', false, true], [1, 'q', false, true], [2, 'flow:closing', false, false], [1, 'menu', true, true], [1, 'q', true, true], [1, 'gone', false, false],
  ])
  expect(loose.map((n) => n.id)).toEqual(['island'])
  expect(edgesOf(flow.nodes[0]!, 'en')[0]!.label).toBe('1 VAT')
  expect([nodeOf('flows[main].nodes[menu].keys[1].to'), nodeOf('queues[vat].name'), nodeOf(undefined)]).toEqual(['menu', undefined, undefined])
})

it('YAML: values that could be read as something else are quoted', () => {
  expect(toYAML({ a: '08:30-12:00', b: 'yes', c: '001', d: 1, e: true, f: '增值税', g: '', h: '*', i: 'x: y' })).toBe('a: "08:30-12:00"\nb: "yes"\nc: "001"\nd: 1\ne: true\nf: 增值税\ng: ""\nh: "*"\ni: "x: y"\n')
  expect(toYAML([{ code: 'm', nodes: [{ id: 'a', keys: [{ key: '1', to: 'b' }] }] }], 2)).toBe('  - code: m\n    nodes:\n      - id: a\n        keys:\n          - {key: "1", to: b}\n')
  expect(toYAML({ prompts: ['a', 'b'], none: [] })).toBe('prompts: [a, b]\nnone: []\n')
})

it('the matrix: digits set, Delete clears, a click adds one and begins anew after 4; arrows stay inside', () => {
  expect([levelOf('3'), levelOf('5'), levelOf('Delete'), levelOf('a')]).toEqual([3, undefined, null, undefined])
  expect([next(undefined), next(1), next(4)]).toEqual([1, 2, null])
  expect([moveIn('ArrowUp', 0, 2, 5, 4), moveIn('ArrowRight', 1, 3, 5, 4), moveIn('End', 1, 0, 5, 4), moveIn('x', 0, 0, 1, 1)]).toEqual([[0, 2], [1, 3], [1, 3], undefined])
  expect([withLevel({ vat: 1 }, 'vat', null), withLevel({}, 'cit', 0)]).toEqual([{}, { cit: 0 }])
})

it('hours are read as people write them, and refused when they run backward', () => {
  expect(hoursOf('08:30-12:00, 14:00-17:30')).toEqual(['08:30-12:00', '14:00-17:30'])
  expect(hoursOf('8:30–12:00、14:00—17:30')).toEqual(['08:30-12:00', '14:00-17:30'])
  expect([hoursOf(''), hoursOf('12:00-08:00'), hoursOf('25:00-26:00'), hoursOf('morning')]).toEqual([[], null, null, null])
  expect([lunchOf(['14:00-17:30', '08:30-12:00']), lunchOf(['08:30-17:30'])]).toEqual(['12:00-14:00', ''])
})

it('a year is laid out in weeks from Monday', () => {
  const d = (date: string, kind: Day['kind'], minutes: number): Day => ({ date, kind, hours: [], minutes })
  const m = monthsOf([d('2026-01-31', 'rest', 0), d('2026-02-01', 'swapped', 420), d('2026-02-02', 'work', 420)])
  expect(m.map((x) => [x.month, x.cells.length])).toEqual([[1, 6], [2, 8]])
  expect(m[1]!.cells.slice(0, 6).every((c) => c === null)).toBe(true)
  expect(sumOf([d('2026-02-01', 'swapped', 420), d('2026-02-02', 'off', 0)])).toEqual({ open: 1, off: 1, swapped: 1, hours: 7 })
})

it('a recording becomes a WAV file of the house: 8 kHz, 16 bit, one channel', () => {
  const v = new DataView(wavOf(new Float32Array(48_000).fill(0.5), 48_000))
  const word = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => v.getUint8(at + i)))
  expect([word(0), word(8), v.getUint16(22, true), v.getUint32(24, true), v.getUint16(34, true), v.getUint32(40, true)]).toEqual(['RIFF', 'WAVE', 1, 8000, 16, 16_000])
  expect(v.getInt16(44, true)).toBe(16384)
  expect(new DataView(wavOf(new Float32Array([2, -2]), 8000)).getInt16(44, true)).toBe(32767)
})
