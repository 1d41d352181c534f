/** toYAML writes plain data as block YAML, small maps and lists of plain values in one line, as the export does. */
export function toYAML(value: unknown, indent = 0): string {
  const pad = ' '.repeat(indent)
  if (Array.isArray(value)) {
    if (value.length === 0) return `${pad}[]\n`
    return value.map((v) => {
      const line = flow(v)
      if (line !== null) return `${pad}- ${line}\n`
      const inner = toYAML(v, indent + 2)
      return `${pad}- ${inner.slice(indent + 2)}`
    }).join('')
  }
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).filter(([, v]) => v !== undefined).map(([k, v]) => {
      if (v === null || typeof v !== 'object') return `${pad}${scalar(k)}: ${scalar(v)}\n`
      if (Array.isArray(v) && v.every((x) => x === null || typeof x !== 'object')) return `${pad}${scalar(k)}: [${v.map(scalar).join(', ')}]\n`
      if (!Array.isArray(v) && Object.keys(v).length === 0) return `${pad}${scalar(k)}: {}\n`
      return `${pad}${scalar(k)}:\n${toYAML(v, indent + 2)}`
    }).join('')
  }
  return `${pad}${scalar(value)}\n`
}

/** flow writes a value in one line when it is short and flat, else null. */
function flow(v: unknown): string | null {
  if (v === null || typeof v !== 'object') return scalar(v)
  if (Array.isArray(v)) return null
  const parts: string[] = []
  for (const [k, x] of Object.entries(v)) {
    if (x === undefined) continue
    if (x !== null && typeof x === 'object') {
      if (!Array.isArray(x) || x.some((y) => y !== null && typeof y === 'object')) return null
      parts.push(`${scalar(k)}: [${x.map(scalar).join(', ')}]`)
    } else parts.push(`${scalar(k)}: ${scalar(x)}`)
  }
  const line = `{${parts.join(', ')}}`
  return line.length <= 110 ? line : null
}

const plain = /^[A-Za-z\u4e00-\u9fff_][\w\u4e00-\u9fff .\-/()、]*$/u
const words = /^(true|false|yes|no|on|off|null|y|n)$/i

/** scalar writes a value so that it reads back as itself: quoted whenever there could be doubt. */
function scalar(v: unknown): string {
  if (v === null || v === undefined) return 'null'
  if (typeof v !== 'string') return JSON.stringify(v)
  return plain.test(v) && !words.test(v) && !/\s$/.test(v) && !v.includes(': ') && !v.includes(' #') ? v : JSON.stringify(v)
}
