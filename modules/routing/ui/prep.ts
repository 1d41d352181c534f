import type { Schema } from '@kit'

/** What the house's schemas carry beyond JSON Schema: the order of fields and the section a code points into. */
export interface HouseSchema extends Schema {
  'x-order'?: string[]
  'x-ref'?: string
  properties?: Record<string, HouseSchema>
  items?: HouseSchema
  additionalProperties?: boolean | HouseSchema
}
export type Item = Record<string, unknown>
export interface Listing { key: string; order: number; title: string; right: string; id_field: string; single: boolean; fixed: boolean; schema: HouseSchema }
export interface Items { items: Item[]; version: number; versions: Record<string, number> }
export interface Change { section: string; code: string; kind: 'create' | 'change' | 'drop'; fields?: string[] }
export interface Problem { line?: number; path?: string; code: string; params?: Record<string, unknown>; text?: string }
export interface Result { version: number; applied: boolean; changes: Change[] | null; problems: Problem[] | null }

/** Texts as the page has them. */
export interface Say { has: (key: string) => boolean; t: (key: string) => string; locale: string }

const cjk = /[\u4e00-\u9fff]/

/**
 * prepare makes a schema fit for a form: fields in their order, titles and hints in the reader's language
 * (texts `section.<key>.<field>` and `….help`). A hint in the other language is left out rather than shown.
 */
export function prepare(schema: HouseSchema, key: string, say: Say): HouseSchema {
  const text = `section.${key}`
  const out: HouseSchema = { ...schema, title: say.has(text) ? say.t(text) : schema.title || undefined }
  const help = say.has(`${text}.help`) ? say.t(`${text}.help`) : schema.description
  out.description = help && (say.has(`${text}.help`) || cjk.test(help) === (say.locale === 'zh')) && help !== out.title ? help : undefined
  if (schema.properties) {
    const order = schema['x-order'] ?? Object.keys(schema.properties)
    const names = [...order.filter((n) => n in schema.properties!), ...Object.keys(schema.properties).filter((n) => !order.includes(n))]
    out.properties = Object.fromEntries(names.map((n) => [n, prepare(schema.properties![n]!, `${key}.${n}`, say)]))
  }
  // Write-only and yes without an answer: the switch shows what will happen.
  if (key === 'users' && out.properties?.must_change) out.properties.must_change = { ...out.properties.must_change, default: true }
  if (schema.items) out.items = { ...prepare(schema.items, key, say), description: undefined }
  if (schema.additionalProperties && typeof schema.additionalProperties === 'object') out.additionalProperties = prepare(schema.additionalProperties, key, say)
  return out
}

/** schemaAt finds the schema of a form path: `needs[0].skill`, `roles[]`. */
export function schemaAt(schema: HouseSchema, path: string): HouseSchema | undefined {
  let at: HouseSchema | undefined = schema
  for (const step of path.replace(/\[\d*\]/g, '.[]').split('.').filter(Boolean)) {
    if (!at) return undefined
    if (step === '[]') at = at.items
    else at = at.properties?.[step] ?? (typeof at.additionalProperties === 'object' ? at.additionalProperties : undefined)
  }
  return at
}

/** refsOf lists the sections a schema points into. */
export function refsOf(schema: HouseSchema): string[] {
  const found = new Set<string>()
  const walk = (s: HouseSchema | undefined) => {
    if (!s) return
    if (s['x-ref']) found.add(s['x-ref'])
    Object.values(s.properties ?? {}).forEach(walk)
    walk(s.items)
    if (typeof s.additionalProperties === 'object') walk(s.additionalProperties)
  }
  walk(schema)
  return [...found]
}

/** tidy takes empty optional members away, so that an emptied field means "not set" and never "". */
export function tidy(value: unknown, schema: HouseSchema | undefined): unknown {
  if (Array.isArray(value)) return value.map((v) => tidy(v, schema?.items)).filter((v) => v !== undefined && v !== '')
  if (value === null || typeof value !== 'object') return value
  const out: Item = {}
  for (const [k, v] of Object.entries(value)) {
    const s = schema?.properties?.[k] ?? (typeof schema?.additionalProperties === 'object' ? schema.additionalProperties : undefined)
    const clean = tidy(v, s)
    const needed = schema?.required?.includes(k)
    const empty = clean === undefined || clean === null || clean === '' || (Array.isArray(clean) && clean.length === 0) || (typeof clean === 'object' && !Array.isArray(clean) && Object.keys(clean as object).length === 0)
    if (k !== '\u0000' && k !== '' && (!empty || needed)) out[k] = clean
  }
  return out
}

/** columnsOf picks the fields a list shows: code and name first, then plain ones in order, at most `most`. */
export function columnsOf(schema: HouseSchema, id: string, most = 7): string[] {
  const plain = (n: string) => {
    const s = schema.properties![n]!
    if (s.writeOnly || n === 'name_en') return false
    return s.type !== 'object' && !(s.type === 'array' && s.items?.type === 'object' && n !== 'needs')
  }
  const names = Object.keys(schema.properties ?? {}).filter(plain)
  return [id, ...names.filter((n) => n !== id)].filter((n) => n in (schema.properties ?? {})).slice(0, most)
}

/** The groups of the second-level list; sections nobody placed come under `other`. */
const groups: readonly [string, readonly string[]][] = [
  ['people', ['users', 'agents', 'roles', 'sites', 'seats']],
  ['routing', ['queues', 'skills', 'rules', 'calendars', 'holidays']],
  ['voice', ['numbers', 'cities', 'segments', 'area', 'screenings', 'flows', 'prompts', 'speech', 'settings', 'phones', 'trunks', 'call_rules']],
  ['lists', ['reasons', 'topics', 'tax_types']],
  ['house', ['bureau', 'oidc']],
]

/** groupSections puts the sections a person may see into the list's groups. */
export function groupSections(sections: readonly Listing[]): { group: string; list: Listing[] }[] {
  const placed = new Set(groups.flatMap(([, keys]) => keys))
  const out = groups.map(([group, keys]) => ({ group, list: keys.map((k) => sections.find((s) => s.key === k)).filter((s): s is Listing => !!s) }))
  out.push({ group: 'other', list: sections.filter((s) => !placed.has(s.key)) })
  return out.filter((g) => g.list.length > 0)
}
