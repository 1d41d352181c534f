import { has, locale, matches, request, t, useLoad, type FieldOption, type FormHelp } from '@kit'
import { computed, shallowReactive, type Ref } from 'vue'
import { prepare, refsOf, schemaAt, type HouseSchema, type Item, type Items, type Listing, type Problem } from './prep'

/** useSections lists the sections this person may see. */
export function useSections() {
  return useLoad((signal) => request<Listing[]>('get', '/api/v1/config', { signal }), [locale])
}

/** titleOf names a section in the reader's language. */
export function titleOf(l: Pick<Listing, 'key' | 'title'>): string { return has(`section.${l.key}`) ? t(`section.${l.key}`) : l.title || l.key }

/** useSchema gives a section's schema ready for a form. */
export function useSchema(listing: Ref<Listing | undefined>) {
  return computed<HouseSchema | undefined>(() => {
    const l = listing.value
    void locale.value
    return l && prepare(l.schema, l.key, { has, t: (k) => t(k), locale: locale.value })
  })
}

const nameOf = (i: Item): string => {
  const zh = String(i.name ?? [i.level1, i.level2].filter(Boolean).join(' › ') ?? '')
  return locale.value === 'en' && i.name_en ? String(i.name_en) : zh
}

/** useChoices loads what a section's codes may be: names of sites, skills, queues … one read per section and page. */
export function useChoices(schema: Ref<HouseSchema | undefined>) {
  const known = shallowReactive(new Map<string, FieldOption[]>())
  const load = useLoad(async (signal) => {
    const wanted = refsOf(schema.value ?? {}).filter((r) => !known.has(r))
    await Promise.all(wanted.map(async (section) => {
      const from = section === 'users'
        ? request<{ items: Item[] }>('get', '/api/v1/users', { query: { limit: 500 }, signal })
        : request<Items>('get', '/api/v1/config/{section}', { path: { section }, signal })
      known.set(section, await from.then((r) => r.items.map((i) => ({ value: String(i.code), label: nameOf(i) ? `${nameOf(i)} ${String(i.code)}` : String(i.code) })), () => []))
    }))
    if (schema.value?.properties?.rights && !known.has('rights')) {
      known.set('rights', await request<{ items: string[] }>('get', '/api/v1/rights', { signal }).then((r) => ['*', ...r.items].map((v) => ({ value: v, label: has(`right.${v}`) ? `${t(`right.${v}`)} (${v})` : v })), () => []))
    }
    return true
  }, [schema, locale])
  const label = (section: string, code: unknown): string => {
    const o = known.get(section)?.find((x) => x.value === code)
    return o ? o.label.replace(/ \S+$/, '') : String(code ?? '')
  }
  const help = computed<FormHelp>(() => ({
    options: (path) => {
      const s = schema.value && schemaAt(schema.value, path)
      if (!s) return undefined
      if (path === 'rights[]') return known.get('rights')
      const list = s['x-ref'] ? known.get(s['x-ref']) : undefined
      return list?.length ? list : undefined
    },
    word: (path, value) => wordOf(path, value),
  }))
  return { help, label, loading: load.loading }
}

/** wordOf names a value of an enumeration: by its field where the word depends on it (a page's language is not a spoken one). */
function wordOf(field: string, value: string): string | undefined {
  return [`routing.word.${field}.${value}`, `routing.word.${value}`].filter((k) => has(k)).map((k) => t(k))[0]
}

/** shownAs writes a field's value for a list. */
export function shownAs(value: unknown, schema: HouseSchema | undefined, label: (section: string, code: unknown) => string, name = ''): string {
  if (value === undefined || value === null || value === '') return ''
  if (typeof value === 'boolean') return value ? t('routing.list.yes') : ''
  if (Array.isArray(value)) {
    const s = schema?.items
    const word = (v: unknown) => (name === 'rights' ? (v === '*' ? t('routing.list.all_rights') : has(`right.${String(v)}`) ? t(`right.${String(v)}`) : String(v)) : String(v))
    const parts = value.map((v) => (v !== null && typeof v === 'object' ? Object.entries(v as Item).map(([k, x]) => (s?.properties?.[k]?.['x-ref'] ? label(s.properties[k]!['x-ref']!, x) : String(x))).join(' ≥ ') : s?.['x-ref'] ? label(s['x-ref'], v) : word(v)))
    const and = locale.value === 'en' ? ', ' : '、'
    return parts.length > 4 ? `${parts.slice(0, 3).join(and)} … ${parts.length}` : parts.join(and)
  }
  if (typeof value === 'object') return Object.values(value as Item).map(String).join(' / ')
  if (schema?.['x-ref']) return label(schema['x-ref'], value)
  if (schema?.enum) return wordOf(name, String(value)) ?? String(value)
  return String(value)
}

/** found tells whether an item is what was typed: its code, name, or pinyin initials. */
export function found(query: string, item: Item): boolean {
  const q = query.trim()
  return q === '' || matches(q, String(item.code ?? item.user ?? ''), nameOf(item), ...Object.values(item).filter((v) => typeof v === 'string').map(String))
}

/** problemText says a problem in the reader's language. */
export function problemText(p: Problem): string {
  return has(`fault.${p.code}`) ? t(`fault.${p.code}`, p.params ?? {}) : p.text && p.text !== p.code ? p.text : has(p.code) ? t(p.code, p.params ?? {}) : p.code
}
