/** The part of JSON Schema (2020-12, as huma writes it) that forms are made from. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  title?: string
  description?: string
  enum?: unknown[]
  default?: unknown
  format?: string
  pattern?: string
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  minItems?: number
  maxItems?: number
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
  readOnly?: boolean
  writeOnly?: boolean
  $defs?: Record<string, Schema>
  components?: { schemas?: Record<string, Schema> }
}

export type FieldKind = 'text' | 'long' | 'secret' | 'number' | 'switch' | 'choice' | 'list' | 'group' | 'map' | 'raw'

/** resolve follows a local reference ("#/$defs/X", "#/components/schemas/X") within the root schema. */
export function resolve(schema: Schema, root: Schema): Schema {
  let s = schema
  for (let depth = 0; s.$ref && depth < 8; depth++) {
    let at: unknown = root
    for (const part of s.$ref.replace(/^#\//, '').split('/')) at = (at as Record<string, unknown> | undefined)?.[part]
    if (!at) return { ...s, $ref: undefined }
    s = at as Schema
  }
  return s
}

/** typeOf gives the one type that is not null. */
export function typeOf(s: Schema): string {
  if (Array.isArray(s.type)) return s.type.find((t) => t !== 'null') ?? 'null'
  return s.type ?? (s.properties ? 'object' : s.enum ? 'string' : '')
}

/** kindOf decides how a value is edited. */
export function kindOf(s: Schema, name = ''): FieldKind {
  if (s.enum) return 'choice'
  switch (typeOf(s)) {
    case 'boolean': return 'switch'
    case 'integer':
    case 'number': return 'number'
    case 'array': return 'list'
    case 'object': return s.properties ? 'group' : 'map'
    case 'string':
      if (s.writeOnly || s.format === 'password' || /password|secret/.test(name)) return 'secret'
      return (s.maxLength ?? 0) > 200 || s.format === 'textarea' ? 'long' : 'text'
    default: return 'raw'
  }
}

/** blank makes the value a new item starts with: defaults, else the empty value of the type; required parts only. */
export function blank(schema: Schema, root: Schema): unknown {
  const s = resolve(schema, root)
  if (s.default !== undefined) return structuredClone(s.default)
  switch (typeOf(s)) {
    case 'boolean': return false
    case 'integer':
    case 'number': return s.minimum && s.minimum > 0 ? s.minimum : 0
    case 'array': return []
    case 'object': {
      const out: Record<string, unknown> = {}
      for (const [name, p] of Object.entries(s.properties ?? {})) {
        if (name !== '$schema' && s.required?.includes(name)) out[name] = blank(p, root)
      }
      return out
    }
    default: return s.enum && s.enum.length ? s.enum[0] : ''
  }
}

/** One thing wrong with a value: where (a.b[0].c) and the text key with its parameters. */
export interface SchemaProblem { path: string; key: string; params: Record<string, unknown> }

/** check finds what the schema forbids; the server checks the same and more. */
export function check(value: unknown, schema: Schema, root: Schema, path = ''): SchemaProblem[] {
  const s = resolve(schema, root)
  const bad = (key: string, params: Record<string, unknown> = {}) => [{ path, key: `shell.form.${key}`, params }]
  switch (kindOf(s)) {
    case 'choice': return s.enum!.includes(value) || value === undefined ? [] : bad('choice', { allowed: s.enum!.join(', ') })
    case 'number': {
      if (value === undefined || value === null) return []
      const n = Number(value)
      if (!Number.isFinite(n)) return bad('number')
      if (s.minimum !== undefined && n < s.minimum) return bad('minimum', { n: s.minimum })
      if (s.maximum !== undefined && n > s.maximum) return bad('maximum', { n: s.maximum })
      return []
    }
    case 'text': case 'long': case 'secret': {
      const text = typeof value === 'string' ? value : ''
      if (s.minLength && text.length < s.minLength && (text !== '' || s.minLength > 0)) return value === undefined ? [] : bad('short', { n: s.minLength })
      if (s.maxLength !== undefined && text.length > s.maxLength) return bad('long', { n: s.maxLength })
      if (s.pattern && text !== '' && !new RegExp(s.pattern, 'u').test(text)) return bad('pattern', { pattern: s.pattern })
      return []
    }
    case 'list': return (Array.isArray(value) ? value : []).flatMap((v, i) => check(v, s.items ?? {}, root, `${path}[${i}]`))
    case 'group': {
      const o = (value ?? {}) as Record<string, unknown>
      const at = (name: string) => (path ? `${path}.${name}` : name)
      return Object.entries(s.properties!).flatMap(([name, p]) => {
        if (name === '$schema') return []
        const missing = o[name] === undefined || o[name] === null || o[name] === ''
        if (missing && s.required?.includes(name) && typeOf(resolve(p, root)) === 'string' && !resolve(p, root).writeOnly) return [{ path: at(name), key: 'shell.form.required', params: {} }]
        return missing ? [] : check(o[name], p, root, at(name))
      })
    }
    default: return []
  }
}
