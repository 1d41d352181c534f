// Row D9: a day without a mouse. Answer, note, hold, ask, hand over, call out, park, take back, close; a leader listens.
import { accessible, check, hearsCaller, picture } from './browser.mjs'
import { at, calling, furnished } from './furnished.mjs'
import { sleep } from './house.mjs'

const talks = (page) => page.waitForSelector('[role=toolbar] button[aria-pressed]')
const over = (page) => page.waitForSelector('[role=toolbar]', { state: 'detached' })

/** tabTo presses Tab until the focus is where it should be. */
async function tabTo(page, selector, most = 60) {
  for (let i = 0; i < most; i++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s), selector)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${selector}`)
}

/** chosen waits until the first of the list is somebody who is free. */
const chosen = (page, user) => page.waitForFunction((u) => { const li = document.querySelector('#targets li'); return li?.textContent.includes(u) && li.getAttribute('aria-disabled') !== 'true' }, user)

async function work(page) {
  await page.waitForSelector('.way')
  await tabTo(page, '.is-big')
  await page.keyboard.press('Enter')
  await page.waitForSelector('.idle')
  await sleep(1200)
  await page.keyboard.press('Shift+F8')
  await page.waitForFunction(() => document.querySelector('.state')?.textContent.match(/示闲|Ready/))
}

/** close writes a word and ends the wrap-up. */
async function close(page) {
  await over(page)
  await page.waitForFunction(() => document.activeElement?.closest('.wrapup'))
  await page.keyboard.press('Control+Enter')
  await page.waitForSelector('.idle')
}

/** keyboard is the whole of it; no mouse is ever moved. */
export async function keyboard(browser, program, telephone, locale) {
  console.log(`RowD9 ${locale}`)
  const { house, called } = await furnished(program, telephone, `keyboard-${locale}`)
  const [one, two] = [await at(browser, house, '1001', locale), await at(browser, house, '1002', locale)]
  await work(one)
  const caller = await calling(telephone, house, '12367')
  await one.waitForSelector('.ring .answer:not([disabled])')
  await one.keyboard.press('F2')
  await talks(one)
  await hearsCaller(one, 'RowD9 answered by a key')
  await one.waitForFunction(() => document.activeElement?.id === 'w-topic')
  await one.keyboard.type('zzs')
  await one.keyboard.press('Enter')
  await tabTo(one, '#w-question')
  await one.keyboard.type('如何开票')
  check('RowD9 noted while talking', (await one.inputValue('#w-question')) === '如何开票')
  await one.keyboard.press('F4')
  await one.waitForSelector('.bar [aria-pressed=true]')
  check('RowD9 held', (await caller.music()) >= 0)
  await one.keyboard.press('F4')
  check('RowD9 and back', (await caller.agent()) >= 0)
  await one.keyboard.press('Control+F2')
  await one.waitForSelector('[role=dialog] .first')
  await accessible(one, 'RowD9 emergency card')
  await one.keyboard.press('Escape')
  await one.keyboard.press('Shift+F9')
  await one.waitForSelector('[role=dialog] .keys')
  await one.keyboard.press('5')
  await one.keyboard.press('Escape')
  check('RowD9 the focus goes back to where it was', await one.evaluate(() => document.activeElement?.id === 'w-question'))

  await one.keyboard.press('Alt+Shift+F8')
  await one.waitForSelector('#parked .slot')
  check('RowD9 parked: the caller hears music', (await caller.music()) >= 0)
  await accessible(one, 'RowD9 parked')
  await picture(one, 'desk-parked', locale)
  await close(one)
  await work(two)
  await two.waitForSelector('#parked .slot')
  await two.keyboard.press('Alt+Shift+F9')
  await talks(two)
  await hearsCaller(two, 'RowD9 a colleague takes them back')
  await two.keyboard.press('F9')
  await two.waitForSelector('#targets li')
  await two.keyboard.type('1001')
  await chosen(two, '1001')
  await two.keyboard.press('Enter')
  await one.waitForSelector('.ring .answer:not([disabled])')
  await one.keyboard.press('F2')
  await talks(one)
  await hearsCaller(one, 'RowD9 handed over')
  await close(two)

  await one.keyboard.press('Control+F9')
  await one.waitForSelector('#targets li')
  await one.keyboard.type('1002')
  await chosen(one, '1002')
  await one.keyboard.press('Enter')
  await two.waitForSelector('.ring .answer:not([disabled])')
  await two.keyboard.press('F2')
  await one.waitForFunction(() => document.querySelectorAll('.strip button').length > 2)
  await one.keyboard.press('Control+Shift+F8')
  await sleep(400)
  await accessible(one, 'RowD9 three talk')
  await one.keyboard.press('Shift+F4') // the nearer of the two
  await one.waitForFunction(() => !document.querySelector('.strip button'))
  await two.waitForSelector('.idle, .wrapup')
  if (await two.$('.wrapup')) await close(two)
  check('RowD9 asked, met in three, and back with the caller', (await caller.agent()) >= 0)

  await led(browser, house, one, locale)
  await one.keyboard.press('Shift+F4')
  await caller.done
  await close(one)

  await one.keyboard.press('Control+Shift+F2')
  await one.waitForSelector('[role=dialog] input[type=tel]')
  await accessible(one, 'RowD9 call out')
  await one.keyboard.type('020 8333 0000')
  await one.keyboard.press('Enter')
  await one.waitForSelector('.bar.alone')
  await accessible(one, 'RowD9 calling')
  await picture(one, 'desk-dialing', locale)
  await talks(one)
  await hearsCaller(one, 'RowD9 called out and answered')
  await one.keyboard.press('Shift+F4')
  await close(one)
  await one.keyboard.press('Control+Shift+F2')
  await one.waitForSelector('#dialled li')
  await one.keyboard.press('ArrowDown')
  await one.keyboard.press('Enter')
  await one.waitForSelector('.wrapup') // before that their own endpoint rings: given up then, there is nothing to write about
  await one.keyboard.press('Shift+F4')
  await close(one)
  check('RowD9 called again, and given up', true)

  for (const p of [one, two]) await p.context().close()
  called.close()
  check('RowD9 the doctor finds nothing broken', house.run('doctor').includes('invariants hold'))
  await house.stop()
}

/** led has a leader listen, whisper and leave, by keys. */
async function led(browser, house, agent, locale) {
  const lead = await at(browser, house, 'leader1', locale)
  await lead.waitForSelector('.way')
  await tabTo(lead, '.is-big')
  await lead.keyboard.press('Enter')
  await lead.waitForSelector('.idle')
  await sleep(1200)
  await lead.evaluate(() => document.querySelector('a[href="/team"]').focus())
  await lead.keyboard.press('Enter')
  await lead.waitForSelector('.tile')
  await tabTo(lead, 'input[type=search]')
  await lead.keyboard.type('1001')
  await lead.keyboard.press('Enter')
  await lead.waitForSelector('form.panel')
  await lead.keyboard.press('Alt+1')
  await lead.waitForFunction(() => document.activeElement?.matches('form.panel input'))
  await lead.keyboard.type('带教')
  await lead.keyboard.press('Enter')
  await agent.waitForFunction(() => document.body.textContent.match(/监听|listen/i))
  await hearsCaller(lead, 'RowD9 a leader listens by keys')
  await accessible(lead, 'RowD9 the team page while listening')
  await picture(lead, 'team', locale)
  await sleep(5500) // the page has read that the leader takes part
  await lead.keyboard.press('Alt+2')
  await lead.waitForFunction(() => document.querySelector('.tiles')?.textContent.match(/密语|whisper/i), null, { timeout: 12_000 })
  await lead.keyboard.press('Alt+5')
  await lead.waitForFunction(() => !document.querySelector('.tiles')?.textContent.match(/密语|whisper/i), null, { timeout: 12_000 })
  check('RowD9 the leader whispers and leaves by keys', true)
  await lead.context().close()
}
