// Outbound calls: a leader brings people onto a list and starts it, an agent looks, dials and says what came of it, the
// leader reads the results and names a number that is never called. By mouse in one language, by keyboard in the other.
import { accessible, check, hears, press } from './browser.mjs'

const tab = (page, t, name, by) => press(page.locator('button', { hasText: new RegExp(`^${t(`outbound.tab.${name}`)}$`) }), by)

/** brings puts one person of a table on the list, after a bad one was refused, and starts it. */
async function brings(leader, hands, t) {
  const { by } = hands
  await press(leader.locator('.rail a[href="/outbound"]'), by)
  const list = leader.locator('.lists .k-card').first()
  await list.waitFor()
  await accessible(leader, 'outbound lists')
  await press(list.locator('button', { hasText: t('outbound.lists.bring') }), by)
  const drawer = leader.locator('.el-drawer')
  await drawer.locator('input[type=file]').waitFor()
  const head = t('outbound.bring.head')
  const table = (...rows) => ({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(`\ufeff${head}\r\n${rows.join('\r\n')}\r\n`) })
  await drawer.locator('input[type=file]').setInputFiles(table('12366,坏,行'))
  await drawer.locator('[role=alert] ~ ul li').first().waitFor()
  check('a bad row is told by its line, and nobody is taken', true)
  await drawer.locator('input[type=file]').setInputFiles(table('020-83330000,王女士,回访上次答复'))
  const take = drawer.locator('button', { hasText: t('outbound.bring.take') })
  await take.waitFor()
  await accessible(leader, 'people for a list')
  await press(take, by)
  await drawer.locator('[role=status]', { hasText: t('outbound.bring.did').replace('{n}', '1') }).waitFor()
  await press(drawer.locator('button', { hasText: new RegExp(`^${t('outbound.bring.missed')}$`) }), by)
  await drawer.locator('[role=status]', { hasText: t('outbound.bring.would').replace(/\{n\}.*/, '') }).waitFor()
  check('the missed callers of now can be counted for the list', true)
  await leader.keyboard.press('Escape')
  await drawer.waitFor({ state: 'hidden' })
  const start = list.locator('button', { hasText: t('outbound.lists.start') })
  await press(start, by)
  await list.locator('button', { hasText: t('outbound.lists.pause') }).waitFor()
  check('the list is on', true)
}

/** calls has the agent take the person, dial, talk and say what came of it. */
async function calls(one, hands, t) {
  const { by } = hands
  if (by === 'keys') await one.keyboard.press('Alt+Shift+F2')
  else await one.locator('.rail a[href="/outbound/mine"]').click()
  await one.waitForURL('**/outbound/mine')
  const next = one.locator('.narrow button', { hasText: t('outbound.mine.next') })
  await next.waitFor()
  await accessible(one, 'my outbound lists')
  await press(next, by)
  const card = one.locator('.narrow .card')
  await card.locator('h3', { hasText: '王女士' }).waitFor()
  check('the card says who, why and what to say', (await card.textContent()).includes('您好，这里是测试税务局'))
  await accessible(one, 'a person to be called')
  await press(card.locator('button', { hasText: t('outbound.card.dial') }), by)
  const result = card.locator('button', { hasText: new RegExp(`^${t('outbound.result.done')}$`) })
  await result.waitFor()
  check('dialled and reached: the agent hears the person', await hears(one, 440))
  await press(result, by)
  await accessible(one, 'what came of it')
  await press(card.locator('button[type=submit]'), by)
  await one.locator('.narrow [role=status]', { hasText: t('outbound.card.saved') }).waitFor()
  await press(one.locator('.rail a[href="/desk"]'), by)
  await one.waitForSelector('.bar[role=toolbar]')
  await hands.verb(one, 'hangup', 'desk.bar.hangup')
  await hands.done(one)
  check('the result is kept', true)
}

/** visits is all of it; the agent is ready before and after. */
export async function visits(leader, one, hands, t) {
  const { by } = hands
  await brings(leader, hands, t)
  await calls(one, hands, t)
  await tab(leader, t, 'figures', by)
  const row = leader.locator('tbody tr').first()
  await row.waitFor()
  check('the results: one dialled, one reached, done', /1.*1.*100.*1/s.test(await row.textContent()), await row.textContent())
  await accessible(leader, 'results of outbound calls')
  await tab(leader, t, 'never', by)
  const form = leader.locator('form.form')
  await form.locator('input[inputmode=tel]').fill('13800000001')
  await form.getByLabel(t('outbound.never.reason')).fill('本人要求')
  await press(form.locator('button[type=submit]'), by)
  await leader.locator('tbody tr', { hasText: '138****0001' }).waitFor()
  check('a number that is never called is listed, masked', true)
  await accessible(leader, 'numbers never called')
}
