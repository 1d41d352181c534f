// An agent's verbs in real calls: with the mouse in one language, by the desk's keys in the other. What a verb does is heard:
// the caller says 440 Hz and hears the agents' 880.
import { accessible, check, hears, press } from './browser.mjs'
import { isReady } from './bureau.mjs'
import { Caller, sleep } from './house.mjs'

const keys = { hold: 'F4', mute: 'F8', consult: 'Control+F9', transfer: 'F9', keypad: 'Shift+F9', help: 'Shift+F2', emergency: 'Control+F2', hangup: 'Shift+F4', turn: 'Control+F8', meet: 'Control+Shift+F8', complete: 'Control+Shift+F9' }

/** Hands does verbs in one of the two ways. */
export class Hands {
  constructor(by, t) { Object.assign(this, { by, t }) }

  /** verb presses its button, found by its words, or its key. */
  async verb(page, name, ...words) {
    if (this.by === 'keys') return page.keyboard.press(keys[name])
    const button = page.locator('.wrap button', { hasText: new RegExp(words.map((w) => this.t(w).replace(/\{.*?\}/g, '.*')).join('|')) })
    return button.first().click()
  }

  /** answer takes what rings. */
  async answer(page) {
    await page.waitForSelector('.ring .answer:not([disabled])')
    if (this.by === 'keys') await page.keyboard.press('F2')
    else await page.click('.ring .answer')
    await page.waitForSelector('.bar[role=toolbar], .wrapup')
  }

  /** to chooses somebody in an open list of targets. */
  async to(page, code) {
    const one = page.locator('#targets li', { hasText: code }).first()
    await one.waitFor()
    if (this.by === 'mouse') {
      await page.waitForFunction((c) => [...document.querySelectorAll('#targets li')].some((l) => l.textContent.includes(c) && l.getAttribute('aria-disabled') !== 'true'), code)
      return one.click()
    }
    await page.keyboard.type(code)
    await page.waitForFunction((c) => { const l = document.querySelectorAll('#targets li'); return l.length >= 1 && l[0].textContent.includes(c) && l[0].getAttribute('aria-disabled') !== 'true' }, code)
    return page.keyboard.press('Enter')
  }

  /** done saves the wrap-up and is ready again. */
  async done(page) {
    await page.waitForSelector('.wrapup')
    await page.locator('.bar[role=toolbar]').waitFor({ state: 'detached' })
    if (this.by === 'keys') await page.keyboard.press('Control+Enter')
    else await page.locator('.wrapup .is-primary').click()
    await page.waitForSelector('.idle')
    await isReady(page)
  }
}

/** simple tries what one agent does alone: hold, mute, keypad, help. */
async function simple(one, leader, caller, hands) {
  await hands.verb(one, 'hold', 'desk.bar.hold')
  check('hold: the caller hears music', (await caller.music()) >= 0)
  await hands.verb(one, 'hold', 'desk.bar.resume')
  check('and the agent again', (await caller.agent()) >= 0)
  await hands.verb(one, 'mute', 'desk.bar.mute')
  check('mute: the caller hears nothing', (await caller.hears('silence', (l) => l.level < -50)) >= 0)
  await hands.verb(one, 'mute', 'desk.bar.unmute')
  check('and the agent again', (await caller.agent()) >= 0)
  await hands.verb(one, 'keypad', 'desk.bar.keypad')
  await one.locator('.panel .keys').waitFor()
  await accessible(one, 'keypad')
  if (hands.by === 'keys') await one.keyboard.press('5')
  else await one.locator('.panel .keys button', { hasText: '5' }).click()
  await one.waitForFunction(() => document.querySelector('.panel .sent')?.textContent === '5')
  check('keypad: a tone goes out', true)
  await one.keyboard.press('Escape')
  await hands.verb(one, 'help', 'desk.bar.help')
  await one.locator('.panel form input').fill('请听一下')
  await accessible(one, 'asking for help')
  await press(one.locator('.panel form button[type=submit]'), hands.by)
  const strip = leader.locator('.strip', { hasText: '请听一下' })
  await strip.waitFor()
  check('help: the leader sees it on every page, with the note', true)
  await press(strip.locator('button'), hands.by)
  await strip.waitFor({ state: 'detached' })
}

