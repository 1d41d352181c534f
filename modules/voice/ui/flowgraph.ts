/** A flow as engine/flow has it. Fields are those of the server's schema; the page needs to know few of them. */
export interface FlowKey { key: string; name?: string; name_en?: string; to: string }
export interface FlowCase { var: string; op?: string; values?: string[]; to: string }
export interface FlowNode { id: string; kind: string; name?: string; name_en?: string; served?: boolean; keys?: FlowKey[]; cases?: FlowCase[]; [field: string]: unknown }
export interface FlowGraph { code: string; name: string; name_en?: string; medium?: string; start: string; nodes: FlowNode[] }
export interface KindForm { kind: string; fields: string[]; required: string[]; ports: string[]; ends: boolean }
export type Layout = Record<string, [number, number]>
/** What happened at a node, as the report counts it. */
export interface PathRow { node: string; what: string; port: string; to: string; n: number }

/** A way out of a node: `field` as the server writes it (next, timeout, keys[0], cases[1]); `to` may be empty. */
export interface Port { field: string; label: string; to: string }

/** nameIn gives a node's name in the reader's language, its id when it has none. */
export function nameIn(g: FlowGraph, id: string, locale: string): string {
  const n = g.nodes.find((x) => x.id === id)
  return (locale === 'en' && n?.name_en) || n?.name || id
}

/** portsOf lists the ways out of a node, in the order of its form: what is not connected yet stands with an empty target. */
export function portsOf(n: FlowNode, kinds: readonly KindForm[], locale = 'zh'): Port[] {
  const out: Port[] = []
  for (const f of kinds.find((k) => k.kind === n.kind)?.ports ?? []) {
    if (f === 'keys') (n.keys ?? []).forEach((k, i) => out.push({ field: `keys[${i}]`, label: [k.key, (locale === 'en' && k.name_en) || k.name].filter(Boolean).join(' '), to: k.to ?? '' }))
    else if (f === 'cases') (n.cases ?? []).forEach((c, i) => out.push({ field: `cases[${i}]`, label: [c.var, c.op ?? 'is', (c.values ?? []).join(', ')].filter(Boolean).join(' '), to: c.to ?? '' }))
    else if (Array.isArray(n[f])) (n[f] as Record<string, unknown>[]).forEach((x, i) => out.push({ field: `${f}[${i}]`, label: Object.entries(x).filter(([k]) => k !== 'to').map(([, v]) => String(v)).join(' '), to: String(x.to ?? '') }))
    else out.push({ field: f, label: '', to: String(n[f] ?? '') })
  }
  return out
}

/** connect gives the node with a port leading elsewhere; '' takes the connection away. */
export function connect(n: FlowNode, field: string, to: string): FlowNode {
  const at = /^(\w+)\[(\d+)\]$/.exec(field)
  if (!at) return { ...n, [field]: to || undefined }
  const list = ((n[at[1]!] as Record<string, unknown>[]) ?? []).map((x, i) => (i === Number(at[2]) ? { ...x, to } : x))
  return { ...n, [at[1]!]: list }
}

/** without takes a node out, and every connection to it. */
export function without(g: FlowGraph, id: string, kinds: readonly KindForm[]): FlowGraph {
  const nodes = g.nodes.filter((n) => n.id !== id).map((n) => portsOf(n, kinds).filter((p) => p.to === id).reduce((m, p) => connect(m, p.field, ''), n))
  return { ...g, nodes, start: g.start === id ? nodes[0]?.id ?? '' : g.start }
}

/** renamed gives a node another id, wherever it is named. */
export function renamed(g: FlowGraph, from: string, to: string, kinds: readonly KindForm[]): FlowGraph {
  const nodes = g.nodes.map((n) => portsOf(n, kinds).filter((p) => p.to === from).reduce((m, p) => connect(m, p.field, to), n.id === from ? { ...n, id: to } : n))
  return { ...g, nodes, start: g.start === from ? to : g.start }
}

/** freshId finds an id nobody has: play, play_2 … */
export function freshId(g: FlowGraph, kind: string): string {
  const taken = new Set(g.nodes.map((n) => n.id))
  for (let i = 1; ; i++) if (!taken.has(i === 1 ? kind : `${kind}_${i}`)) return i === 1 ? kind : `${kind}_${i}`
}

/** tidied leaves out what is empty, so that an emptied field means "not set"; required lists stay for the check to speak of. */
export function tidied(g: FlowGraph): FlowGraph {
  const clean = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(clean)
    if (v === null || typeof v !== 'object') return v
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, clean(x)] as const).filter(([k, x]) => k !== '\u0000' && !(x === undefined || x === null || x === '' || x === false || (Array.isArray(x) && x.length === 0) || (typeof x === 'object' && !Array.isArray(x) && Object.keys(x as object).length === 0))))
  }
  return { ...g, start: g.start, nodes: g.nodes.map((n) => {
    const out = clean(n) as FlowNode
    for (const list of [out.keys, out.cases]) for (const x of list ?? []) x.to ??= ''
    return out
  }) }
}

/** The size of a card: its head, a line for what it does, a line for each port. */
export const cardWidth = 216
export const cardHeight = (ports: number) => 62 + ports * 22

/**
 * layoutOf places all nodes in columns by how far they are from the start (the longest way that does not turn back),
 * within a column near those that lead to them. Nodes nothing leads to come last.
 */
