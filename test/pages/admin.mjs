// An administrator's day by the pages alone: forms and their refusals, two people at one item, tables with mistakes,
// the emergency closure, prompts, passwords, lock-out, six digits, sessions, the audit.
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { accessible, check, person } from './browser.mjs'
import { sleep, tone } from './house.mjs'

const first = 'Erst-2001-Wort'
const own = 'Ast-und-Zweig-88'
const drawer = (page) => page.locator('.el-drawer:visible')
const save = (page) => drawer(page).locator('button[type=submit]').click()
const shut = (page) => page.waitForFunction(() => ![...document.querySelectorAll('.el-drawer')].some((d) => d.offsetParent !== null || d.getClientRects().length > 0))

/** login signs in at the login page. */
async function login(page, user, password) {
  await page.goto('/login')
  await page.fill('#user', user)
  await page.fill('#password', password)
  await page.click('button[type=submit]')
}

/** item opens an item of a section, fresh a new one. */
async function item(page, section, code) {
  await page.goto(`/admin/${section}`)
  await page.locator('tbody tr', { hasText: code }).first().click()
  await drawer(page).waitFor()
}
async function fresh(page, section) {
  await page.goto(`/admin/${section}`)
  await page.locator('.page header .is-primary').click()
  await drawer(page).locator('button[type=submit]').waitFor()
}

/** choose takes an entry of a drop-down field. */
async function choose(page, field, word) {
  await drawer(page).locator(`.field:has(#f-${field}) .el-select`).click()
  await page.locator('.el-select-dropdown__item:visible', { hasText: word }).first().click()
  await page.keyboard.press('Escape')
}

/** forms makes, changes and deletes; what is missing is said beside its field. */
async function forms(one, two) {
  await fresh(one, 'skills')
  await save(one)
  await drawer(one).locator('.field:has(#f-code) .problem').waitFor()
  check('an empty form says beside the field what is missing', await drawer(one).locator('.problem').count() === 2)
  await one.waitForFunction(() => document.activeElement?.id === 'f-code')
  check('and leads there', true)
  await drawer(one).locator('#f-code').fill('vat')
  await drawer(one).locator('#f-name').fill('VAT')
  await accessible(one, 'a form')
  await one.keyboard.press('Control+Enter')
  await one.locator('tbody tr', { hasText: 'vat' }).waitFor()
  await item(one, 'skills', 'vat')
  await item(two, 'skills', 'vat')
  await drawer(one).locator('#f-name').fill('VAT, first')
  await save(one)
  await one.locator('tbody tr', { hasText: 'VAT, first' }).waitFor()
  await drawer(two).locator('#f-name').fill('VAT, second')
  await save(two)
  await drawer(two).locator('.notice').waitFor()
  check('who comes second is told and keeps what was typed', await drawer(two).locator('#f-name').inputValue() === 'VAT, second')
  await drawer(two).locator('.notice .is-danger').click()
  await two.locator('tbody tr', { hasText: 'VAT, second' }).waitFor()
  await item(two, 'sites', 'main')
  await drawer(two).locator('.deeds .is-quiet').click()
  await drawer(two).locator('.deeds .is-danger').click()
  await drawer(two).locator('.notice').waitFor()
  check('what is in use is not deleted, and by whom is said', (await drawer(two).locator('.notice').textContent()).includes('bureau'))
  await item(one, 'skills', 'vat')
  await drawer(one).locator('.deeds .is-quiet').click()
  await drawer(one).locator('.deeds .is-danger').click()
  await one.locator('tbody tr', { hasText: 'VAT, second' }).waitFor({ state: 'detached' })
  check('an item is made, changed and deleted', true)
}

/** tables brings people and phones in, with mistakes first. */
async function tables(page) {
  const bring = async (section, name, text) => {
    await page.goto(`/admin/${section}`)
    await page.locator('.page header .k-btn').first().click()
    await drawer(page).locator('input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) })
  }
  await bring('users', 'bad.csv', 'code,name,site,roles\n2001,Lea,main,leader\n2002,Max,nowhere,agent\n2003,Mia,main,agnet\n')
  await drawer(page).locator('section[role=alert] tbody tr').nth(1).waitFor()
  const rows = await drawer(page).locator('section[role=alert] tbody tr').allTextContents()
  check('each mistake of a table is named with its row', rows.length === 2 && rows[0].startsWith('3') && rows[1].startsWith('4'), rows.join(' | '))
  await accessible(page, 'a table with mistakes')
  await bring('users', 'good.csv', `code,name,site,roles,password\n2001,Lea,main,leader,${first}\n2002,Max,main,agent,Erst-2002-Wort\n`)
  await drawer(page).locator('.is-primary').click()
  await drawer(page).locator('p[role=status] b').waitFor()
  await bring('phones', 'phones.csv', 'code,name,site,password\n8001,Seat 1,main,Phone-secret-8001\n')
  await drawer(page).locator('.is-primary').click()
  await drawer(page).locator('p[role=status] b').waitFor()
  await page.goto('/admin/phones')
  await page.locator('tbody tr', { hasText: '8001' }).waitFor()
  check('people and phones come in by tables', true)
}

/** closure closes the hotline for an emergency and opens it again; every page says so meanwhile. */
async function closure(page, other) {
  await other.goto('/wallboard')
  await page.goto('/admin/settings')
  await page.locator('.emergency .is-danger').click()
  await page.locator('.emergency .is-danger').first().click()
  await page.locator('.strip[role=alert]').waitFor()
  await accessible(page, 'closed for an emergency')
  await other.goto('/contacts')
  await other.locator('.strip[role=alert]').waitFor()
  check('an emergency closure stands on every page', true)
  await page.locator('.emergency .is-primary').click()
  await page.locator('.strip[role=alert]').waitFor({ state: 'detached' })
  check('and goes with the opening', true)
}

/** prompts takes a sound from a file and one from the microphone. */
async function prompts(page) {
  await fresh(page, 'prompts')
  await drawer(page).locator('#f-code').fill('hello2')
  await save(page)
  await shut(page)
  await item(page, 'prompts', 'hello2')
  const rows = drawer(page).locator('.one')
  await rows.nth(0).locator('input[type=file]').setInputFiles({ name: 'no.wav', mimeType: 'audio/wav', buffer: Buffer.from('no sound at all') })
  await rows.nth(0).locator('[role=status]', { hasText: '▲' }).waitFor()
  check('a file that is no sound is refused with a sentence', true)
  await rows.nth(0).locator('input[type=file]').setInputFiles({ name: 'hello.wav', mimeType: 'audio/wav', buffer: readFileSync(tone(440, 1, 16000)) })
  await rows.nth(0).locator('audio').waitFor()
  await rows.nth(1).locator('button').first().click()
  await rows.nth(1).locator('.is-danger').waitFor()
  await sleep(700)
  await rows.nth(1).locator('.is-danger').click()
  await rows.nth(1).locator('.is-primary').click()
  await rows.nth(1).locator('.deeds').locator('xpath=../audio').waitFor()
  check('a prompt is uploaded and another spoken', true)
}

/** six gives the digits an authenticator shows for a secret (RFC 6238). */
function six(secret, at = Date.now()) {
  const bits = [...secret.replace(/[\s=]/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)))
  const mac = createHmac('sha1', key).update(step).digest()
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0')
}