/** asking consults, turns, meets in three, ends, and hands over. */
async function asking(one, two, caller, hands) {
  await hands.verb(one, 'consult', 'desk.bar.consult')
  await one.locator('#targets li').first().waitFor()
  await accessible(one, 'whom to consult')
  await hands.to(one, '1002')
  await hands.answer(two)
  check('consult: the one asked hears the agent', await hears(two, 880))
  check('the caller hears music meanwhile', (await caller.music()) >= 0)
  await accessible(one, 'consulting')
  await hands.verb(one, 'turn', 'desk.consult.to_caller')
  check('turn: the caller hears the agent', (await caller.agent()) >= 0)
  await hands.verb(one, 'turn', 'desk.consult.to_asked')
  check('and turn back: music', (await caller.music()) >= 0)
  await hands.verb(one, 'meet', 'desk.consult.meet')
  check('three-party: the one asked hears the caller', await hears(two, 440))
  check('and the caller both', (await caller.agent()) >= 0)
  await accessible(one, 'three together')
  await hands.verb(one, 'hangup', 'desk.party.drop')
  await one.locator('.strip').first().waitFor({ state: 'detached' })
  check('the consultation ends, the talk goes on', (await caller.agent()) >= 0)
  await hands.done(two).catch(() => isReady(two))
  await hands.verb(one, 'consult', 'desk.bar.consult')
  await hands.to(one, '1002')
  await hands.answer(two)
  await hears(two, 880)
  await hands.verb(one, 'complete', 'desk.consult.complete')
  check('hand over: the other agent talks with the caller', await hears(two, 440) && (await caller.agent()) >= 0)
  await hands.done(one)
}

// In a talk of three the agent's tone is one of two.
const several = (l) => l.level > -40 && l.share > 0.01 && l.share < 0.7

/** danger opens the emergency card and connects 110 into the talk. */
async function danger(two, caller, party, hands) {
  await hands.verb(two, 'emergency', 'desk.bar.emergency')
  await two.locator('.panel .say').waitFor()
  await accessible(two, 'emergency card')
  const connect = two.locator('.panel .first')
  if (hands.by === 'keys') {
    await two.waitForFunction(() => document.activeElement?.classList.contains('first'))
    await two.keyboard.press('Enter')
  } else await connect.click()
  check('emergency: one key brings 110 into the talk', (await party.hears('the talk', several)) >= 0)
  check('and the caller hears both', (await caller.hears('the talk', several)) >= 0)
  await two.keyboard.press('Escape')
  await hands.verb(two, 'hangup', 'desk.party.drop')
  await two.locator('.wrap .strip').waitFor({ state: 'detached' })
}

/** parks puts the caller into a slot and takes them back. */
async function parks(one, caller, hands) {
  await hands.verb(one, 'park', 'desk.park.verb')
  await one.locator('#parked .slot').waitFor()
  check('park: the caller hears music', (await caller.music()) >= 0)
  await hands.done(one)
  await one.locator('#parked .slot').click()
  await one.locator('.bar[role=toolbar]').waitFor()
  check('and the agent again', await hears(one, 440) && (await caller.agent()) >= 0)
}

/** dials calls somebody outside. */
async function dials(one, hands) {
  await one.locator('.idle button', { hasText: hands.t('desk.dial.open') }).click()
  await one.locator('.panel input[type=tel]').fill('02083330001')
  await one.locator('.panel .is-primary').click()
  await one.waitForSelector('[role=toolbar] button[aria-pressed]')
  check('call out: the agent hears the person', await hears(one, 440))
  await hands.verb(one, 'hangup', 'desk.bar.hangup')
  await hands.done(one)
}

/** verbs is all of it; at the end both agents are ready. */
export async function verbs(one, two, leader, house, telephone, party, t, by) {
  const hands = new Hands(by, t)
  const caller = new Caller(telephone, house, '12366', 240)
  await hands.answer(one)
  check('answer: both hear each other', await hears(one, 440) && (await caller.agent()) >= 0)
  await isReady(two)
  await simple(one, leader, caller, hands)
  await asking(one, two, caller, hands)
  await danger(two, caller, party, hands)
  await hands.verb(two, 'transfer', 'desk.bar.transfer')
  await hands.to(two, '1001')
  await hands.answer(one)
  check('transfer: the talk goes on with the other agent', await hears(one, 440) && (await caller.agent()) >= 0)
  await hands.done(two)
  if (by === 'mouse') await parks(one, caller, hands) // by keys: keyboard.mjs
  await hands.verb(one, 'hangup', 'desk.bar.hangup')
  await caller.done
  check('hang up: the caller is free', caller.lines.at(-1)?.state === 'ended')
  await hands.done(one)
  if (by === 'mouse') await dials(one, hands)
  await sleep(200)
}