export function layoutOf(g: FlowGraph, kinds: readonly KindForm[]): Layout {
  const nodes = new Map(g.nodes.map((n) => [n.id, n]))
  const out = new Map(g.nodes.map((n) => [n.id, [...new Set(portsOf(n, kinds).map((p) => p.to).filter((to) => nodes.has(to)))]]))
  const order: string[] = []
  const state = new Map<string, number>()
  const forward = new Map<string, string[]>(g.nodes.map((n) => [n.id, []]))
  const walk = (first: string) => {
    const stack: [string, number][] = [[first, 0]]
    state.set(first, 1)
    while (stack.length) {
      const top = stack[stack.length - 1]!
      const next = out.get(top[0])![top[1]++]
      if (next === undefined) {
        state.set(top[0], 2)
        order.unshift(top[0])
        stack.pop()
      } else if (state.get(next) !== 1) {
        forward.get(top[0])!.push(next)
        if (!state.has(next)) {
          state.set(next, 1)
          stack.push([next, 0])
        }
      }
    }
  }
  if (nodes.has(g.start)) walk(g.start)
  const reached = order.length
  for (const n of g.nodes) if (!state.has(n.id)) walk(n.id)
  const loose = new Set(order.slice(0, order.length - reached))
  const column = new Map<string, number>()
  for (const id of order) {
    column.set(id, column.get(id) ?? 0)
    for (const to of forward.get(id)!) if (loose.has(id) === loose.has(to)) column.set(to, Math.max(column.get(to) ?? 0, column.get(id)! + 1))
  }
  const into = new Map<string, string[]>()
  for (const [id, tos] of forward) for (const to of tos) into.set(to, [...(into.get(to) ?? []), id])
  const columns: string[][] = []
  for (const id of order) if (!loose.has(id)) (columns[column.get(id)!] ??= []).push(id)
  const at: Layout = {}
  const gap = 20
  columns.forEach((ids, c) => {
    const mean = (id: string) => {
      const from = (into.get(id) ?? []).filter((x) => at[x])
      return from.length ? from.reduce((s, x) => s + at[x]![1] + portsOf(nodes.get(x)!, kinds).findIndex((p) => p.to === id) * 22, 0) / from.length : 0
    }
    const sorted = ids.map((id) => [id, mean(id)] as const).sort((a, b) => a[1] - b[1])
    let y = 0
    for (const [id] of sorted) {
      at[id] = [c * (cardWidth + 84), y]
      y += cardHeight(portsOf(nodes.get(id)!, kinds).length) + gap
    }
    const wanted = sorted.reduce((s, [, m]) => s + m, 0) / sorted.length
    const shift = Math.max(0, wanted - (y - gap) / 2 + 40)
    for (const [id] of sorted) at[id]![1] += Math.round(shift)
  })
  const bottom = Math.max(0, ...Object.entries(at).map(([id, p]) => p[1] + cardHeight(portsOf(nodes.get(id)!, kinds).length)))
  ;[...loose].forEach((id, i) => { at[id] = [(i % 5) * (cardWidth + 84), bottom + 60 + Math.floor(i / 5) * 160] })
  return at
}

/** portTaken finds the port of a node by which contacts went on, from what the report says of the way. */
export function portTaken(n: FlowNode, row: PathRow, kinds: readonly KindForm[]): string {
  const ports = portsOf(n, kinds).filter((p) => p.to === row.to)
  const key = /^key:(.)$/.exec(row.port)?.[1]
  if (key !== undefined) return ports.find((p) => p.field.startsWith('keys[') && n.keys?.[Number(/\d+/.exec(p.field)![0])]?.key === key)?.field ?? ''
  return (ports.find((p) => p.field === row.port) ?? ports.find((p) => !p.field.startsWith('keys[') && !['timeout', 'invalid'].includes(p.field)) ?? (row.port === '' ? ports[0] : undefined))?.field ?? ''
}

/** What is known of a node and of its ports in a span. */
export interface NodeFigures { visits: number; pressed: number; silent: number; wrong: number; repeats: number; reached: number; left: number; served: number; ports: Record<string, number> }

/** figuresOf brings the report's rows to the nodes and ports of a graph. Repeats are tries after which a person was asked again. */
export function figuresOf(g: FlowGraph, rows: readonly PathRow[], kinds: readonly KindForm[]): Map<string, NodeFigures> {
  const out = new Map<string, NodeFigures>()
  const at = (id: string) => {
    if (!out.has(id)) out.set(id, { visits: 0, pressed: 0, silent: 0, wrong: 0, repeats: 0, reached: 0, left: 0, served: 0, ports: {} })
    return out.get(id)!
  }
  const nodes = new Map(g.nodes.map((n) => [n.id, n]))
  for (const r of rows) {
    if (!r.node) continue
    const f = at(r.node)
    switch (r.what) {
      case 'visit': f.visits += r.n; break
      case 'pressed': f.pressed += r.n; break
      case 'timeout': f.silent += r.n; f.repeats += r.n; break
      case 'unheard': case 'deaf': f.repeats += r.n; break
      case 'invalid': f.wrong += r.n; f.repeats += r.n; break
      case 'reached': f.reached += r.n; break
      case 'left': case 'lost': f.left += r.n; break
      case 'served': f.served += r.n; break
      case 'taken': {
        if (r.port === 'timeout' || r.port === 'invalid') f.repeats -= r.n
        const n = nodes.get(r.node)
        const port = n && portTaken(n, r, kinds)
        if (port) f.ports[port] = (f.ports[port] ?? 0) + r.n
      }
    }
  }
  return out
}
