// The browser phone against a real browser: the mock sends INVITEs whose far end is another peer connection in the
// same page, so that JsSIP, the desk and WebRTC are what the product ships. `node web/dev/calls.mjs`
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { AxeBuilder } from './axe.mjs'
import { chromium } from 'playwright-core'

const mock = spawn(process.execPath, [fileURLToPath(new URL('mock.mjs', import.meta.url))], { env: { ...process.env, PORT: '0' } })
const base = await new Promise((done) => mock.stdout.on('data', (d) => done(/http:\S+/.exec(String(d))[0])))
const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--allow-loopback-in-peer-connection']
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
const post = (path, body) => fetch(base + path, { method: 'POST', body: JSON.stringify(body) })
const scene = (s) => post('/dev/scene', { scene: s, me: { locale: 'zh' } })
let failed = 0
const check = (name, ok, more = '') => {
  if (!ok) failed++
  console.log(ok ? 'ok  ' : 'FAIL', name, more)
}
const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ['microphone'] })
await context.addInitScript(() => {
  sessionStorage.setItem('kapok.desk.1001', '1')
  const Real = RTCPeerConnection
  window.seen = []
  window.RTCPeerConnection = class extends Real { constructor(...a) { super(...a); if (!window.far) window.seen.push(this) } }
  window.ring = async (kind) => {
    window.far = true
    const pc = new Real({ iceServers: [] })
    window.far = false
    const tone = new AudioContext()
    const o = tone.createOscillator()
    const out = tone.createMediaStreamDestination()
    o.connect(out)
    o.start()
    pc.addTrack(out.stream.getTracks()[0], out.stream)
    await pc.setLocalDescription(await pc.createOffer())
    await new Promise((r) => { if (pc.iceGatheringState === 'complete') r(); else pc.onicegatheringstatechange = () => pc.iceGatheringState === 'complete' && r(); setTimeout(r, 1500) })
    const sdp = pc.localDescription.sdp
    window.pending = fetch('/dev/invite', { method: 'POST', body: JSON.stringify({ sdp, kind }) }).then((r) => r.json()).then(async ({ answer }) => {
      if (answer) await pc.setRemoteDescription({ type: 'answer', sdp: answer })
      window.farEnd = pc
      return !!answer
    })
  }
  window.heard = async (pc) => {
    let n = 0
    ;(await pc.getStats()).forEach((s) => { if (s.type === 'inbound-rtp') n += s.packetsReceived })
    return n
  }
})
const page = await context.newPage()
page.on('pageerror', (e) => check('no page error', false, e.message))
const axe = async (name) => {
  const bad = await AxeBuilder(page)
  check(`axe: ${name}`, bad.length === 0, bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).slice(0, 4).join(' | ')}`).join('; '))
}

await scene('nobody'); await page.goto(`${base}/login`); await page.waitForSelector('#user'); await page.waitForTimeout(400); await axe('login')
await scene('out'); await page.goto(`${base}/desk`); await page.waitForSelector('.way'); await page.waitForTimeout(400); await axe('sign-in')
await page.click('.is-big')
await page.waitForSelector('.idle')
check('signs in as away', (await page.textContent('.now')).includes('小休'))
await page.waitForFunction(() => document.querySelector('.phone')?.textContent.includes('已就绪'), null, { timeout: 8000 })
check('browser phone registers', true)
await page.keyboard.press('Shift+F8'); await page.waitForFunction(() => document.querySelector('.now')?.textContent.includes('示闲'))
check('Shift F8 goes ready', true); await axe('idle')

// The ring: the desk shows the offer, F2 sends the 200 OK, media flows both ways.
await scene('ring'); await page.waitForSelector('.ring .answer'); check('skill and why me are shown', /增值税 ≥ 2/.test(await page.textContent('.centre .ring')) && /空闲 1:32/.test(await page.textContent('.centre .ring'))); await axe('ring')
await page.evaluate(() => window.ring('offer')); await page.waitForTimeout(600)
check('title flashes', (await page.title()).includes('来电') || (await page.waitForTimeout(950), (await page.title()).includes('来电')))
check('a screen reader is told', (await page.textContent('[aria-live=assertive]')).includes('来电'))
const t0 = Date.now()
await page.keyboard.press('F2')
check('the INVITE is answered', await page.evaluate(() => window.pending))
await page.waitForFunction(() => window.farEnd?.connectionState === 'connected', null, { timeout: 8000 })
console.log('     F2 to connected', Date.now() - t0, 'ms')
await scene('talk'); await page.waitForSelector('.wrapup'); await page.waitForTimeout(2500)
check('the far end hears the agent', (await page.evaluate(() => window.heard(window.farEnd))) > 50)
check('the agent hears the far end', (await page.evaluate(() => window.heard(window.seen.at(-1)))) > 50)
check('line quality is shown', await page.locator('.quality').isVisible()); await axe('talking')
await page.keyboard.press('F8'); await page.waitForSelector('[aria-pressed=true]')
check('F8 mutes', await page.evaluate(() => !window.seen.at(-1).getSenders()[0].track.enabled)); await page.keyboard.press('F8')
await page.keyboard.press('F4'); await page.waitForFunction(() => document.querySelector('.said')?.textContent.includes('音乐')); check('F4 holds', true); await page.keyboard.press('F4')
await page.keyboard.press('F9'); await page.waitForSelector('#targets li'); await axe('transfer'); await page.keyboard.press('Escape')

// Wrap-up by keys alone.
await page.focus('#w-topic'); await page.keyboard.type('sdp'); await page.keyboard.press('Tab'); await page.keyboard.press('Tab'); await page.keyboard.press('Tab')
await page.keyboard.type('91440103MA99QUKA40'); check('wrong check digit is told at once', (await page.textContent('.said.bad')).includes('校验位'))
await page.keyboard.press('Backspace'); await page.keyboard.type('1'); check('right one too', (await page.textContent('.said.ok')).includes('统一社会信用代码'))
await page.keyboard.press('Tab'); await page.keyboard.press('Tab'); await page.keyboard.type('额度怎么调'); await page.waitForTimeout(1200)
check('autosaved', (await page.textContent('.head')).includes('已保存'))
check('topic chosen by initials', (await page.inputValue('#w-topic')).includes('数电票'))

// The line goes: the call stays, and is taken back by itself.
await page.evaluate(() => fetch('/dev/cut', { method: 'POST' })); await page.waitForTimeout(200)
await page.waitForFunction(() => /通话保留/.test(document.body.textContent), null, { timeout: 4000 }).then(() => check('"call kept" is shown', true), () => check('"call kept" is shown', false))
await page.waitForFunction(() => !/通话保留/.test(document.querySelector('.strip.lost, .lost')?.textContent ?? ''), null, { timeout: 12000 })
const before = await page.evaluate(() => window.seen.length)
await page.evaluate(() => window.ring('reattach'))
check('reattach is answered by itself', await page.evaluate(() => window.pending))
await page.waitForFunction(() => window.farEnd?.connectionState === 'connected', null, { timeout: 8000 }); await page.waitForTimeout(1200)
check('media flows again', (await page.evaluate(() => window.heard(window.farEnd))) > 20 && (await page.evaluate(() => window.seen.length)) > before)

// A reload in the middle of the call: registered again, taken back, the typed words still there.
await page.reload(); await page.waitForSelector('.wrapup'); await page.waitForTimeout(1500)
await page.evaluate(() => window.ring('reattach')); check('after a reload too', await page.evaluate(() => window.pending))
check('typed words survive the reload', (await page.inputValue('#w-question')) === '额度怎么调')
await page.keyboard.press('Shift+F4'); await page.waitForFunction(() => document.querySelector('.count'), null, { timeout: 4000 }); check('Shift F4 hangs up, wrap-up counts', true); await axe('wrap-up')
await page.keyboard.press('Control+Enter'); await page.waitForSelector('.idle'); check('Ctrl Enter saves and goes ready', (await page.textContent('.now')).includes('示闲'))

// A second tab asks before it takes the desk over, and the first lets go.
const second = await context.newPage()
await second.goto(`${base}/desk`); await second.waitForSelector('[role=alertdialog]'); check('a second tab asks', true)
await second.click('.is-big'); await second.waitForSelector('.idle'); await page.waitForSelector('[role=alertdialog]'); check('the first lets go', true)
await second.close()
await scene('handset'); await page.goto(`${base}/desk`); await page.waitForSelector('.centre .ring'); check('seat phone: no Answer button', (await page.locator('.centre .answer').count()) === 0 && (await page.textContent('.centre .ring')).includes('拿起话机'))
await scene('ready'); await page.goto(`${base}/sessions`); await page.waitForSelector('table'); await axe('sessions')

// An authenticator app: begin, a wrong code, a right one, the recovery codes once, the way out.
await page.goto(`${base}/totp`); await page.click('main .is-primary, .page .is-primary'); await page.waitForSelector('svg.code path'); await axe('authenticator: QR code')
await page.fill('#code', '000000'); await page.keyboard.press('Enter'); await page.waitForSelector('.page [role=alert]'); check('a wrong code is told', true)
await page.fill('#code', '123456'); await page.keyboard.press('Enter'); await page.waitForSelector('.codes li'); check('ten recovery codes, once', (await page.locator('.codes li').count()) === 10); await axe('authenticator: recovery codes')
await page.check('.page input[type=checkbox]'); await page.click('.page .is-primary'); await page.waitForSelector('#off'); check('codes are gone, it can be removed', (await page.locator('.codes').count()) === 0)

// Team leader: tiles with over-limit marks, a call for help that stays until it is taken care of.
await post('/dev/scene', { scene: 'help', me: { rights: ['identity.self.use', 'desk.self.use', 'desk.team.see', 'report.wallboard.see'] } })
await page.goto(`${base}/team`); await page.waitForSelector('.tiles .tile'); await page.waitForTimeout(300)
check('a call for help stands above every page', (await page.textContent('.strip')).includes('坐席丙求助'))
check('who is over the limit is marked', (await page.locator('.tile .late').count()) === 2)
check('who asks for help comes first', (await page.textContent('.tiles .tile')).includes('来电人要求升级')); await axe('team')
await page.click('.strip .k-btn'); await page.waitForFunction(() => !document.querySelector('.strip')); check('it goes when taken care of', true)
await post('/dev/scene', { me: { rights: ['identity.self.use', 'desk.self.use', 'report.wallboard.see'] } })

// A take-over from another computer is told to this page.
await scene('ready'); await page.goto(`${base}/desk`); await page.waitForSelector('.idle')
await post('/dev/scene', { scene: 'taken' }); await page.waitForSelector('[role=alertdialog]'); check('a take-over elsewhere is told', true)
await scene('ready')
await page.goto(`${base}/headset`); await page.waitForSelector('.test'); await page.waitForTimeout(300); await axe('headset')
await page.keyboard.press('Control+k'); await page.waitForSelector('.palette'); await axe('palette'); await page.keyboard.press('Escape')
await page.click('.me > button'); await page.waitForTimeout(200); await axe('me menu')
await page.evaluate(() => document.documentElement.classList.add('dark')); await page.waitForTimeout(400); await axe('dark')
await browser.close()
mock.kill()
console.log(failed ? `${failed} failed` : 'all passed')
process.exit(failed ? 1 : 0)
