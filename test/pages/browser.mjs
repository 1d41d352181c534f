// A headless Chromium whose microphone is a tone, and what is asked of a page.
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { root, tone } from './house.mjs'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
let failed = 0

/** check notes one thing that has to be so. */
export function check(name, ok, more = '') {
  if (!ok) failed++
  console.log(ok ? '  ok  ' : '  FAIL', name, more)
}

/** failures counts what was not so. */
export const failures = () => failed

/** forgive forgets what was counted since: the same is tried again. */
export const forgive = (since) => { failed = since }

/** launch starts Chromium. */
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
    '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', `--use-file-for-fake-audio-capture=${tone(880)}`,
    '--allow-loopback-in-peer-connection', '--autoplay-policy=no-user-gesture-required',
  ],
})

// What comes in by WebRTC is measured in the page: how much of it is the caller's 440 Hz.
function ears() {
  const Real = window.RTCPeerConnection
  window.peers = []
  window.RTCPeerConnection = class extends Real {
    constructor(...a) {
      super(...a)
      window.peers.push(this)
      this.addEventListener('track', (e) => {
        const context = new AudioContext()
        const meter = context.createAnalyser()
        meter.fftSize = 4096
        meter.smoothingTimeConstant = 0
        context.createMediaStreamSource(new MediaStream([e.track])).connect(meter)
        window.ear = { meter, rate: context.sampleRate }
      })
    }
  }
  window.peak = () => {
    if (!window.ear) return { hz: 0, level: -127 }
    const bins = new Float32Array(window.ear.meter.frequencyBinCount)
    window.ear.meter.getFloatFrequencyData(bins)
    let at = 0
    bins.forEach((v, i) => { if (v > bins[at]) at = i })
    return { hz: Math.round((at * window.ear.rate) / window.ear.meter.fftSize), level: Math.round(bins[at]) }
  }
}

/** person opens a browser of one person, in a language. */
export async function person(browser, house, locale) {
  const context = await browser.newContext({ baseURL: house.url, viewport: { width: 1440, height: 900 }, permissions: ['microphone', 'notifications'], acceptDownloads: true })
  await context.addInitScript(ears)
  await context.addInitScript((l) => { if (!localStorage.getItem('kapok.locale')) localStorage.setItem('kapok.locale', l) }, locale)
  const page = await context.newPage()
  page.on('pageerror', (e) => check('no error in the page', false, e.message))
  page.setDefaultTimeout(45_000)
  return page
}

/** accessible runs axe-core: no serious finding. */
export async function accessible(page, name) {
  await page.waitForTimeout(500) // colours that fade in are measured at their end
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }))
  const bad = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical')
  check(`axe: ${name}`, bad.length === 0, bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join(' | ')}`).join('; '))
}

/** hearsCaller waits until the page hears the caller's tone. */
export async function hearsCaller(page, name) {
  const peak = await page.waitForFunction(() => { const p = window.peak(); return Math.abs(p.hz - 440) < 25 && p.level > -60 ? p : null }, null, { timeout: 45_000 })
    .then((h) => h.jsonValue(), () => page.evaluate(() => window.peak()))
  check(name, Math.abs(peak.hz - 440) < 25 && peak.level > -60, `${peak.hz} Hz at ${peak.level} dB`)
}

/** hears says whether the page comes to hear a tone. */
export const hears = (page, hz) => page.waitForFunction((f) => { const p = window.peak(); return Math.abs(p.hz - f) < 25 && p.level > -60 }, hz, { timeout: 45_000, polling: 50 }).then(() => true, () => false)

/** press uses a button: by mouse, or by focus and Enter. */
export async function press(locator, by) {
  if (by === 'mouse') return locator.click()
  await locator.focus()
  return locator.press('Enter')
}

/** texts gives the words of the pages in a language, so that no test holds a copy of them. */
export function texts(locale) {
  const all = {}
  for (const dir of ['web/src', 'modules/desk/ui', 'modules/identity/ui', 'modules/report/ui', 'modules/voice/ui', 'modules/routing/ui', 'modules/alert/ui', 'modules/outbound/ui']) {
    Object.assign(all, JSON.parse(readFileSync(join(root, dir, 'texts', `${locale}.json`), 'utf8')))
  }
  return (key) => {
    if (!all[key]) throw new Error(`no text ${key} in ${locale}`)
    return all[key]
  }
}

/** picture makes a screenshot for the README, when asked to by KAPOK_PICTURES=1. */
export async function picture(page, name, locale) {
  if (!process.env.KAPOK_PICTURES) return
  const dir = join(root, 'docs', 'img')
  mkdirSync(dir, { recursive: true })
  await page.screenshot({ path: join(dir, `${name}-${locale}.png`) })
}
