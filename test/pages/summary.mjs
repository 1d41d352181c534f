// Row D5: the call summary is written with few keys, and a wrong check digit is not kept without a reason.
import { accessible, check, picture } from './browser.mjs'
import { at, calling, furnished } from './furnished.mjs'
import { sleep } from './house.mjs'

/** most is how many keystrokes a summary may take: at 200 ms each that is far below the 25 s of the row, and leaves time to think. */
const most = 25

/** Keys types and counts; a chord is one. */
class Keys {
  constructor(page) { Object.assign(this, { page, n: 0 }) }
  async press(...keys) {
    for (const k of keys) {
      await this.page.keyboard.press(k)
      this.n++
    }
  }
  async type(text) { await this.press(...text) }
}

const said = (page) => page.evaluate(() => Object.fromEntries(['topic', 'tax', 'type', 'district', 'name', 'answer', 'refer', 'satisfied', 'note'].map((k) => [k, document.getElementById(`w-${k}`)?.value ?? ''])))

/** The five summaries: what is typed from the moment the cursor stands in the first field, and what the form then says. */
const scripts = [
  ['a question about a policy, a district, and a note', async (k) => {
    await k.type('zzs'); await k.press('Enter', 'Tab', 'Tab', 'Tab'); await k.press('Enter', 'ArrowDown', 'Enter', 'Tab', 'Tab', 'Tab', 'Tab', 'Shift+Tab')
    await k.type('1%')
  }, { topic: '增值税', type: '增值税', district: /./, answer: '1%' }],
  ['the same again: the topic of last time and the answer given before', async (k) => {
    await k.press('Enter', 'Enter', 'Alt+1')
  }, { topic: '增值税', type: '增值税', answer: '1%' }],
  ['a firm by its 18-character tax ID', async (k) => {
    await k.press('Enter', 'Enter', 'Tab'); await k.type('91440103MA99QUKA41'); await k.press('Alt+1')
  }, { topic: '增值税', tax: '91440103MA99QUKA41', answer: '1%' }],
  ['another topic by its code, referred on, and how satisfied', async (k) => {
    await k.type('0203'); await k.press('Enter'); for (let i = 0; i < 7; i++) await k.press('Tab')
    await k.type('a'); await k.press('Tab'); await k.type('bst'); await k.press('Tab'); await k.type('5')
  }, { topic: '数电票', note: 'a', refer: 'bst', satisfied: '5' }],
  ['a person by the 15 characters of an old tax ID', async (k) => {
    await k.press('Enter', 'Enter', 'Tab'); await k.type('44030071526726X'); await k.press('Tab', 'Tab', 'Tab', 'Tab')
  }, { tax: '44030071526726X' }],
]

/** summary writes five summaries by keys alone and counts them, then tries to keep a wrong tax ID. */
export async function summary(browser, program, telephone, locale) {
  console.log(`RowD5 ${locale}`)
  const { house, called } = await furnished(program, telephone, `summary-${locale}`)
  const page = await at(browser, house, '1001', locale)
  await page.click('.is-big')
  await page.waitForSelector('.idle')
  await sleep(1000)
  await page.keyboard.press('Shift+F8')
  let worst = 0
  for (const [name, write, want] of scripts) {
    const caller = await begin(page, house, telephone)
    const keys = new Keys(page)
    await write(keys)
    const got = await said(page)
    check(`RowD5 ${name}: the form says so`, Object.entries(want).every(([f, v]) => (v.test?.(got[f]) ?? got[f].includes(v))), JSON.stringify(got))
    await keys.press('Control+Enter')
    await page.waitForFunction(() => !document.querySelector('.wrapup'))
    check(`RowD5 ${name}: at most ${most} keystrokes`, keys.n <= most, `${keys.n}`)
    worst = Math.max(worst, keys.n)
    await caller.done
  }
  console.log(`  the longest summary took ${worst} keystrokes`)
  const caller = await begin(page, house, telephone)
  await page.keyboard.press('Tab')
  await page.keyboard.type('91440103MA99QUKA40')
  await page.keyboard.press('Control+Enter')
  await page.waitForSelector('#w-why[aria-invalid=true]')
  check('RowD5 a wrong check digit is not kept', await page.isVisible('.wrapup'))
  await accessible(page, 'a wrong tax ID')
  await picture(page, 'summary', locale)
  await page.keyboard.press('Tab')
  await page.keyboard.type('只记得这些')
  await page.keyboard.press('Control+Enter')
  await page.waitForFunction(() => !document.querySelector('.wrapup'))
  const kept = await page.evaluate(() => fetch('/api/v1/desk').then((r) => r.json()))
  check('RowD5 with a reason it is', kept.state.state === 'ready', kept.state.state)
  await caller.done
  await page.context().close()
  called.close()
  check('RowD5 the doctor finds nothing broken', house.run('doctor').includes('invariants hold'))
  await house.stop()
}

/** begin has somebody call, lets the agent answer and hang up, and puts the cursor where a summary begins. */
async function begin(page, house, telephone) {
  const caller = await calling(telephone, house, '12367')
  await page.waitForSelector('.ring .answer:not([disabled])', { timeout: 45_000 })
  await page.keyboard.press('F2')
  await page.waitForSelector('.wrapup')
  await sleep(700)
  await page.keyboard.press('Shift+F4')
  await page.waitForSelector('[role=toolbar]', { state: 'detached' })
  await page.waitForFunction(() => document.activeElement?.id === 'w-topic')
  await sleep(300)
  return caller
}
