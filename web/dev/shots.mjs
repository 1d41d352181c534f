// Pictures of the pages against the mock: `node web/dev/shots.mjs <folder> [name…]`. CHROMIUM names the browser.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const out = process.argv[2] ?? 'shots'
const only = process.argv.slice(3)
mkdirSync(out, { recursive: true })
const mock = spawn(process.execPath, [fileURLToPath(new URL('mock.mjs', import.meta.url))], { env: { ...process.env, PORT: '0' } })
const base = await new Promise((done) => mock.stdout.on('data', (d) => done(/http:\S+/.exec(String(d))[0])))
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection']
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
const scene = (s, me) => fetch(`${base}/dev/scene`, { method: 'POST', body: JSON.stringify({ scene: s, me }) })

const shots = [
  ['login', 'nobody', '/login'], ['setup', 'nobody', '/setup?token=x'], ['signin', 'out', '/desk'], ['takeover', 'idle', '/desk', { foreign: true }],
  ['idle', 'idle', '/desk'], ['ready', 'ready', '/desk'], ['ring', 'ring', '/desk'], ['handset', 'handset', '/desk'], ['talk', 'talk', '/desk', { fill: true }],
  ['topic', 'talk', '/desk', { topic: true }], ['transfer', 'talk', '/desk', { key: 'F9' }], ['keypad', 'held', '/desk', { key: 'Shift+F9' }], ['wrapup', 'wrapup', '/desk', { fill: true, badTax: true }],
  ['statemenu', 'ready', '/desk', { click: '.state' }], ['me', 'ready', '/desk', { click: '.me > button' }], ['palette', 'ready', '/desk', { key: 'Control+k' }], ['keys', 'ready', '/desk', { keys: true }],
  ['lost', 'talk', '/desk', { cut: true }], ['sessions', 'ready', '/sessions'], ['headset', 'ready', '/headset', { mic: true }],
]
for (const [name, sc, path, how = {}] of shots) {
  if (only.length && !only.includes(name)) continue
  for (const [size, w, h] of [['1280', 1280, 800], ['1920', 1920, 1080]]) {
    for (const [lang, theme] of [['zh', 'light'], ['en', 'light'], ...(size === '1280' ? [['zh', 'dark']] : [])]) {
      if (size === '1920' && lang === 'en') continue
      const context = await browser.newContext({ viewport: { width: w, height: h }, permissions: ['microphone'], locale: lang === 'zh' ? 'zh-CN' : 'en-US' })
      await context.addInitScript(([l, t, foreign]) => {
        localStorage.setItem('kapok.locale', l)
        localStorage.setItem('kapok.theme', t)
        if (!foreign) sessionStorage.setItem('kapok.desk.1001', '1')
      }, [lang, theme, how.foreign])
      const page = await context.newPage()
      page.on('pageerror', (e) => console.log(name, lang, 'pageerror', e.message))
      page.on('console', (m) => { if (m.type() === 'error' && !/401|404/.test(m.text())) console.log(name, lang, m.text()) })
      await scene(sc, { locale: lang })
      await page.goto(base + path)
      await page.waitForTimeout(900)
      if (how.fill) {
        await page.fill('#w-topic', 'zzs')
        await page.keyboard.press('Enter')
        await page.fill('#w-tax', how.badTax ? '91440103MA99QUKA40' : '91440103MA99QUKA41')
        await page.fill('#w-question', '上月取得的进项发票未勾选,本月能否补勾选抵扣?')
        await page.fill('#w-answer', '可以。登录电子税务局税务数字账户,在抵扣勾选模块选择所属期后勾选确认。')
        await page.focus('#w-note')
        await page.waitForTimeout(1100)
      }
      if (how.topic) {
        await page.focus('#w-topic')
        await page.keyboard.type('s')
      }
      if (how.key) await page.keyboard.press(how.key)
      if (how.click) await page.click(how.click)
      if (how.keys) {
        await page.click('.me > button')
        await page.click('.menu .item')
      }
      if (how.cut) {
        await context.setOffline(true)
        await fetch(`${base}/dev/cut`, { method: 'POST' })
        await page.waitForTimeout(3000)
      }
      if (how.mic) {
        await page.click('.test .k-btn')
        await page.waitForTimeout(1200)
      }
      await page.waitForTimeout(500)
      const overflow = await page.evaluate(() => [document.documentElement.scrollHeight - innerHeight, ...[...document.querySelectorAll('main, .column')].map((e) => e.scrollHeight - e.clientHeight)])
      if (overflow.some((v) => v > 1)) console.log(name, lang, size, 'scrolls', overflow.join(' '))
      await page.screenshot({ path: `${out}/${name}-${size}-${lang}-${theme}.png` })
      await context.close()
    }
  }
}
await browser.close()
mock.kill()
