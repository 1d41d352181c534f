import { describe, expect, it } from 'vitest'
import { initials, initialsOf, matches, matchesInitials, rankOf } from '@kit/pinyin'

describe('initials come from the collation, several readings from the table', () => {
  it.each([['增值税', 'zzs'], ['企业所得税', 'qysds'], ['个人所得税', 'grsds'], ['出口退税', 'cktss'.slice(0, 4)], ['数电票', 'sdp'], ['办理进度', 'bljd'], ['电子税务局', 'dzswj'], ['信用级别', 'xyjb'], ['重复来电', 'cfld'], ['会计', 'kj'], ['汇算清缴', 'hsqj'], ['印花税', 'yhs'], ['非税收入', 'fssr'], ['跨区迁移', 'kqqy'], ['登记变更注销', 'djbgzx'], ['骚扰', 'sr'], ['涉税鉴证', 'ssjz'], ['办税流程', 'bslc'], ['短信与登录', 'dxydl'], ['萝岗区', 'lgq'], ['耕地占用税', 'gdzys'], ['车船税', 'ccs'], ['如实入账', 'rsrz'], ['日常认证', 'rcrz'], ['萨摩挖他', 'smwt'], ['二手房', 'esf'], ['安全', 'aq'], ['欧元', 'oy']])('%s ← %s', (text, typed) => {
    expect(matchesInitials(text, typed)).toBe(true)
  })
  it('starts anywhere, keeps order', () => {
    expect(matchesInitials('税费政策增值税', 'zzs')).toBe(true)
    expect(matchesInitials('增值税', 'szz')).toBe(false)
  })
  it('reads Latin as it stands', () => expect(initials('税务UKey')).toEqual(['s', 'w', 'u', 'k', 'e', 'y']))
})
describe('matching', () => {
  it('by code, words, initials', () => {
    expect(matches('01', '0101', '增值税')).toBe(true)
    expect(matches('值税', '0101', '增值税')).toBe(true)
    expect(matches('zz', '0101', '增值税')).toBe(true)
    expect(matches('x', '0101', '增值税')).toBe(false)
    expect(matches('', '0101', '增值税')).toBe(true)
  })
  it('ranks a beginning before a middle, the word before its group', () => {
    const q = 'sd'
    const order = ['数电票', '企业所得税'].map((t) => rankOf(q, '', t, `办税流程${t}`))
    expect(order[0]).toBeLessThan(order[1]!)
  })
})

describe('the 3 755 common characters', () => {
  // Level 1 of GB 2312-80 is itself in the order of pinyin; these are the codes where each letter begins.
  const begins: [string, number][] = [['a', 0xb0a1], ['b', 0xb0c5], ['c', 0xb2c1], ['d', 0xb4ee], ['e', 0xb6ea], ['f', 0xb7a2], ['g', 0xb8c1], ['h', 0xb9fe], ['j', 0xbbf7], ['k', 0xbfa6], ['l', 0xc0ac], ['m', 0xc2e8],
    ['n', 0xc4c3], ['o', 0xc5b6], ['p', 0xc5be], ['q', 0xc6da], ['r', 0xc8bb], ['s', 0xc8f6], ['t', 0xcbfa], ['w', 0xcdda], ['x', 0xcef4], ['y', 0xd1b9], ['z', 0xd4d1]]
  it('answer to the letter the standard sorts them by', () => {
    const decoder = new TextDecoder('gbk')
    const wrong: string[] = []
    let n = 0
    for (let row = 0xb0; row <= 0xd7; row++) {
      for (let cell = 0xa1; cell <= (row === 0xd7 ? 0xf9 : 0xfe); cell++) {
        const code = row * 256 + cell
        const letter = begins.findLast(([, from]) => from <= code)![0]
        const character = decoder.decode(new Uint8Array([row, cell]))
        n++
        if (!initialsOf(character).includes(letter)) wrong.push(`${character} ${letter} ${initialsOf(character)}`)
      }
    }
    expect(n).toBe(3755)
    expect(wrong).toEqual([])
  })
})
