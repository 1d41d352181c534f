/** A flow as engine/flow has it; only what the tree shows. */
export interface FlowNode {
  id: string; kind: string; name?: string; name_en?: string; prompts?: string[]; text?: string; next?: string
  keys?: { key: string; name?: string; name_en?: string; to: string }[]
  timeout?: string; invalid?: string; bypass?: string; open?: string; closed?: string; lunch?: string; holiday?: string
  cases?: { var: string; op?: string; values?: string[]; to: string }[]; else?: string; elsewhere?: string; unknown?: string; heard?: string; failed?: string
  queue?: string; to?: { kind?: string; code?: string }; outcome?: string; say?: string; value?: string; var?: string; set?: Record<string, string>; calendar?: string; served?: boolean
}
export interface Flow { code: string; name?: string; name_en?: string; medium?: string; start: string; nodes: FlowNode[] }

/** An edge out of a node: the field it stands in, what labels it, and where it leads. */
export interface Edge { field: string; label: string; to: string }

/** edgesOf lists a node's ways out, in the order a person would read them. */
export function edgesOf(n: FlowNode, locale = 'zh'): Edge[] {
  const out: Edge[] = []
  const add = (field: string, to: string | undefined, label = '') => { if (to) out.push({ field, label, to }) }
  for (const k of n.keys ?? []) add('key', k.to, [k.key, (locale === 'en' && k.name_en) || k.name].filter(Boolean).join(' '))
  for (const c of n.cases ?? []) add('case', c.to, [c.var, c.op ?? 'is', (c.values ?? []).join(', ')].filter(Boolean).join(' '))
  for (const f of ['open', 'closed', 'lunch', 'holiday', 'else', 'next', 'timeout', 'invalid', 'heard', 'bypass', 'elsewhere', 'unknown', 'failed'] as const) add(f, n[f])
  return out
}

/** A line of the tree. `again` marks a node that was shown above: its ways out are not repeated. */
export interface Branch { depth: number; edge: Edge | null; node: FlowNode | null; to: string; again: boolean }

/**
 * treeOf walks the flow from its start, depth first. Every node is unfolded once; a target outside the flow
 * (`flow:other`) or one that is missing has no node. Nodes nothing leads to come last, with depth 0 and no edge.
 */
export function treeOf(flow: Flow, locale = 'zh'): { lines: Branch[]; loose: FlowNode[] } {
  const nodes = new Map(flow.nodes.map((n) => [n.id, n]))
  const seen = new Set<string>()
  const lines: Branch[] = []
  const stack: { to: string; depth: number; edge: Edge | null }[] = [{ to: flow.start || flow.nodes[0]?.id || '', depth: 0, edge: null }]
  while (stack.length) {
    const { to, depth, edge } = stack.pop()!
    const node = nodes.get(to) ?? null
    const again = seen.has(to)
    lines.push({ depth, edge, node, to, again })
    if (!node || again) continue
    seen.add(to)
    for (const e of edgesOf(node, locale).reverse()) stack.push({ to: e.to, depth: depth + 1, edge: e })
  }
  return { lines, loose: flow.nodes.filter((n) => !seen.has(n.id)) }
}

/** nodeOf finds the node a problem's path speaks of: `flows[main].nodes[menu].keys[1]` → menu. */
export function nodeOf(path: string | undefined): string | undefined { return /nodes\[([^\]]+)\]/.exec(path ?? '')?.[1] }
