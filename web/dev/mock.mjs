// A stand-in for the house while pages are built: made-up data, scenes set by POST /dev/scene, the live socket and
// just enough SIP over WebSocket to register the browser phone and to ring it. It is no part of the product.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { randomBytes } from 'node:crypto'
import { WebSocketServer } from 'ws'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const now = () => Date.now()
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

const reasons = [['REST', '小休', 'Break', 15], ['MEAL', '用餐', 'Meal', 60], ['WC', '离席', 'Away from seat', 8], ['MEET', '例会', 'Meeting', 60], ['TRAIN', '培训', 'Training', 120], ['COACH', '辅导', 'Coaching', 30], ['QA', '质检复盘', 'Quality review', 60], ['OUT', '外呼回访', 'Call-back', 0], ['KB', '查核知识', 'Research', 10], ['SYS', '系统故障', 'System fault', 0]]
  .map(([code, name, name_en, max_minutes]) => ({ code, name, name_en, max_minutes }))
const topics = [['0101', '税费政策', '增值税'], ['0103', '税费政策', '企业所得税'], ['0104', '税费政策', '个人所得税'], ['0110', '税费政策', '综合减免'], ['0201', '办税流程', '登记变更注销'], ['0202', '办税流程', '发票领用开具'], ['0203', '办税流程', '数电票'], ['0207', '办税流程', '退税'], ['0208', '办税流程', '汇算清缴'], ['0301', '系统操作', '电子税务局'], ['0403', '信息查询', '办理进度'], ['0501', '诉求', '投诉-言行'], ['0604', '其他', '重复来电']]
  .map(([code, level1, level2]) => ({ code, level1, level2 }))
const taxTypes = [['01', '增值税'], ['03', '营业税', '', '2016-04-30'], ['04', '企业所得税'], ['10', '个人所得税'], ['17', '印花税'], ['23', '环境保护税', '2018-01-01'], ['99', '综合']].map(([code, name, valid_from = '', valid_to = '']) => ({ code, name, valid_from, valid_to }))
const districts = [['gz-th', '天河区', 'Tianhe'], ['gz-yx', '越秀区', 'Yuexiu'], ['gz-hz', '海珠区', 'Haizhu'], ['gz-lw', '荔湾区', 'Liwan'], ['gz-by', '白云区', 'Baiyun'], ['gz-py', '番禺区', 'Panyu']].map(([code, name, name_en]) => ({ code, name, name_en }))

