// A working floor: an agent's verbs, a leader's, the seats, the recordings, the alerts, the flows. Every verb is done with the
// mouse in one language and with the keyboard in the other.
import { check, texts } from './browser.mjs'
import { bureau, works } from './bureau.mjs'
import { designing } from './designer.mjs'
import { alarms, goodbyes, supervision } from './lead.mjs'
import { visits } from './outbound.mjs'
import { listening, seating } from './places.mjs'
import { Hands, verbs } from './verbs.mjs'

/** floor is all of it in one language. */
export async function floor(browser, program, telephone, locale) {
  const t = texts(locale)
  const by = locale === 'zh' ? 'mouse' : 'keys'
  console.log(locale === 'zh' ? '现场' : 'The floor')
  const { house, party } = await bureau(program, telephone, `floor-${locale}`, locale)
  const leader = await works(browser, house, 'leader1', locale, false)
  const one = await works(browser, house, '1001', locale)
  const two = await works(browser, house, '1002', locale, false)
  const hands = new Hands(by, t)
  await verbs(one, two, leader, house, telephone, party, t, by)
  await supervision(leader, one, two, house, telephone, hands, t)
  await alarms(leader, two, hands, t, locale)
  await listening(browser, house, t, by, locale)
  await visits(leader, one, hands, t)
  await seating(leader, one, two, t, by, locale)
  await goodbyes(leader, one, hands, t)
  for (const p of [leader, one, two]) await p.context().close()
  await designing(browser, house, telephone, t, locale)
  await party.hangUp()
  const said = house.run('doctor')
  check('the doctor finds nothing broken', said.includes('invariants hold'), said.trim())
  check('the house ends well', (await house.stop()) === 0)
}
