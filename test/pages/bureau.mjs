// A bureau set up by the interface in a second: leader, agents, queues, seats, a menu, a line outside. What the first-run
// wizard does is walked elsewhere.
import { House, Party } from './house.mjs'
import { person } from './browser.mjs'

export const secret = 'Baum-und-Blatt-77'
const must = async (r) => { if (!r.ok) throw new Error(`${r.status} ${await r.text()}`); return r }

const users = [['leader1', '班长丙', 'leader'], ['1001', '坐席甲', 'agent'], ['1002', '坐席乙', 'agent']]

/** The bureau as a file. Two districts, so that the seat map has to say which seat is where. */
const yaml = (party, second) => `
sites:
  - {code: east, name: 东城区, name_en: East district, kind: district, parent: main}
calendars:
  - {code: office, name: 全天, always: true}
users:
${users.map(([code, name, role]) => `  - {code: "${code}", name: ${name}, site: main, roles: [${role}], locale: LOCALE, active: true, password: ${secret}, must_change: false}`).join('\n')}
skills:
  - {code: vat, name: 增值税, name_en: VAT}
agents:
  - {user: "1001", skills: {general: 1}}
  - {user: "1002", skills: {general: 1}}
queues:
  - {code: vat, name: 增值税, name_en: VAT, site: main, needs: [{skill: vat, level: 1}], ring_s: 15, wrapup_s: 30, max_wait_s: 900, calendar: office, on_full: full, on_max_wait: full, on_no_agents: no_agents, on_closing: closing}
phones:
  - {code: "8001", name: 一号机, site: main, password: Phone-secret-8001}
  - {code: "8002", name: 二号机, site: main, password: Phone-secret-8002}
seats:
  - {code: A01, site: main, zone: A, phone: "8001", headset: H-17, port: P-01}
  - {code: A02, site: main, zone: A, phone: "8002"}
  - {code: E01, site: east, zone: A}
  - {code: E02, site: east, zone: A, kind: post}
  - {code: W01, site: main, zone: A, headset: H-18}
flows:
  - {code: straight, name: 直达, name_en: Straight, start: q, nodes: [{id: q, kind: queue, queue: general}]}
  - code: menu
    name: 菜单
    name_en: Menu
    start: hello
    nodes:
      - {id: hello, kind: play, prompts: [beep], next: menu}
      - {id: menu, kind: menu, name: 主菜单, name_en: Main menu, prompts: [beep], first: 60s, retries: 0, timeout: bye, invalid: bye, bypass: q, keys: [{key: "1", name: 自助, name_en: Self service, to: self}, {key: "0", name: 人工, name_en: Agent, to: q}]}
      - {id: self, kind: play, prompts: [beep], served: true, next: bye}
      - {id: q, kind: queue, queue: general}
      - {id: bye, kind: hangup}
trunks:
  - {code: street, name: 中继, site: main, kind: ip, peers: ["${party}"], accept: ["127.0.0.1/32"], options_s: 0}
numbers:
  - {code: "12366", name: 热线, site: main, flow: straight, trunk: street}
  - {code: "12367", name: 菜单, site: main, flow: menu, trunk: street}
retention:
  - {code: usual, name: 一般录音, days: 365}
costs:
  - {site: main, per_hour: 60}
outbound_lists:
  - {code: visit, name: 回访名单, name_en: Visits, kind: visit, mode: preview, site: main, queue: general, tries: 2, gap_min: 30, ring_s: 40, from: "00:00", to: "23:59", script: 您好，这里是测试税务局。}
surge_plans:
  - {code: crowd, name: 来电高峰, name_en: Crowd, site: main, steps: [{kind: recall}, {kind: notice, prompt: filing_season}]}
alerts:
  - {code: staff, name: 在岗人数过少, name_en: Too few at work, site: main, figure: staffed, raise: ${second ?? 3}, for_s: 0, clear: 9, calm_s: 0, plan: crowd}
settings: {recording: true, no_menu: false, language: zh}
`

/** bureau gives a house that is ready to work, and somebody outside it who answers. */
export async function bureau(program, telephone, name, locale) {
  const house = new House(program, name)
  await house.start()
  const token = (await house.link()).split('token=')[1]
  await must(await fetch(`${house.url}/api/v1/setup`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token, bureau: { name: '测试税务局' }, admin: { user: 'admin', name: '管理员', password: secret } }),
  }))
  const party = new Party(telephone, house)
  house.apply(yaml(await party.address()).replaceAll('LOCALE', locale))
  return { house, party }
}

/** comes gives somebody's page, signed in to the house. */
export async function comes(browser, house, user, locale) {
  const page = await person(browser, house, locale)
  await page.goto('/login')
  await page.evaluate(async ([u, p, l]) => {
    for (const [method, path, body] of [['POST', 'login', { user: u, password: p }], ['PUT', 'me/locale', { locale: l }]]) {
      const r = await fetch(`/api/v1/${path}`, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
      if (!r.ok) throw new Error(await r.text())
    }
  }, [user, secret, locale])
  return page
}

/** works signs somebody in at their browser; ready says that they are ready at once. */
export async function works(browser, house, user, locale, ready = true) {
  const page = await comes(browser, house, user, locale)
  await page.goto('/desk')
  await page.locator('.is-big').click()
  await page.waitForSelector('.idle')
  if (ready) await isReady(page)
  return page
}

/** isReady brings an agent to ready, when their browser has registered as a phone. */
export async function isReady(page) {
  const desk = () => page.evaluate(() => fetch('/api/v1/desk').then((r) => r.json()))
  for (let i = 0; i < 60; i++) {
    const d = await desk()
    if (d.state.state === 'ready') return
    if (d.endpoint?.registered && d.state.state === 'away') await page.keyboard.press('Shift+F8')
    await page.waitForTimeout(250)
  }
  throw new Error(`an agent does not come to be ready: ${JSON.stringify(await desk())}`)
}
