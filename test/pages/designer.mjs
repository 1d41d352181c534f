// The flow designer by the page alone, in one language with the mouse and in the other with the keyboard: blocks are added
// and connected, a flow that is not whole is refused with its reasons, published, compared, brought back; a test call is
// heard and counted nowhere; the figures on the graph are those of the calls.
import { accessible, check, press } from './browser.mjs'
import { comes } from './bureau.mjs'
import { Caller } from './house.mjs'

const panel = (page) => page.locator('.side .panel')
const tab = async (page, name, by) => {
  if (by === 'mouse') return page.click(`#flow-tab-${name}`)
  await page.focus(`#flow-tab-${name}`)
  return page.keyboard.press('Enter')
}

/** drawn draws a connection from a port of a card to another card with the mouse. */
async function drawn(page, from, port, to) {
  const start = await page.locator(`.vue-flow__node[data-id=${from}] .vue-flow__handle[data-handleid="${port}"]`).boundingBox()
  const end = await page.locator(`.vue-flow__node[data-id=${to}] .vue-flow__handle[data-handleid=in]`).boundingBox()
  await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2)
  await page.mouse.down()
  await page.mouse.move(end.x + 30, end.y + 10, { steps: 4 })
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 4 })
  await page.mouse.up()
}

/** chosen connects in the form of a node, by keys alone: the list of blocks opens it, the field takes the target's name. */
async function chosen(page, t, node, field, to) {
  await tab(page, 'list', 'keys')
  await press(page.getByRole('button', { name: t('voice.flow.edit').replace('{node}', node) }), 'keys')
  await picked(page, field, to)
}

/** picked takes an entry of a field's list by keys. */
async function picked(page, field, to) {
  await page.locator(`#f-${field}`).focus()
  await page.keyboard.type(to)
  await page.locator('.el-select-dropdown__item:visible', { hasText: to }).first().waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
}

/** connected leads from a port to a block. */
async function connected(page, t, by, from, port, to) {
  if (by === 'mouse') await drawn(page, from, port, to)
  else await chosen(page, t, from, port, to)
  await page.waitForFunction((id) => document.querySelector(`.vue-flow__edge[data-id="${id}"]`), `${from}|${port}`)
}

/** published says why and makes the next version. */
async function published(page, t, by, n, why) {
  await tab(page, 'publish', by)
  if (why) await page.fill('#flow-why', why)
  await page.waitForFunction(() => !document.querySelector('.panel button[type=submit]')?.disabled)
  await press(panel(page).locator('button[type=submit]'), by)
  await page.locator('.notice', { hasText: t('voice.flow.published').replace('{n}', n) }).waitFor()
}

/** drawing adds a block, is refused, connects it, publishes, compares and goes back. */
async function drawing(page, t, by, locale) {
  await page.locator('a', { hasText: locale === 'zh' ? '菜单' : 'Menu' }).first().click()
  await page.waitForSelector('.vue-flow__node[data-id=menu]')
  await accessible(page, 'flow designer')
  await press(page.locator('.palette button').first(), by)
  await page.waitForSelector('.vue-flow__node[data-id=play]')
  await page.locator('.verdict .bad').waitFor()
  await tab(page, 'publish', by)
  const why = await panel(page).textContent()
  check('a block nothing leads to is refused, and the page says which and why', why.includes('play') && why.length > 40)
  await page.fill('#flow-why', 'no')
  check('it cannot be published', await panel(page).locator('button[type=submit]').isDisabled())
  await accessible(page, 'a refused flow')
  await connected(page, t, by, 'play', 'next', 'menu')
  await connected(page, t, by, 'hello', 'next', 'play')
  await tab(page, 'list', by)
  await press(page.getByRole('button', { name: t('voice.flow.edit').replace('{node}', 'play') }), by)
  await picked(page, 'prompts', 'beep')
  await page.keyboard.press('Escape')
  await page.waitForFunction(() => !document.querySelector('.verdict .bad'))
  await published(page, t, by, 2, 'a second tone')
  check(`by ${by} a block is added, connected and published`, true)
  const selects = panel(page).locator('select')
  await selects.nth(0).selectOption('1')
  await selects.nth(1).selectOption('2')
  await panel(page).locator('.changes .is-added').waitFor()
  check('the difference of two versions stands in words and on the graph', await page.locator('.vue-flow__node[data-id=play] .is-added').count() === 1 && await panel(page).locator('.changes .is-changed').count() >= 1)
  await accessible(page, 'two versions compared')
  await press(panel(page).locator('.versions li').last().locator('button'), by)
  await page.waitForFunction(() => (document.querySelector('#flow-why')?.value ?? '') !== '') // the old version has come, with a reason to change
  await published(page, t, by, 3)
  check('an old version comes back as a new one', await page.locator('.vue-flow__node[data-id=play]').count() === 0)
}

