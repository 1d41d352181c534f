import { expect, it } from 'vitest'
import { drawCode, groups } from '../../modules/identity/ui/qr'

/** modules reads the dark modules back out of the path. */
function modules(path: string): Set<string> {
  const dark = new Set<string>()
  for (const [, x, y, w] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) for (let i = 0; i < Number(w); i++) dark.add(`${Number(x) + i},${y}`)
  return dark
}

it('draws the three finders inside a quiet zone of four modules', () => {
  const { path, size } = drawCode('otpauth://totp/Kapok:1001?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Kapok&period=30&digits=6')
  const dark = modules(path)
  expect((size - 8 - 17) % 4).toBe(0) // 17 + 4 × version, ISO/IEC 18004
  for (const [x, y] of [[4, 4], [size - 11, 4], [4, size - 11]] as const) {
    for (let i = 0; i < 7; i++) for (let k = 0; k < 7; k++) {
      const ring = Math.max(Math.abs(i - 3), Math.abs(k - 3))
      expect(dark.has(`${x + i},${y + k}`), `${x + i},${y + k}`).toBe(ring !== 2)
    }
  }
  for (const at of dark) for (const n of at.split(',').map(Number)) expect(n >= 4 && n < size - 4).toBe(true)
})

it('groups a secret for typing', () => {
  expect(groups('JBSWY3DPEHPK3PXP')).toBe('JBSW Y3DP EHPK 3PXP')
  expect(groups('ABCDE')).toBe('ABCD E')
})
