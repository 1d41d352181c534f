// The README's pictures of figures come from the demo, which has a history.
import { person, picture } from './browser.mjs'
import { House, sleep } from './house.mjs'

/** demoPictures shows wallboard, report and a contact of the demo in both languages. */
export async function demoPictures(browser, program) {
  const house = new House(program, 'demo')
  await house.start('demo')
  await sleep(30_000) // the first callers have been answered
  for (const locale of ['zh', 'en']) {
    const page = await person(browser, house, locale)
    await page.goto('/login')
    await page.evaluate((user) => fetch('/api/v1/demo/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ user }) }), 'leader1')
    await page.evaluate((l) => fetch('/api/v1/me/locale', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ locale: l }) }), locale)
    await page.goto('/wallboard')
    await page.waitForSelector('.figures')
    await sleep(3000)
    await picture(page, 'wallboard', locale)
    await page.goto('/reports')
    await page.waitForSelector('table tbody tr')
    await sleep(1500)
    await picture(page, 'report', locale)
    const id = await page.evaluate(() => fetch('/api/v1/contacts?outcome=answered&limit=1').then((r) => r.json()).then((l) => l.items[0].id))
    await page.goto(`/contacts/${id}`)
    await sleep(2500)
    await picture(page, 'contact', locale)
    await page.context().close()
  }
  await house.stop()
}
