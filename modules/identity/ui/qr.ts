import { encode } from 'uqr'

/** Light modules around the code, as ISO/IEC 18004 asks for. */
const quiet = 4

/** A QR code as one SVG path of dark modules; `size` is the side of its square, quiet zone included, in modules. */
export interface Drawing { path: string; size: number }

/** drawCode draws a text as a QR code; nothing leaves the page. */
export function drawCode(text: string): Drawing {
  const { data, size } = encode(text, { ecc: 'M', border: 0 })
  const parts: string[] = []
  data.forEach((row, y) => {
    for (let x = 0; x < size; x++) {
      if (!row[x] || row[x - 1]) continue
      let end = x
      while (row[end + 1]) end++
      parts.push(`M${x + quiet} ${y + quiet}h${end - x + 1}v1h-${end - x + 1}z`)
    }
  })
  return { path: parts.join(''), size: size + 2 * quiet }
}

/** groups writes a secret in groups of four, for typing. */
export const groups = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ')
