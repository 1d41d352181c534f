import { describe, expect, it } from 'vitest'
import { bytes, count, date, dateTime, duration, percent, shortDate, setZone, time } from '@kit/format'
import { toMs } from '@kit/clock'

describe('durations are 0:42, 12:07, 1:02:07', () => {
  it.each([[0, '0:00'], [999, '0:00'], [42_000, '0:42'], [727_000, '12:07'], [3_727_000, '1:02:07'], [-5, '0:00'], [null, '–'], [undefined, '–'], [Number.NaN, '–']])('%s → %s', (ms, text) => {
    expect(duration(ms)).toBe(text)
  })
})
describe('percentages have one decimal', () => {
  it.each([[0.914, '91.4%'], [1, '100.0%'], [0, '0.0%'], [null, '–']])('%s → %s', (share, text) => {
    expect(percent(share)).toBe(text)
  })
})
describe('counts are grouped', () => {
  it.each([[0, '0'], [999, '999'], [1234, '1,234'], [1234567, '1,234,567'], [null, '–']])('%s → %s', (n, text) => {
    expect(count(n)).toBe(text)
  })
})
describe('dates name the weekday in the reader’s language', () => {
  const monday = new Date(2014, 10, 3, 9, 5, 7).getTime()
  it('writes day and time', () => {
    expect(date(monday, 'zh')).toBe('2014-11-03 周一')
    expect(date(monday, 'en')).toBe('2014-11-03 Mon')
    expect(time(monday)).toBe('09:05')
    expect(time(monday, true)).toBe('09:05:07')
    expect(dateTime(monday)).toBe('2014-11-03 09:05')
  })
  it('shortens by nearness', () => {
    expect(shortDate(monday, monday + 1000)).toBe('09:05')
    expect(shortDate(monday, new Date(2014, 11, 1).getTime())).toBe('11-03')
    expect(shortDate(monday, new Date(2015, 1, 1).getTime())).toBe('2014-11-03')
  })
  it('shows nothing for no moment', () => {
    expect(date(null)).toBe('–')
    expect(date(0)).toBe('–')
    expect(date('0001-01-01T00:00:00Z')).toBe('–')
  })
})
describe('moments come as milliseconds or RFC 3339', () => {
  it.each([[1_700_000_000_000, 1_700_000_000_000], ['2023-11-14T22:13:20Z', 1_700_000_000_000], ['2023-11-15T06:13:20+08:00', 1_700_000_000_000], ['', null], [null, null], [0, null], ['x', null]])('%s', (m, ms) => {
    expect(toMs(m)).toBe(ms)
  })
})
it('sizes', () => {
  expect([bytes(0), bytes(1023), bytes(1536), bytes(3 * 1024 ** 3)]).toEqual(['0 B', '1023 B', '1.5 KB', '3.0 GB'])
})

describe('the bureau’s zone', () => {
  it('shows the bureau’s day wherever the reader sits', () => {
    setZone('Asia/Shanghai')
    const late = Date.UTC(2026, 10, 23, 19, 17, 24)
    expect(dateTime(late, true)).toBe('2026-11-24 03:17:24')
    expect(date(late)).toBe('2026-11-24 周二')
    expect(time(Date.UTC(2026, 10, 23, 16, 0, 0))).toBe('00:00')
    expect(shortDate(late, late + 1000)).toBe('03:17')
    setZone('Nowhere/None')
    expect(dateTime(late)).toMatch(/^2026-11-2[34] /)
    setZone(undefined)
  })
})
