/**
 * Pinyin initials without a dictionary: the browser's own Chinese collation sorts characters by reading, so the
 * first character of each letter's range tells the initial (Intl.Collator, ICU root data). Characters with
 * several common readings in this trade answer to each of them.
 */
const letters = 'abcdefghjklmnopqrstwxyz'
const firsts = '阿八嚓咑妸发旮哈丌咔垃妈拏噢妑七呥仨他屲夕丫帀'
const readings: Readonly<Record<string, string>> = {
  重: 'zc', 会: 'hk', 行: 'xh', 调: 'td', 长: 'cz', 率: 'ls', 参: 'cs', 单: 'ds', 还: 'hh', 车: 'cj', 降: 'jx', 校: 'xj',
  数: 's', 藏: 'zc', 传: 'cz', 弹: 'td', 省: 'sx', 朝: 'zc', 盛: 'sc', 查: 'cz', 解: 'jx', 折: 'zs', 更: 'g', 曾: 'zc',
  区: 'qo', 番: 'fp', 六: 'l', 乐: 'ly', 都: 'd', 种: 'z', 契: 'q', 便: 'bp', 系: 'xj', 从: 'c',
  辟: 'bp', 泊: 'bp', 匙: 'cs', 脯: 'fp', 蛤: 'gh', 槛: 'jk', 咯: 'kgl', 咳: 'kh', 埔: 'pb', 茄: 'qj', 伺: 'sc', 厦: 'xs', 畜: 'xc', 吁: 'yx', 轧: 'zy',
}
let collator: Intl.Collator | undefined

/** initialsOf gives the possible initials of one character: a letter or digit stands for itself. */
export function initialsOf(character: string): string {
  const known = readings[character]
  if (known) return known
  if (/[a-z0-9]/i.test(character)) return character.toLowerCase()
  if (!/\p{Script=Han}/u.test(character)) return ''
  collator ??= new Intl.Collator('zh-Hans-CN-u-co-pinyin')
  for (let i = letters.length - 1; i >= 0; i--) {
    if (collator.compare(character, firsts[i]!) >= 0) return letters[i]!
  }
  return ''
}

/** initials gives, for each speaking character of the text, the letters it may be called by. */
export function initials(text: string): string[] {
  return [...text].map(initialsOf).filter((s) => s !== '')
}

/** matchesInitials tells whether the typed letters run through the text's initials from some character on. */
export function matchesInitials(text: string, typed: string): boolean {
  const want = typed.toLowerCase()
  if (!/^[a-z0-9]+$/.test(want)) return false
  const have = initials(text)
  for (let from = 0; from + want.length <= have.length; from++) {
    if ([...want].every((c, i) => have[from + i]!.includes(c))) return true
  }
  return false
}

/**
 * rankOf tells how well a query fits an entry, 0 best: the code from its start, the first text's beginning (words or
 * initials), anywhere in it, then the further texts. null: not at all.
 */
export function rankOf(query: string, code: string, ...texts: string[]): number | null {
  const q = query.trim().toLowerCase()
  if (q === '' || code.toLowerCase().startsWith(q)) return 0
  for (const [i, text] of texts.entries()) {
    const words = text.toLowerCase()
    if (words.startsWith(q)) return 2 * i + 1
    const heads = initials(text)
    if (/^[a-z0-9]+$/.test(q) && q.length <= heads.length && [...q].every((c, k) => heads[k]!.includes(c))) return 2 * i + 1
    if (words.includes(q) || matchesInitials(text, q)) return 2 * i + 2
  }
  return null
}

/** matches is the search used by every short list: code from its start, words anywhere, initials. */
export function matches(query: string, code: string, ...texts: string[]): boolean {
  return rankOf(query, code, ...texts) !== null
}
