// The pictures of README and manuals come from the demo, which has a history and callers of its own.
import { person, picture } from './browser.mjs'
import { House, sleep } from './house.mjs'

/** enters signs somebody of the demo in, in a language. */
async function enters(browser, house, user, locale) {
  const page = await person(browser, house, locale)
  await page.setViewportSize({ width: 1280, height: 800 })
  page.setDefaultTimeout(150_000)
  await page.goto('/login')
  await page.evaluate(async ([u, l]) => {
    const send = (method, path, body) => fetch(`/api/v1/${path}`, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    await send('POST', 'demo/login', { user: u })
    await send('PUT', 'me/locale', { locale: l })
  }, [user, locale])
  return page
}

const words = {
  zh: { question: '增量留抵退税需要满足哪些条件?六个月的计算从哪个月开始?', answer: '连续六个月增量留抵税额大于零,第六个月不低于 50 万元;纳税信用 A 级或 B 级。', why: '新人带教' },
  en: { question: 'What does a refund of excess input VAT ask for? From which month do the six months count?', answer: 'Six months in a row above zero, the sixth at least CNY 500,000; credit grade A or B.', why: 'Coaching a newcomer' },
}

/** desk is an agent in a talk, the wrap-up half written. */
async function desk(browser, house, locale) {
  const page = await enters(browser, house, '1001', locale)
  await page.goto('/desk')
  await page.click('.is-big')
  await page.waitForSelector('.idle')
  await page.waitForFunction(() => fetch('/api/v1/desk').then((r) => r.json()).then((d) => d.endpoint?.registered), null, { polling: 300 })
  await page.keyboard.press('Shift+F8')
  await page.waitForSelector('.ring .answer:not([disabled])')
  await page.keyboard.press('F2')
  await page.waitForSelector('.bar[role=toolbar]')
  await page.fill('#w-question', words[locale].question)
  await page.fill('#w-answer', words[locale].answer)
  await sleep(4000)
  await picture(page, 'desk', locale)
  await page.keyboard.press('Shift+F4')
  await sleep(500)
  return page
}

/** shots are the pages that need nothing but to be opened, by whom. */
const shots = [
  ['leader1', 'wallboard', '/wallboard', '.figures', 3000],
  ['leader1', 'seats', '/seats', '.seat', 500],
  ['leader1', 'alerts', '/alerts', '.plan', 500],
  ['manager', 'report', '/reports', 'table tbody tr', 1500],
]

/** demoPictures shows the demo in both languages. */
export async function demoPictures(browser, program) {
  const house = new House(program, 'demo')
  await house.start('demo', ['--agents', '23']) // few enough that callers wait and everybody is busy
  await sleep(30_000) // the first callers have been answered, some wait
  for (const locale of ['zh', 'en']) {
    const agent = await desk(browser, house, locale)
    const leader = await enters(browser, house, 'leader1', locale)
    await leader.goto('/team')
    await leader.locator('.tile', { hasText: '◆' }).first().locator('.name').click()
    await leader.locator('form.panel .verb').first().click()
    await leader.locator('form.panel input.k-grow').fill(words[locale].why)
    await sleep(500)
    await picture(leader, 'supervisor', locale)
    await leader.context().close()
    for (const [user, name, path, ready, wait] of shots) {
      const page = await enters(browser, house, user, locale)
      await page.goto(path)
      await page.waitForSelector(ready)
      await sleep(wait)
      await picture(page, name, locale)
      await page.context().close()
    }
    const admin = await enters(browser, house, 'admin', locale)
    const id = await admin.evaluate(() => fetch('/api/v1/contacts?outcome=answered&limit=1').then((r) => r.json()).then((l) => l.items[0].id))
    await admin.goto(`/contacts/${id}`)
    await sleep(2500)
    await picture(admin, 'contact', locale)
    await admin.goto('/flows/main')
    await admin.click('#flow-tab-paths')
    await admin.waitForSelector('.figures')
    await sleep(1500)
    await picture(admin, 'designer', locale)
    for (const page of [admin, agent]) await page.context().close()
  }
  await house.stop()
}