const me = { user: '1001', name: '坐席甲', site: 'gz', site_name: '广州', rank: 'L3', roles: ['agent'], rights: ['identity.self.use', 'desk.self.use', 'report.wallboard.see'], locale: 'zh', must_change: false, demo: true, session: 's1', bureau: { name: '某市税务局 12366', name_en: 'City Tax Service 12366' } }
let signedIn = false // a login, not the desk
const contact = '01JDBXK3ZC0000000000000001'
let desk
const sip = () => ({ user: 'u1001', secret: 'x', realm: 'kapok.local', ws_path: '/sip' })
function reset() {
  desk = { signed_in: false, state: { state: 'signed_out', since: now() }, endpoint: { kind: '', registered: false }, calls: [], reasons, wrapup: null, help: { asked: false }, ring_timeout_ms: 15000 }
}
reset()
const call = (phase, more = {}) => ({ contact, number: '139****0137', city: '广州', direction: 'in', queue: 'vat', queue_name: '增值税与发票', queue_name_en: 'VAT and invoices', waited_ms: 38000, phase, since: now(), answer: desk.endpoint.kind === 'phone' ? 'handset' : 'browser', ...more })
const drafts = new Map()
const pop = { number: '139****0137', city: '广州', person: { id: 'p1', name: '广州某贸易有限公司', tax_id: '914***********X3', type: '一般纳税人' }, contacts_today: 3, history: [
  { contact: 'a', at: now() - 2 * 3600e3, agent_name: '坐席丙', topic: '0203', question: '数电票额度不够,如何申请调整?', answer: '登录电子税务局,在“发票额度调整申请”提交合同等资料,一般 1 个工作日内反馈。', outcome: 'answered' },
  { contact: 'b', at: now() - 26 * 3600e3, agent_name: '坐席乙', topic: '0207', question: '留抵退税需要什么条件?', answer: '先核对纳税信用等级和是否享受过即征即退,再按期末留抵税额计算。', outcome: 'answered' },
  { contact: 'c', at: now() - 9 * 86400e3, agent_name: '坐席丁', topic: '0301', question: '电子税务局登录时提示验证码错误。', answer: '清除缓存后重试;仍不行可用短信登录。', outcome: 'answered' },
] }
const wall = () => ({ at: now(), site: 'gz', waiting: 7, longest_ms: 42000, longest_since: now() - 42000, rate_now: 0.893, rate_today: 0.914, total_rate_today: 0.952, caller_rate_today: 0.947, target: 0.9, spark: { waiting: [], longest: [], rate: [] }, queues: [], agents: [] })
const day = { answered: 62, aht_ms: 198000, talk_ms: 9.1e6, wrap_ms: 1.9e6, hold_ms: 2.4e5, missed: 1, offered: 63, ready_ms: 3.2e6, away_ms: 1.5e6, signed_in_ms: 1.57e7, answer_rate: 0.984 }
const directory = [{ code: '1002', name: '坐席乙', kind: 'agent', state: 'ready', since: now() - 30000 }, { code: '1003', name: '坐席丙', kind: 'agent', state: 'talking', since: now() - 130000 }, { code: '1004', name: '坐席丁', kind: 'agent', state: 'wrapup', since: now() - 20000 }, { code: '1008', name: '班长戊', kind: 'agent', state: 'away', reason: 'MEET', since: now() - 600000 }, { code: 'vat', name: '增值税与发票', name_en: 'VAT and invoices', kind: 'queue', waiting: 4 }, { code: 'it', name: '个人所得税', name_en: 'Individual income tax', kind: 'queue', waiting: 2 }, { code: 'en', name: '英语服务', name_en: 'English service', kind: 'queue', waiting: 0 }]

let helping = false
const teamCall = (phase, since) => ({ contact: 't1', number: '138****2046', queue: 'vat', queue_name: '增值税与发票', queue_name_en: 'VAT and invoices', phase, since })
const team = () => ({ at: now(), agents: [
  { user: '1002', name: '坐席乙', site: 'gz', state: 'ready', since: now() - 30e3, calls: [] },
  { user: '1003', name: '坐席丙', site: 'gz', state: 'talking', since: now() - 130e3, calls: [teamCall('talking', now() - 130e3)], ...(helping ? { help: { contact: 't1', note: '来电人要求升级', at: now() - 12e3 } } : {}) },
  { user: '1004', name: '坐席丁', site: 'gz', state: 'wrapup', since: now() - 50e3, limit_ms: 30000, calls: [teamCall('wrapup', now() - 50e3)] },
  { user: '1008', name: '坐席己', site: 'gz', state: 'away', reason: 'REST', reason_name: '小休', reason_name_en: 'Break', since: now() - 20 * 60e3, limit_ms: 15 * 60e3, calls: [] },
] })

const pages = new Set()
let seq = now() * 1024
const publish = (topic, data) => { seq += 1024; for (const p of pages) if (p.topics.has(topic)) p.send(JSON.stringify({ topic, seq, data })) }
const changed = () => publish('desk', desk)
const to = (state, reason) => { desk.state = { state, since: now(), ...(reason ? { reason } : {}) } }

