/** What a key does to a cell of the skills matrix: a level 0–4, null clears it, undefined is not for us. */
export function levelOf(key: string): number | null | undefined {
  if (/^[0-4]$/.test(key)) return Number(key)
  if (key === 'Delete' || key === 'Backspace' || key === '-') return null
  return undefined
}

/** next is what a click makes of a level: one more, and after 4 none. */
export function next(level: number | null | undefined): number | null {
  if (level === null || level === undefined) return 1
  return level >= 4 ? null : level + 1
}

/** moveIn gives the cell an arrow leads to within rows × columns, staying inside. */
export function moveIn(key: string, row: number, column: number, rows: number, columns: number): [number, number] | undefined {
  const step: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }
  if (key === 'Home') return [row, 0]
  if (key === 'End') return [row, columns - 1]
  const s = step[key]
  return s && [Math.min(rows - 1, Math.max(0, row + s[0])), Math.min(columns - 1, Math.max(0, column + s[1]))]
}

/** withLevel gives the skills of an agent with one changed. */
export function withLevel(skills: Readonly<Record<string, number>>, skill: string, level: number | null): Record<string, number> {
  const out = { ...skills }
  if (level === null) delete out[skill]
  else out[skill] = level
  return out
}
