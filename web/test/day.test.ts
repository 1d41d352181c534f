import { createApp, h, nextTick, ref, type Component } from 'vue'
import { beforeEach, describe, expect, it } from 'vitest'
import { i18n, setLocale } from '../src/i18n'
import DateField from '../src/kit/DateField.vue'
import TimeField from '../src/kit/TimeField.vue'
import { addMonths, monthSheet, readClock, readDay } from '../src/kit/day'

const today = '2026-11-24'

describe('a day is read as people type it', () => {
  it.each([
    ['2026-11-24', '2026-11-24'], ['2026-1-5', '2026-01-05'], ['2026/11/24', '2026-11-24'], ['2026.11.24', '2026-11-24'], ['2026年1月5日', '2026-01-05'],
    ['20261124', '2026-11-24'], ['11-3', '2026-11-03'], ['3/4', '2026-03-04'], ['0304', '2026-03-04'], [' 2024-02-29 ', '2024-02-29'],
    ['2026-02-29', null], ['2026-13-01', null], ['13/1', null], ['tomorrow', null], ['', null], ['2026-11', null],
  ])('%s', (text, day) => expect(readDay(text, today)).toBe(day))
})

describe('a time of day is read as people type it', () => {
  it.each([['08:30', '08:30'], ['8:30', '08:30'], ['0830', '08:30'], ['830', '08:30'], ['8', '08:00'], ['23:59', '23:59'], ['8点30分', '08:30'], ['8:5', '08:05'], ['24:00', null], ['8:60', null], ['noon', null], ['', null]])('%s', (text, clock) => expect(readClock(text)).toBe(clock))
})

it('a month is six weeks from Monday on', () => {
  const sheet = monthSheet('2026-11-24')
  expect(sheet.map((w) => w.length)).toEqual([7, 7, 7, 7, 7, 7])
  expect([sheet[0]![0], sheet[0]![6], sheet[5]![6]]).toEqual(['2026-10-26', '2026-11-01', '2026-12-06'])
})

it('months are counted from the last day of a shorter one', () => {
  expect([addMonths('2026-01-31', 1), addMonths('2026-03-31', -1), addMonths('2026-11-24', 12), addMonths('2024-02-29', -12)]).toEqual(['2026-02-28', '2026-02-28', '2027-11-24', '2023-02-28'])
})

/** shown mounts a field with its value. */
function shown(field: Component, value: string, more: Record<string, unknown> = {}) {
  const model = ref(value)
  const box = document.createElement('div')
  document.body.replaceChildren(box)
  createApp({ render: () => h(field, { label: 'Day', ...more, modelValue: model.value, 'onUpdate:modelValue': (v: string) => { model.value = v } }) }).use(i18n).mount(box)
  const input = box.querySelector('input')!
  const type = async (text: string) => { input.value = text; input.dispatchEvent(new Event('input')); input.dispatchEvent(new Event('change')); await nextTick() }
  const key = async (on: Element, name: string, more: KeyboardEventInit = {}) => { on.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...more })); await nextTick(); await nextTick() }
  return { model, box, input, type, key }
}

describe('the field for a day', () => {
  beforeEach(() => setLocale('zh'))
  it('shows the day the same in every browser, with its weekday', () => {
    const { input, box } = shown(DateField, '2026-11-24')
    expect([input.type, input.value, box.querySelector('.week')!.textContent]).toEqual(['text', '2026-11-24', '周二'])
  })
  it('takes what was typed when it is left, and says what it cannot read', async () => {
    const { model, box, input, type } = shown(DateField, '2026-11-24')
    await type('2026/11/3')
    expect([model.value, input.value]).toEqual(['2026-11-03', '2026-11-03'])
    await type('2026-02-30')
    expect([model.value, input.getAttribute('aria-invalid')]).toEqual(['2026-11-03', 'true'])
    expect(box.querySelector('[role=alert]')!.textContent).toContain('年-月-日')
    await type('')
    expect([model.value, box.querySelector('[role=alert]')]).toEqual(['', null])
  })
  it('keeps its day when one is required, and stays between its ends', async () => {
    const { model, input, type } = shown(DateField, '2026-11-24', { required: true, min: '2026-11-01', max: '2026-11-30' })
    await type('')
    expect([model.value, input.value]).toEqual(['2026-11-24', '2026-11-24'])
    await type('2026-12-01')
    expect([model.value, input.getAttribute('aria-invalid')]).toEqual(['2026-11-24', 'true'])
  })
  it('is worked by keys alone', async () => {
    const { model, box, input, key } = shown(DateField, '2026-11-24')
    await key(input, 'ArrowUp')
    expect(model.value).toBe('2026-11-23')
    await key(input, 'ArrowDown', { altKey: true })
    const sheet = box.querySelector('[role=dialog]')!
    await key(sheet, 'PageDown')
    await key(sheet, 'ArrowRight')
    const day = sheet.querySelector<HTMLElement>('.day[tabindex="0"]')!
    expect(day.querySelector('.k-sr')!.textContent).toBe('2026-12-24 周四')
    day.click()
    await nextTick()
    expect([model.value, box.querySelector('[role=dialog]')]).toEqual(['2026-12-24', null])
  })
})

it('the field for a time has 24 hours in both languages', async () => {
  const { model, input, type, key } = shown(TimeField, '17:30')
  expect([input.type, input.value]).toEqual(['text', '17:30'])
  await type('830')
  expect(model.value).toBe('08:30')
  await type('25:00')
  expect([model.value, input.getAttribute('aria-invalid')]).toEqual(['08:30', 'true'])
  await type('9')
  await key(input, 'ArrowUp')
  expect(model.value).toBe('09:15')
})
