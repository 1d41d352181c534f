import { effectScope } from 'vue'
import { beforeEach, describe, expect, it } from 'vitest'
import { comboOf, currentKeys, defaultKeys, KeyMap, listenToKeys, onAction, refuseCombo, setKeys, useKeysOf } from '@kit/keys'

const press = (key: string, more: Partial<KeyboardEvent> = {}) => ({ key, code: '', ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more })

describe('a press has one name', () => {
  it.each([
    [press('F2'), 'F2'], [press('F4', { shiftKey: true }), 'Shift+F4'], [press('Enter', { ctrlKey: true }), 'Ctrl+Enter'], [press('k', { ctrlKey: true, code: 'KeyK' }), 'Ctrl+K'],
    [press('K', { ctrlKey: true, shiftKey: true, code: 'KeyK' }), 'Ctrl+Shift+K'], [press('ƙ', { altKey: true, code: 'KeyK' }), 'Alt+K'], [press('Shift', { shiftKey: true }), ''], [press('Process'), ''],
  ])('%o → %s', (e, name) => expect(comboOf(e)).toBe(name))
})
describe('keys that must stay free are refused', () => {
  it.each(['a', 'Enter', 'Space', 'Shift+A', 'F5', 'F11', 'Ctrl+W', 'Ctrl+C', ''])('%s', (c) => expect(refuseCombo(c)).not.toBeNull())
  it.each(['F2', 'F4', 'Shift+F9', 'Ctrl+Enter', 'Alt+1', 'Ctrl+F2'])('%s may be used', (c) => expect(refuseCombo(c)).toBeNull())
  it('accepts every default', () => Object.values(defaultKeys).forEach((c) => expect(refuseCombo(c)).toBeNull()))
})
describe('the map', () => {
  it('is one to one: a taken key leaves its old action', () => {
    const m = new KeyMap().with('mute', 'F4')
    expect(m.get('mute')).toBe('F4')
    expect(m.get('hold')).toBe('')
    expect(m.actionOf('F4')).toBe('mute')
    expect(m.actionOf('F8')).toBeUndefined()
  })
  it('survives storage; rubbish becomes the defaults', () => {
    const m = new KeyMap().with('answer', 'Ctrl+F2')
    expect(KeyMap.parse(JSON.stringify(m)).get('answer')).toBe('Ctrl+F2')
    expect(KeyMap.parse('{').get('answer')).toBe('F2')
    expect(KeyMap.parse('{"answer":"a","nonsense":"F2"}').get('answer')).toBe('F2')
  })
})
describe('the page', () => {
  beforeEach(() => {
    localStorage.clear()
    useKeysOf('1001')
  })
  it('runs the newest willing handler and keeps the browser out', () => {
    const stop = listenToKeys(window)
    const scope = effectScope()
    const done: string[] = []
    scope.run(() => {
      onAction('answer', () => { done.push('outer') })
      onAction('answer', () => (done.length > 0 ? (done.push('inner'), true) : false))
    })
    const first = new KeyboardEvent('keydown', { key: 'F2', cancelable: true })
    window.dispatchEvent(first)
    window.dispatchEvent(new KeyboardEvent('keydown', { key: 'F2', cancelable: true }))
    expect(done).toEqual(['outer', 'inner'])
    expect(first.defaultPrevented).toBe(true)
    scope.stop()
    const after = new KeyboardEvent('keydown', { key: 'F2', cancelable: true })
    window.dispatchEvent(after)
    expect(after.defaultPrevented).toBe(false)
    stop()
  })
  it('keeps a map per person', () => {
    setKeys(currentKeys().with('mute', 'Ctrl+F8'))
    useKeysOf('1002')
    expect(currentKeys().get('mute')).toBe('F8')
    useKeysOf('1001')
    expect(currentKeys().get('mute')).toBe('Ctrl+F8')
  })
})