const scenes = {
  out: reset,
  idle: () => { reset(); desk.signed_in = true; desk.endpoint = { kind: 'browser', registered: true }; desk.sip = sip(); to('away', 'REST') },
  ready: () => { scenes.idle(); to('ready') },
  ring: () => { scenes.ready(); desk.calls = [call('ringing', { skills: [{ skill: 'vat', name: '增值税', level: 2 }], why: { cause: 'contact', idle_ms: 92000 } })]; to('ringing') },
  help: () => { scenes.ready(); helping = true; publish('help', {}) },
  taken: () => { desk.holder = 's2' },
  talk: () => { scenes.ready(); desk.calls = [call('talking', { quality: { mos: 4.2, loss: 0.002 } })]; to('talking') },
  held: () => { scenes.talk(); desk.calls[0].phase = 'held' },
  wrapup: () => { scenes.ready(); desk.calls = [call('wrapup')]; to('wrapup'); desk.wrapup = { contact, deadline: now() + 28000 } },
  handset: () => { scenes.ready(); desk.endpoint = { kind: 'phone', phone: '8001', registered: true }; delete desk.sip; desk.calls = [call('ringing')]; to('ringing') },
  missed: () => { scenes.idle(); to('away', 'SYS') },
}

const fault = (status, code, more = {}) => ({ status, body: { type: 'about:blank', title: code, status, code, log: 'K7Q2M9XT4C', ...more } })
const routes = {
  'POST /api/v1/login': (b) => (b.password === 'wrong' ? fault(401, 'identity.login.refused', { detail: '工号或密码不对,还可再试 4 次。' }) : (signedIn = true, { user: me.user, name: me.name, must_change: false })),
  'POST /api/v1/demo/login': () => (signedIn = true, { user: me.user, name: me.name }),
  'GET /api/v1/demo/logins': () => [{ user: '1001', name: '坐席甲', role: 'agent' }, { user: '1002', name: '坐席乙', role: 'agent' }, { user: '2001', name: '班长戊', role: 'leader' }, { user: '9001', name: '负责人己', role: 'manager' }, { user: 'admin', name: '管理员', role: 'admin' }],
  'POST /api/v1/logout': () => { signedIn = false },
  'GET /api/v1/me': () => (signedIn ? me : fault(401, 'web.session.missing')),
  'PUT /api/v1/me/locale': (b) => { me.locale = b.locale },
  'PUT /api/v1/me/password': () => {},
  'POST /api/v1/me/totp': () => ({ secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/Kapok%20City:1001?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Kapok%20City&period=30&digits=6' }),
  'PUT /api/v1/me/totp': (b) => (b.code === '000000' ? fault(401, 'identity.code.wrong', { detail: '数字不对,请看验证器的最新一组。', field: 'code' }) : (me.totp = true, { recovery: Array.from({ length: 10 }, (_, i) => `a${i}b2c-d3e4f`) })),
  'POST /api/v1/me/totp/remove': () => { me.totp = false },
  'GET /api/v1/setup': () => ({ needed: true, valid: true }),
  'POST /api/v1/setup': () => {},
  'GET /api/v1/sessions': () => ({ items: [{ id: 's1', agent: 'Mozilla/5.0 (Windows NT 10.0) Chrome/120.0 Safari/537', ip: '10.1.2.3', created_at: now() - 3600e3, seen_at: now(), current: true }, { id: 's2', agent: 'Mozilla/5.0 (X11; Linux) Firefox/140.0', ip: '10.1.2.9', created_at: now() - 86400e3, seen_at: now() - 7200e3, current: false }] }),
  'GET /api/v1/desk': () => desk,
  'POST /api/v1/desk/signin': (b) => { scenes.idle(); if (b.endpoint !== 'browser') { desk.endpoint = { kind: 'phone', phone: b.endpoint, registered: true }; delete desk.sip } changed(); return desk },
  'POST /api/v1/desk/signout': () => { reset(); changed(); return desk },
  'POST /api/v1/desk/state': (b) => { to(b.state, b.reason); changed(); return desk },
  'POST /api/v1/desk/echo': () => desk,
  'POST /api/v1/desk/help': () => { desk.help = { asked: true }; changed(); return desk },
  'GET /api/v1/desk/lists': () => ({ topics, tax_types: taxTypes, districts }),
  'GET /api/v1/desk/phones': () => [{ code: '8001', registered: true }, { code: '8002', registered: true, taken_by: '坐席乙' }, { code: '8003', registered: false }],
  'GET /api/v1/desk/directory': () => directory,
  'GET /api/v1/desk/team': team,
  'POST /api/v1/desk/team/1003/helped': () => { helping = false; publish('help', {}); return team() },
  'GET /api/v1/desk/day': () => day,
  'GET /api/v1/wallboard': () => wall(),
}
function onContact(method, id, verb, body) {
  const c = desk.calls.find((x) => x.contact === id)
  switch (`${method} ${verb}`) {
    case 'GET pop': return pop
    case 'GET wrapup': return drafts.get(id) ?? {}
    case 'PUT wrapup': drafts.set(id, body); return body
    case 'POST wrapup/done': desk.calls = desk.calls.filter((x) => x !== c); desk.wrapup = null; to(body.state, body.reason); changed(); return desk
    case 'POST wrapup/extend': if (desk.wrapup) desk.wrapup = { ...desk.wrapup, deadline: desk.wrapup.deadline + 60000 }; changed(); return desk
    case 'POST hold': if (c) { c.phase = 'held'; c.since = now() } changed(); return desk
    case 'POST resume': if (c) { c.phase = 'talking'; c.since = now() } changed(); return desk
    case 'POST hangup': case 'POST transfer': scenes.wrapup(); bye(); changed(); return desk
    case 'POST dtmf': return desk
    default: return fault(404, 'web.route.unknown')
  }
}

const server = createServer(async (req, res) => {
  const path = new URL(req.url, 'http://x').pathname
  let text = ''
  for await (const chunk of req) text += chunk
  const body = text ? JSON.parse(text) : {}
  const json = (status, value) => {
    res.writeHead(value === undefined ? 204 : status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json' })
    res.end(value === undefined ? undefined : JSON.stringify(value))
  }
  if (path === '/healthz') return json(200, { ok: true })
  if (path === '/dev/scene') {
    signedIn = body.scene !== 'nobody'
    if (body.me) Object.assign(me, body.me)
    scenes[body.scene]?.()
    changed()
    return json(200, {})
  }
  if (path === '/dev/invite') return json(200, { answer: await invite(body) })
  if (path === '/dev/cut') { for (const ws of [...pages, ...phones]) ws.terminate(); return json(200, {}) }
  if (path.startsWith('/api/')) {
    const known = /^\/api\/v1\/desk\/contacts\/([^/]+)\/(.+)$/.exec(path)
    const handler = routes[`${req.method} ${path}`]
    const answer = known ? onContact(req.method, known[1], known[2], body) : handler ? handler(body) : fault(404, 'web.route.unknown')
    return answer?.status >= 400 && answer.body ? json(answer.status, answer.body) : json(200, answer)
  }
  let file = normalize(join(dist, path))
  if (!file.startsWith(dist) || !extname(file)) file = join(dist, 'index.html')
  try {
    const data = await readFile(file)
    res.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' })
    res.end(data)
  } catch {
    res.writeHead(404).end()
  }
})

const live = new WebSocketServer({ noServer: true })
const sipServer = new WebSocketServer({ noServer: true, handleProtocols: () => 'sip' })
const phones = new Set()
server.on('upgrade', (req, socket, head) => {
  const target = req.url.startsWith('/sip') ? sipServer : live
  target.handleUpgrade(req, socket, head, (ws) => target.emit('connection', ws))
})
live.on('connection', (ws) => {
  ws.topics = new Set()
  pages.add(ws)
  ws.on('close', () => pages.delete(ws))
  ws.on('message', (m) => {
    const { sub = [], unsub = [] } = JSON.parse(m)
    for (const t of sub) { ws.topics.add(t); ws.send(JSON.stringify({ topic: t, seq, reload: true })) }
    for (const t of unsub) ws.topics.delete(t)
  })
})

// SIP: one header a line, no folding; enough for JsSIP.
const header = (msg, name) => new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(msg)?.[1]
let waiting = null
let dialog = null
let contactUri = ''
sipServer.on('connection', (ws) => {
  phones.add(ws)
  ws.on('close', () => phones.delete(ws))
  ws.on('message', (m) => {
    const msg = m.toString()
    const first = msg.split('\r\n')[0]
    if (first.startsWith('SIP/2.0')) {
      const status = Number(first.split(' ')[1])
      if (/INVITE/.test(header(msg, 'CSeq')) && status >= 200) {
        const toTag = header(msg, 'To')
        const ack = [`ACK ${contactUri} SIP/2.0`, `Via: SIP/2.0/WS mock;branch=z9hG4bK${randomBytes(6).toString('hex')}`, `From: ${header(msg, 'From')}`, `To: ${toTag}`, `Call-ID: ${header(msg, 'Call-ID')}`, `CSeq: ${Number.parseInt(header(msg, 'CSeq'), 10)} ACK`, 'Max-Forwards: 70', 'Content-Length: 0', '', ''].join('\r\n')
        ws.send(ack)
        if (status < 300) dialog = { ws, from: header(msg, 'From'), to: toTag, id: header(msg, 'Call-ID') }
        waiting?.(msg.split('\r\n\r\n')[1] ?? '')
        waiting = null
      }
      return
    }
    const reply = (extra = []) => ws.send(['SIP/2.0 200 OK', ...msg.split('\r\n').filter((l) => /^Via:/i.test(l)), `From: ${header(msg, 'From')}`, `To: ${header(msg, 'To')}${/tag=/.test(header(msg, 'To')) ? '' : ';tag=mock'}`, `Call-ID: ${header(msg, 'Call-ID')}`, `CSeq: ${header(msg, 'CSeq')}`, ...extra, 'Content-Length: 0', '', ''].join('\r\n'))
    if (first.startsWith('REGISTER')) {
      contactUri = /<([^>]+)>/.exec(header(msg, 'Contact') ?? '')?.[1] ?? contactUri
      reply([`Contact: ${header(msg, 'Contact')};expires=120`, 'Expires: 120'])
    } else if (!first.startsWith('ACK')) reply()
  })
})
function invite({ sdp, contact: id = contact, kind = 'offer' }) {
  const ws = [...phones].at(-1)
  if (!ws) return Promise.resolve('')
  return new Promise((done) => {
    waiting = done
    ws.send([`INVITE ${contactUri} SIP/2.0`, `Via: SIP/2.0/WS mock;branch=z9hG4bK${randomBytes(6).toString('hex')}`, 'From: <sip:house@kapok.local>;tag=h1', 'To: <sip:u1001@kapok.local>', `Call-ID: ${randomBytes(8).toString('hex')}`, 'CSeq: 1 INVITE', 'Contact: <sip:house@kapok.local;transport=ws>', 'Max-Forwards: 70', `X-Kapok-Contact: ${id}`, `X-Kapok-Kind: ${kind}`, 'Content-Type: application/sdp', `Content-Length: ${Buffer.byteLength(sdp)}`, '', sdp].join('\r\n'))
    setTimeout(() => done(''), 15000)
  })
}
function bye() {
  if (!dialog) return
  const d = dialog
  dialog = null
  d.ws.send([`BYE ${contactUri} SIP/2.0`, `Via: SIP/2.0/WS mock;branch=z9hG4bK${randomBytes(6).toString('hex')}`, `From: ${d.from}`, `To: ${d.to}`, `Call-ID: ${d.id}`, 'CSeq: 2 BYE', 'Max-Forwards: 70', 'Content-Length: 0', '', ''].join('\r\n'))
}

setInterval(() => publish('wallboard', wall()), 2000)
const port = Number(process.env.PORT ?? 8080)
server.listen(port, '127.0.0.1', () => process.stdout.write(`mock on http://127.0.0.1:${server.address().port}\n`))
