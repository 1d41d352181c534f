// A leader's verbs on the team page, each with its reason, seen by the agent: with the mouse in one language, with the
// keyboard in the other. Then the alerts and a surge plan.
import { accessible, check, hears, press } from './browser.mjs'
import { isReady } from './bureau.mjs'
import { Caller } from './house.mjs'

/** Lead does a leader's verbs. */
class Lead {
  constructor(page, by, t) { Object.assign(this, { page, by, t }) }

  /** opens the verbs of an agent. */
  async opens(user) {
    if (await this.page.locator(`[data-agent="${user}"] [aria-expanded=true]`).count()) return
    await press(this.page.locator(`[data-agent="${user}"] .name`), this.by)
    await this.page.locator('form.panel').waitFor()
  }

  /** changes how the leader takes part in a talk they are in. */
  async changes(verb) {
    if (this.by === 'keys') await this.page.keyboard.press(inTalk[verb])
    else await this.page.locator('form.panel .verb', { hasText: new RegExp(`^${this.t(`desk.lead.verb_${verb}`)}`) }).click()
    const done = this.page.locator('form.panel [role=status]', { hasText: this.t(`desk.lead.verb_${verb}`) })
    // The page may not know yet that the leader takes part: then the verb wants its reason said again, which stands there.
    await done.waitFor({ timeout: 2000 }).catch(() => this.page.getByLabel(this.t('desk.lead.why')).press('Enter'))
    await done.waitFor()
  }

  /** does a verb with its reason; `more` fills what the verb wants besides. */
  async does(user, verb, why, more = async () => {}) {
    await this.opens(user)
    const button = this.page.locator('form.panel .verb', { hasText: new RegExp(`^${this.t(`desk.lead.verb_${verb}`)}`) })
    await button.waitFor()
    await press(button, this.by)
    await more(this.page)
    if (this.by === 'keys') {
      const field = this.page.getByLabel(this.t('desk.lead.why'))
      await field.focus()
      await this.page.keyboard.type(why)
      await this.page.keyboard.press('Enter')
    } else {
      await this.page.getByLabel(this.t('desk.lead.why')).fill(why)
      await this.page.locator('form.panel button[type=submit]').click()
    }
    const done = this.page.locator('form.panel [role=status]', { hasText: this.t('desk.lead.done').replace('{verb}', this.t(`desk.lead.verb_${verb}`)) })
    // The page may still show the call before this one: it says that it is over, and the leader asks again.
    for (let i = 0; i < 15 && !(await done.waitFor({ timeout: 3000 }).then(() => true, () => false)); i++) {
      if (await this.page.locator('form.panel [role=alert]').count()) await this.page.getByLabel(this.t('desk.lead.why')).press('Enter')
    }
    await done.waitFor({ timeout: 3000 })
  }
}

/** inTalk are the keys of what changes how a leader takes part; the reason is the one given before. */
const inTalk = { whisper: 'Alt+2', barge: 'Alt+3', take_over: 'Alt+4' }

/** seen waits until the agent's page says who did what and why, and takes note. */
async function seen(agent, verb, why, by) {
  const strip = agent.locator('.strip', { hasText: why })
  await strip.waitFor()
  check(`${verb}: the agent sees it, with the reason`, true)
  await press(strip.locator('button'), by)
  await strip.waitFor({ state: 'detached' })
}

/** talks brings a caller to an agent. */
async function talks(agent, house, telephone, hands) {
  const caller = new Caller(telephone, house, '12366', 240)
  await hands.answer(agent)
  await caller.agent()
  return caller
}

