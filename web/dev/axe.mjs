// axe-core in the page; serious and critical findings only, WCAG 2.1 A and AA.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** AxeBuilder gives the findings of a page. */
export async function AxeBuilder(page) {
  await page.evaluate(source)
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }))
  return violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
}
