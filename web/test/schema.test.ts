import { describe, expect, it } from 'vitest'
import { blank, check, kindOf, resolve, type Schema } from '@kit/schema'

const queue: Schema = {
  type: 'object', required: ['code', 'name'],
  properties: {
    $schema: { type: 'string', readOnly: true },
    code: { type: 'string', minLength: 1, maxLength: 16, pattern: '^[a-z0-9_-]+$' }, name: { type: 'string', minLength: 1 }, priority: { type: 'integer', minimum: 0, maximum: 9 },
    needs: { type: ['array', 'null'], items: { $ref: '#/$defs/Need' } }, rule: { type: 'string', enum: ['message', 'flow'] }, on: { type: 'boolean' }, password: { type: 'string', writeOnly: true },
    note: { type: 'string', maxLength: 2000 }, skills: { type: 'object', additionalProperties: { type: 'integer' } },
  },
  $defs: { Need: { type: 'object', required: ['skill'], properties: { skill: { type: 'string' }, level: { type: 'integer', minimum: 0, maximum: 4 } } } },
}
describe('how a value is edited', () => {
  it.each([['code', 'text'], ['priority', 'number'], ['needs', 'list'], ['rule', 'choice'], ['on', 'switch'], ['password', 'secret'], ['note', 'long'], ['skills', 'map']])('%s: %s', (name, kind) => {
    expect(kindOf(queue.properties![name]!, name)).toBe(kind)
  })
  it('follows references', () => expect(resolve(queue.properties!.needs!.items!, queue).required).toEqual(['skill']))
  it('starts an item with its required parts', () => {
    expect(blank(queue, queue)).toEqual({ code: '', name: '' })
    expect(blank(queue.properties!.needs!.items!, queue)).toEqual({ skill: '' })
  })
})
describe('what is wrong with a value, and where', () => {
  it.each([
    [{ code: 'vat', name: '增值税' }, []],
    [{ code: '', name: 'x' }, ['code shell.form.required']],
    [{ code: 'Vat!', name: 'x' }, ['code shell.form.pattern']],
    [{ code: 'vat', name: 'x', priority: 12 }, ['priority shell.form.maximum']],
    [{ code: 'vat', name: 'x', rule: 'maybe' }, ['rule shell.form.choice']],
    [{ code: 'vat', name: 'x', needs: [{ skill: 'a' }, { skill: '', level: 7 }] }, ['needs[1].skill shell.form.required', 'needs[1].level shell.form.maximum']],
  ])('%o', (value, want) => {
    expect(check(value, queue, queue).map((p) => `${p.path} ${p.key}`)).toEqual(want)
  })
})
