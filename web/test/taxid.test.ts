import { describe, expect, it } from 'vitest'
import { checkTaxId, organisationCheck, personCheck, tidyTaxId, usccCheck, type TaxIdState } from '@kit/taxid'

// Made-up codes with their bad-check twins, from an independent implementation of GB 32100-2015.
const twins = [
  ['91440103MA99QUKA41', '91440103MA99QUKA40'],
  ['91440104MA92G19B2M', '91440104MA92G19B20'],
  ['91440105MA9D98YA49', '91440105MA9D98YA40'],
  ['91440106MA9HKKM7X6', '91440106MA9HKKM7X0'],
  ['91440111MA9R9A8A7Q', '91440111MA9R9A8A70'],
  ['91440112MA9CP2FB1E', '91440112MA9CP2FB10'],
  ['91440113MA9HTA6F58', '91440113MA9HTA6F50'],
  ['91440114MA9RCGHPXB', '91440114MA9RCGHPX0'],
  ['91440115MA9PPLCC4H', '91440115MA9PPLCC40'],
  ['91440117MA95LLPA0Q', '91440117MA95LLPA00'],
  ['91440118MA9X40JD2M', '91440118MA9X40JD20'],
  ['91440103MA9T444WXN', '91440103MA9T444WX0'],
  ['91440104MA96K89A9E', '91440104MA96K89A90'],
  ['91440105MA9XXATR6T', '91440105MA9XXATR60'],
  ['91440106MA9G4FA205', '91440106MA9G4FA200'],
  ['91440111MA9N6MUC64', '91440111MA9N6MUC60'],
  ['91440112MA9E6R8X37', '91440112MA9E6R8X30'],
  ['91440113MA94R1HR6R', '91440113MA94R1HR60'],
  ['91440114MA9DWCT74G', '91440114MA9DWCT740'],
  ['91440115MA99N7AD6K', '91440115MA99N7AD60'],
  ['91440117MA9NE77W6J', '91440117MA9NE77W60'],
  ['91440118MA9CNB43XE', '91440118MA9CNB43X0'],
  ['91440103MA9J60M70M', '91440103MA9J60M700'],
  ['91440104MA9HGUNW60', '91440104MA9HGUNW61'],
  ['91440105MA907QYA0F', '91440105MA907QYA00'],
  ['91440106MA9NK3642K', '91440106MA9NK36420'],
  ['91440111MA98RUH67J', '91440111MA98RUH670'],
  ['91440112MA97XJQ74U', '91440112MA97XJQ740'],
  ['91440113MA9M5J6D7X', '91440113MA9M5J6D70'],
  ['91440114MA9G6Q4J2W', '91440114MA9G6Q4J20'],
  ['91440115MA94DEBD2W', '91440115MA94DEBD20'],
  ['91440117MA9TCWQY6P', '91440117MA9TCWQY60'],
  ['91440118MA91CYE600', '91440118MA91CYE601'],
  ['91440103MA9AY0BJ3N', '91440103MA9AY0BJ30'],
  ['91440104MA9YLL4M11', '91440104MA9YLL4M10'],
  ['91440105MA9M4R5R1A', '91440105MA9M4R5R10'],
  ['91440106MA9K4JE63N', '91440106MA9K4JE630'],
  ['91440111MA91PKCB1D', '91440111MA91PKCB10'],
  ['91440112MA9XCHYE69', '91440112MA9XCHYE60'],
  ['91440113MA99CN2L49', '91440113MA99CN2L40'],
  ['91440114MA9MQLXW4N', '91440114MA9MQLXW40'],
  ['91440115MA9HLUR82W', '91440115MA9HLUR820'],
  ['91440117MA985MYK8D', '91440117MA985MYK80'],
  ['91440118MA9R9M5U4L', '91440118MA9R9M5U40'],
] as const

describe('social credit codes (GB 32100-2015)', () => {
  it.each(twins)('%s is right, %s is not', (good, bad) => {
    expect(usccCheck(good.slice(0, 17))).toBe(good[17])
    expect(checkTaxId(good)).toEqual({ state: 'ok', kind: 'uscc18' })
    expect(checkTaxId(bad)).toEqual({ state: 'bad', problem: 'check' })
  })
  it('two companies as they print it themselves', () => {
    for (const code of ['914403001922038216', '9144030071526726XG']) expect(checkTaxId(code).state).toBe('ok')
  })
  it('finds every single wrong character of the body', () => {
    const good = twins[0][0]
    for (let i = 8; i < 17; i++) {
      const wrong = good.slice(0, i) + (good[i] === '7' ? '8' : '7') + good.slice(i + 1)
      expect(checkTaxId(wrong).state, wrong).toBe('bad')
    }
  })
})

describe('while it is typed', () => {
  const cases: [string, boolean, TaxIdState][] = [
    ['', false, { state: 'empty' }],
    ['  ', true, { state: 'empty' }],
    ['9144', false, { state: 'partial', left: 14 }],
    ['9144', true, { state: 'bad', problem: 'length' }],
    ['91440103MA99QUKA4', false, { state: 'partial', left: 1 }],
    ['9144010 3ma99-quka41', false, { state: 'ok', kind: 'uscc18' }],
    ['91440103MA99QUKA41', false, { state: 'ok', kind: 'uscc18' }],
    ['91440103MO99QUKA41', false, { state: 'bad', problem: 'symbol', at: 10 }],
    ['9144?', false, { state: 'bad', problem: 'symbol', at: 5 }],
    ['91X40103MA99QUKA41', false, { state: 'bad', problem: 'area' }],
    ['91440103MA99QUKA411', false, { state: 'bad', problem: 'length' }],
  ]
  it.each(cases)('%s (left: %s)', (text, final, want) => {
    expect(checkTaxId(text, final)).toEqual(want)
  })
})

describe('persons: 18, and 18 + 2', () => {
  const body = '44010619900307123'
  const id = body + personCheck(body)
  it('knows a right one', () => expect(checkTaxId(id)).toEqual({ state: 'ok', kind: 'person18' }))
  it('knows a wrong check digit', () => expect(checkTaxId(body + (id[17] === '1' ? '2' : '1'))).toEqual({ state: 'bad', problem: 'check' }))
  it('knows a day that never was', () => {
    const never = '44010619900231123'
    expect(checkTaxId(never + personCheck(never))).toEqual({ state: 'bad', problem: 'date' })
  })
  it('takes two more digits', () => {
    expect(checkTaxId(`${id}0`)).toEqual({ state: 'partial', left: 1 })
    expect(checkTaxId(`${id}01`)).toEqual({ state: 'ok', kind: 'person20' })
    expect(checkTaxId(`${id}0`, true)).toEqual({ state: 'bad', problem: 'length' })
    expect(checkTaxId(`${id}012`).state).toBe('bad')
  })
  it('weighs as the published vector of GB 11643-1999 does', () => expect(personCheck('11010519491231002')).toBe('X'))
})

describe('the old 15: area and organisation code (GB 11714-1997)', () => {
  const code = '71526726'
  it('knows the check of an organisation code', () => expect(organisationCheck(code)).toBe('X'))
  it('is right at 15, and may still become 18', () => {
    expect(checkTaxId(`440301${code}X`)).toEqual({ state: 'ok', kind: 'legacy15' })
    expect(checkTaxId(`440301${code}1`)).toEqual({ state: 'partial', left: 3 })
    expect(checkTaxId(`440301${code}1`, true)).toEqual({ state: 'bad', problem: 'check' })
  })
})

it('tidies full width, case, blanks', () => expect(tidyTaxId(' 91440103ma99-quka41 ')).toBe('91440103MA99QUKA41'))
