// A furnished house: the demo bureau with passwords, and a street outside whose telephone rings when it is called.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { person } from './browser.mjs'
import { Caller, House, root, sleep } from './house.mjs'

export const password = 'Kapok-2026-baum'

/** Called is somebody outside who is called: they lift after a while and send 440 Hz. */
export class Called {
  constructor(program, house, number = '02083330000') {
    this.process = spawn(program, ['-to', house.sip, '-from', number, '-tone', '440', '-listen', '880', '-rings', '700ms'])
    process.on('exit', () => this.process.kill('SIGKILL'))
    this.lines = []
    this.addr = new Promise((ok) => createInterface({ input: this.process.stdout }).on('line', (l) => {
      const x = JSON.parse(l)
      if (x.addr) ok(x.addr)
      this.lines.push({ ...x, at: Date.now() })
    }))
  }

  close() { this.process.kill('SIGTERM') }
}

/** furnished starts a house with the demo bureau, whose calls out reach `called`. */
export async function furnished(program, telephone, name) {
  const house = new House(program, name)
  await house.start()
  const called = new Called(telephone, house)
  let bureau = readFileSync(join(root, 'app', 'demo', 'bureau.yaml'), 'utf8')
  for (const user of ['leader1', '1001', '1002']) bureau = bureau.replace(new RegExp(`(\\{(?:user|code): "?${user}"?)(?=,)`), `$1, password: ${password}, must_change: false`)
  bureau = bureau.replace('trunks:\n', `trunks:\n  - {code: aout, name: 外线, site: gz, kind: ip, caller_id: "02012366", peers: ["${await called.addr}"], accept: ["127.9.9.9/32"]}\n`)
  house.apply(bureau)
  return { house, called }
}

/** at opens a page of somebody who is logged in, in a language. */
export async function at(browser, house, user, locale, path = '/desk') {
  const page = await person(browser, house, locale)
  await page.goto('/login')
  await page.fill('#user', user)
  await page.fill('#password', password)
  await page.keyboard.press('Enter')
  await page.waitForSelector('.me')
  await page.evaluate((l) => fetch('/api/v1/me/locale', { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ locale: l }) }), locale)
  await page.goto(path)
  return page
}

/** calling is somebody who calls the hotline; a house that has too much to do says so, and they call again. */
export async function calling(telephone, house, number) {
  for (let tries = 0; ; tries++) {
    const caller = new Caller(telephone, house, number)
    for (let i = 0; i < 100 && !caller.lines.length && !caller.errors; i++) await sleep(50)
    if (caller.lines.length || tries === 10) return caller
    await sleep(2000)
  }
}