/** passwords locks a person out, lets them in again, gives them a link and an authenticator. */
async function passwords(admin, browser, house, locale) {
  const page = await person(browser, house, locale)
  for (let i = 0; i < 6; i++) {
    await login(page, '2001', `falsch-${i}`)
    await page.locator('.fault').waitFor()
  }
  await item(admin, 'users', '2001')
  const deeds = drawer(admin).locator('.box .k-btn')
  await drawer(admin).locator('.box b').waitFor()
  await deeds.nth(1).click()
  await drawer(admin).locator('.box b').waitFor({ state: 'detached' })
  await login(page, '2001', first)
  await page.waitForURL('**/password')
  await accessible(page, 'a first password to be changed')
  check('who is locked out is let in again', true)
  await deeds.nth(0).click()
  await page.goto(await drawer(admin).locator('.link input').inputValue())
  await page.locator('h1 + p', { hasText: '2001' }).waitFor()
  await page.fill('#rnew', own)
  await page.fill('#ragain', own)
  await page.click('button[type=submit]')
  await page.locator('.card [role=status]').waitFor()
  await login(page, '2001', own)
  await page.waitForSelector('.me')
  check('a link gives a new password', true)

  await page.goto('/totp')
  await page.locator('.page .is-primary').click()
  const secret = await page.locator('.secret').textContent()
  await accessible(page, 'an authenticator to be scanned')
  await page.fill('#code', '000000')
  await page.locator('.enrol button[type=submit]').click()
  await page.locator('.fault').waitFor()
  await page.fill('#code', six(secret))
  await page.locator('.enrol button[type=submit]').click()
  await page.locator('.codes li').first().waitFor()
  const codes = await page.locator('.codes li').allTextContents()
  await page.locator('.narrow input[type=checkbox]').check()
  await page.locator('.narrow .is-primary').click()

  const other = await person(browser, house, locale)
  await login(other, '2001', own)
  await other.waitForSelector('#code')
  await other.fill('#code', six(secret, Date.now() + 30_000)) // the next step's: one code opens once
  await other.click('button[type=submit]')
  await other.waitForSelector('.me')
  check('with the six digits one is in', true)
  const third = await person(browser, house, locale)
  await login(third, '2001', own)
  await third.fill('#code', codes[0])
  await third.click('button[type=submit]')
  await third.waitForSelector('.me')
  check('and with a recovery code, without the phone', true)

  await page.goto('/sessions')
  const ends = page.locator('tbody button')
  await ends.first().waitFor()
  for (let n = await ends.count(); n > 0; n--) {
    await ends.first().click()
    await page.waitForFunction((left) => document.querySelectorAll('tbody button').length < left, n)
  }
  await other.reload()
  await other.waitForURL('**/login?**ended=1**')
  check('a session ended elsewhere says so', true)
  for (const p of [page, other, third]) await p.context().close()
}

/** audited finds all of it in the audit, in words, and the chain whole. */
async function audited(page) {
  await page.goto('/audit?actor=2001')
  await page.locator('tbody tr').first().waitFor()
  const lines = await page.locator('tbody tr').allTextContents()
  check('the audit names who signed in, in words', lines.some((l) => l.includes('Lea')) && !lines.some((l) => l.includes('/api/')), lines[0])
  await page.locator('.page header .k-btn').last().click()
  await page.locator('.k-card[role=status] .ok').waitFor()
  check('and its chain is whole', true)
}

/** administration is all of it; in the second language the parts whose pages show most words. */
export async function administration(admin, browser, house, locale, secret) {
  const two = await person(browser, house, locale)
  await login(two, 'admin', secret)
  await two.waitForSelector('.me')
  await forms(admin, two)
  await tables(admin)
  if (locale === 'zh') {
    await closure(admin, two)
    await prompts(admin)
  }
  await passwords(admin, browser, house, locale)
  await audited(admin)
  await two.context().close()
}
