// docs/connect/browser.md, walked by its own blocks: the file, the command, the browsers' policy, the steps.
import { readFileSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { check, hearsCaller, person } from './browser.mjs'
import { Caller, House, root, work } from './house.mjs'

/** blocks gives the fenced blocks of a page by the name behind their language. */
function blocks(name, house) {
  const page = readFileSync(join(root, 'docs', 'connect', name), 'utf8')
  const found = {}
  for (const [, key, text] of page.matchAll(/^```\w+ ([\w.]+)\n(.*?)^```/gms)) {
    found[key] = text.replaceAll('127.0.0.1:8080', house.http).replaceAll('127.0.0.1:5060', house.sip)
  }
  return found
}

/** apply does what a page says: its file under its name, its command behind it. */
function apply(house, page, file) {
  writeFileSync(join(work, file), page[file])
  const [kapok, ...args] = page.apply.trim().split(/\s+/)
  if (kapok !== 'kapok') throw new Error(`the page's command is ${kapok}`)
  execFileSync(house.program, [...args, '--data', house.data], { cwd: work })
}

/** step does one line of the page's steps. */
async function step(page, line) {
  const [verb, ...rest] = line.split(' ')
  const what = rest.join(' ')
  if (verb === 'open') return page.goto(what)
  if (verb === 'press') {
    if (what === 'F2') await page.waitForSelector('.ring .answer:not([disabled])')
    return page.keyboard.press(what)
  }
  if (verb === 'fill') {
    const [label, value] = what.split(' = ')
    return page.getByLabel(label, { exact: true }).fill(value)
  }
  if (verb !== 'click') throw new Error(`the page's steps do not know ${verb}`)
  const button = page.getByRole('button').filter({ hasText: what })
  for (let i = 0; i < await button.count(); i++) { // the one whose words are these and no more, keys aside
    const said = (await button.nth(i).evaluate((b) => [...b.childNodes].filter((n) => n.nodeType === 3).map((n) => n.textContent).join('').trim()))
    if (said === what && await button.nth(i).isVisible()) return button.nth(i).click()
  }
  return page.getByRole('button', { name: what }).first().click()
}

/** connect walks the page in one language. */
export async function connect(browser, program, telephone, locale) {
  const house = new House(program, `connect-${locale}`)
  await house.start()
  const suffix = locale === 'zh' ? '.zh-CN.md' : '.md'
  const token = (await house.link()).split('token=')[1]
  const made = await fetch(`${house.url}/api/v1/setup`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, bureau: { name: '测试税务局' }, admin: { user: 'admin', name: '管理员', password: 'Baum-und-Blatt-77' } }),
  })
  check('the house is set up', made.ok)
  apply(house, blocks(`trunk${suffix}`, house), 'trunk.yaml')
  const words = blocks(`browser${suffix}`, house)
  apply(house, words, 'agents.yaml')
  const page = await person(browser, house, locale)
  const policy = JSON.parse(words.policy)
  await page.context().clearPermissions()
  await page.context().grantPermissions(['microphone'], { origin: policy.AudioCaptureAllowedUrls[0] })
  await page.context().grantPermissions(['microphone', 'notifications'], { origin: policy.NotificationsAllowedForUrls[0] })
  let caller
  for (const line of words.steps.trim().split('\n')) {
    if (line === 'press F2') {
      await page.waitForFunction(() => document.querySelector('.reasons'))
      caller = new Caller(telephone, house, '12366')
    }
    await step(page, line)
    if (line.startsWith('click') && /desk|签入/.test(line)) await page.waitForSelector('.idle')
    if (line.startsWith('click') && /ready|示闲/.test(line)) await page.waitForTimeout(300)
  }
  await hearsCaller(page, 'by the page alone the agent hears the caller')
  check('and the caller the agent', (await caller.agent()) >= 0)
  await caller.hangUp()
  await page.context().close()
  check('the house ends well', (await house.stop()) === 0)
}
