import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = process.cwd()
type Texts = Record<string, string>
const read = (p: string): Texts => { try { return JSON.parse(readFileSync(p, 'utf8')) as Texts } catch (e) { if ((e as { code?: string }).code === 'ENOENT') return {}; throw e } }
const folders = ['web/src/texts', ...readdirSync(join(root, 'modules')).map((m) => `modules/${m}/ui/texts`)].map((f) => join(root, f))
const params = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()

it('zh and en have the same keys, the same parameters, and nothing vue-i18n would read as syntax', () => {
  for (const folder of folders) {
    const zh = read(join(folder, 'zh.json')), en = read(join(folder, 'en.json'))
    expect(Object.keys(en).sort(), folder).toEqual(Object.keys(zh).sort())
    for (const [key, text] of Object.entries(zh)) {
      expect(params(en[key]!), key).toEqual(params(text))
      for (const s of [text, en[key]!]) {
        expect(s, key).not.toMatch(/[|@]/)
        expect(s.replace(/\{\w+\}/g, ''), key).not.toMatch(/[{}]/)
        expect(s.trim(), key).not.toBe('')
      }
    }
  }
})

function* sources(dir: string): Generator<string> {
  for (const name of readdirSync(dir)) {
    const path = join(dir, name)
    if (statSync(path).isDirectory()) yield* sources(path)
    else if (/\.(vue|ts)$/.test(name)) yield path
  }
}
it('every text that is asked for is there', () => {
  const all: Texts = Object.assign({}, ...folders.map((f) => read(join(f, 'zh.json'))), ...readdirSync(join(root, 'modules')).map((m) => read(join(root, 'modules', m, 'texts/zh.json'))))
  const missing: string[] = []
  const dirs = [join(root, 'web/src'), ...readdirSync(join(root, 'modules')).map((m) => join(root, 'modules', m, 'ui'))]
  for (const dir of dirs) {
    let files: string[] = []
    try { files = [...sources(dir)] } catch { continue }
    for (const file of files) {
      const code = readFileSync(file, 'utf8')
      for (const m of code.matchAll(/\bt\(\s*(?:[^'"`()]*\? ?)?'([a-z_]+\.[a-z_]+\.\w+)'/g)) if (!(m[1]! in all)) missing.push(`${m[1]} in ${file}`)
      for (const m of code.matchAll(/\bt\(`([a-z_]+\.[a-z_]+\.\w*)\$\{/g)) if (!Object.keys(all).some((k) => k.startsWith(m[1]!))) missing.push(`${m[1]}* in ${file}`)
    }
  }
  expect(missing).toEqual([])
})