/** supervision is all of a leader's verbs on an agent. */
export async function supervision(leader, one, two, house, telephone, hands, t) {
  const { by } = hands
  const lead = new Lead(leader, by, t)
  await two.keyboard.press('Shift+F8').catch(() => {})
  await press(leader.locator('.rail a[href="/team"]'), by)
  await leader.waitForSelector('.tiles')
  await lead.does('1002', 'away', '开会五分钟', (p) => p.getByLabel(t('desk.lead.reason')).selectOption('MEET'))
  await seen(two, 'force state', '开会五分钟', by)
  check('the agent is away, as it was said', await state(two) === 'away')
  let caller = await talks(one, house, telephone, hands)
  await lead.opens('1001')
  await accessible(leader, 'a leader over an agent')
  await lead.does('1001', 'listen', '听一听新人')
  await seen(one, 'listen', '听一听新人', by)
  check('listen: the leader hears the caller', await hears(leader, 440) || await hears(leader, 880))
  check('and the caller hears the agent alone', (await caller.agent()) >= 0)
  await lead.changes('whisper')
  await seen(one, 'whisper', '听一听新人', by)
  await lead.changes('barge')
  await seen(one, 'barge', '听一听新人', by)
  await accessible(one, 'an agent with a leader in the talk')
  await lead.changes('take_over')
  await seen(one, 'take over', '听一听新人', by)
  check('take over: the leader talks with the caller', (await caller.agent()) >= 0)
  await hands.done(one)
  await press(leader.locator('.rail a[href="/desk"]'), by)
  await leader.waitForSelector('.bar[role=toolbar]')
  await hands.verb(leader, 'hangup', 'desk.bar.hangup')
  await caller.done
  await leader.waitForSelector('.wrapup')
  await leader.keyboard.press('Control+Enter')
  await leader.waitForSelector('.idle')
  await leader.evaluate(() => fetch('/api/v1/desk/state', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ state: 'away', reason: 'MEET' }) }))
  await press(leader.locator('.rail a[href="/team"]'), by)
  caller = await talks(one, house, telephone, hands)
  await lead.does('1001', 'release', '线路占用过久')
  await caller.done
  await seen(one, 'force release', '线路占用过久', by)
  check('force release: the caller is free', caller.lines.at(-1)?.state === 'ended')
  await hands.done(one)
  caller = await talks(one, house, telephone, hands)
  await lead.does('1001', 'listen', '再听一听')
  await seen(one, 'listen again', '再听一听', by)
  const end = leader.locator('form.panel button', { hasText: t('desk.lead.end') })
  await end.waitFor()
  if (by === 'keys') await leader.keyboard.press('Alt+5')
  else await end.click()
  await end.waitFor({ state: 'detached' })
  check('leave: the talk goes on without the leader', (await caller.agent()) >= 0)
  await lead.does('1001', 'requeue', '请换一位同事')
  await seen(one, 'release to the queue', '请换一位同事', by)
  check('release to the queue: the caller waits, and hears music', (await caller.music()) >= 0)
  await caller.hangUp()
  await hands.done(one)
  await lead.does('1001', 'skills', '支援增值税', async (p) => {
    await p.locator('form.panel .level').first().waitFor()
    for (const box of await p.locator('form.panel .level').all()) await box.fill('2')
  })
  await seen(one, 'change skills', '支援增值税', by)
  await lead.does('1002', 'ready', '来电多,请回岗')
  await seen(two, 'force ready', '来电多,请回岗', by)
  await two.waitForFunction(() => fetch('/api/v1/desk').then((r) => r.json()).then((d) => d.state.state === 'ready'), null, { polling: 300 })
  await leader.keyboard.press('Escape')
}

/** goodbyes: a leader signs an agent out, and themselves. */
export async function goodbyes(leader, one, hands, t) {
  const { by } = hands
  await press(leader.locator('.rail a[href="/team"]'), by)
  await leader.waitForSelector('.tiles')
  await new Lead(leader, by, t).does('1001', 'sign_out', '下班了')
  await one.waitForFunction(() => fetch('/api/v1/desk').then((r) => r.json()).then((d) => !d.signed_in), null, { polling: 300 })
  check('sign out: the agent is signed out by the leader', true)
  await press(leader.locator('.box .state'), by)
  await press(leader.locator('.box .item', { hasText: t('desk.state.sign_out') }), by)
  await leader.waitForFunction(() => fetch('/api/v1/desk').then((r) => r.json()).then((d) => !d.signed_in), null, { polling: 300 })
  check('and the leader by themselves', true)
}

const state = (page) => page.evaluate(() => fetch('/api/v1/desk').then((r) => r.json()).then((d) => d.state.state))

/** alarms takes care of an alert, runs a surge plan and undoes it. */
export async function alarms(leader, two, hands, t, locale) {
  const { by } = hands
  await two.evaluate(() => fetch('/api/v1/desk/state', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ state: 'away', reason: 'MEET' }) }))
  await press(leader.locator('.rail a[href="/alerts"]'), by)
  await leader.waitForSelector('.plan')
  await leader.locator('main .row', { hasText: locale === 'zh' ? '在岗人数过少' : 'Too few at work' }).first().waitFor({ timeout: 45_000 })
  await accessible(leader, 'alerts and surge plans')
  const why = leader.getByLabel(t('alert.surge.why'))
  await why.fill('征期最后一天')
  await press(leader.locator('.plan button'), by)
  await leader.waitForFunction(() => (document.querySelector('.plan ol')?.textContent.match(/✓/g) ?? []).length === 2)
  check('a surge plan runs its steps in order', true)
  const strip = two.locator('.strip', { hasText: '征期最后一天' })
  await strip.waitFor()
  check('who is away is called back, and why', true)
  await press(strip.locator('button'), by)
  await press(leader.locator('.plan button'), by)
  await leader.waitForFunction(() => !document.querySelector('.plan ol')?.textContent.includes('✓'))
  check('and is undone', true)
  await press(leader.locator('main section').first().locator('button').first(), by)
  await leader.waitForFunction((w) => document.querySelector('main section')?.textContent.includes(w), t('alert.page.by').replace('{by}', '').trim())
  check('an alert taken care of says by whom', true)
  await isReady(two)
}