/** tested calls the flow on the canvas from the page and presses keys. */
async function tested(page, t, by) {
  await tab(page, 'try', by)
  await press(page.locator('.call .dial'), by)
  await page.locator('.call .pad').waitFor()
  const heard = await page.waitForFunction(() => { const p = window.peak?.(); return p && p.level > -60 ? p : null }, null, { timeout: 45_000, polling: 20 }).then((h) => h.jsonValue(), () => null)
  check('a test call is heard', !!heard, heard ? `${heard.hz} Hz at ${heard.level} dB` : 'silence')
  await page.locator('.vue-flow__node[data-id=menu] .card.at').waitFor()
  check('the graph shows where it is', true)
  await accessible(page, 'a test call')
  if (by === 'mouse') await page.locator('.call .pad button', { hasText: '0' }).click()
  else {
    await page.locator('.call .pad button').first().focus()
    await page.keyboard.press('0')
  }
  await page.locator('.vue-flow__node[data-id=q] .card.at').waitFor()
  check('a key leads on, and nobody is rung', (await page.locator('.call .way').textContent()).includes('0'))
  await press(page.locator('.call .now button', { hasText: t('voice.flow.try_taken') }), by)
  await page.locator('.call .over').waitFor()
}

/** counted compares the figures on the graph with the calls that were made, and both halves of the menus' report. */
async function counted(page, t, by, calls) {
  await tab(page, 'paths', by)
  const shown = () => page.locator('.vue-flow__node[data-id=menu] .figures').textContent()
  await page.waitForFunction((n) => document.querySelector('.vue-flow__node[data-id=menu] .figures')?.textContent.includes(`→ ${n}`), calls.menu + calls.without, { timeout: 45_000 }).catch(() => {})
  const visits = await shown()
  check('the graph has every call and no test call', visits.includes(`→ ${calls.menu + calls.without}`), visits)
  const tables = panel(page).locator('table')
  await page.waitForFunction(() => document.querySelectorAll('.side .panel table')[1]?.querySelector('td'))
  const first = await tables.nth(1).locator('tbody tr').first().locator('td').allTextContents()
  check('with and without menus stand side by side', first.join(' ') === `${calls.menu} ${calls.without}`, first.join(' '))
  await accessible(page, 'ways through a flow')
}

/** designing is all of it. */
export async function designing(browser, house, telephone, t, locale) {
  const by = locale === 'zh' ? 'mouse' : 'keys'
  for (const [keys, n] of [['600ms:1', 1], ['600ms:1', 1]]) {
    const c = new Caller(telephone, house, '12367', 20, ['-press', keys, '-from', `0139000001${n}1`])
    await c.done
  }
  house.apply('settings: {recording: true, no_menu: true, language: zh}\n')
  const direct = new Caller(telephone, house, '12367', 1)
  await direct.done
  house.apply('settings: {recording: true, no_menu: false, language: zh}\n')
  const page = await comes(browser, house, 'admin', locale)
  await page.goto('/flows')
  await drawing(page, t, by, locale)
  const before = await contacts(page)
  await tested(page, t, by)
  check('a test call is no contact', (await contacts(page)) === before)
  await page.goto('/flows/menu')
  await page.waitForSelector('.vue-flow__node[data-id=menu]')
  await counted(page, t, by, { menu: 2, without: 1 })
  await page.context().close()
}

const contacts = (page) => page.evaluate(() => fetch('/api/v1/contacts?limit=100').then((r) => r.json()).then((l) => l.items.length))
