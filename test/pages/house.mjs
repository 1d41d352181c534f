// The built program and a caller's telephone, run as their users run them.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const work = mkdtempSync(join(tmpdir(), 'kapok-pages-'))
const ended = new Set()
process.on('exit', () => {
  for (const p of ended) p.kill('SIGKILL')
  rmSync(work, { recursive: true, force: true })
})

/** sleep waits. */
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms))

/** build makes a program of the repository. */
export function build(pkg, name) {
  const out = join(work, name)
  execFileSync('go', ['build', '-o', out, pkg], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  return out
}

/** free gives a TCP port nobody uses. */
export const free = () => new Promise((done, fail) => {
  const s = createServer()
  s.on('error', fail)
  s.listen(0, '127.0.0.1', () => {
    const { port } = s.address()
    s.close(() => done(port))
  })
})

/** freeBoth gives a port nobody uses, neither by UDP nor by TCP: SIP takes both. */
async function freeBoth() {
  for (let i = 0; i < 50; i++) {
    const port = await freeUDP()
    const ok = await new Promise((done) => {
      const s = createServer()
      s.on('error', () => done(false))
      s.listen(port, '127.0.0.1', () => s.close(() => done(true)))
    })
    if (ok) return port
  }
  throw new Error('no port is free for SIP')
}

/** freeUDP gives a UDP port nobody uses, below those the kernel hands out by itself in the meantime. */
export async function freeUDP() {
  for (let i = 0; i < 200; i++) {
    const port = 10_240 + Math.floor(Math.random() * 9_000)
    const ok = await new Promise((done) => {
      const s = createSocket('udp4')
      s.on('error', () => done(false))
      s.bind(port, () => s.close(() => done(true)))
    })
    if (ok) return port
  }
  throw new Error('no UDP port is free')
}

/** mediaPorts chooses where a house has its media, below the kernel's own ports: several houses on one machine that begin at
 *  the same port would be in each other's way. */
function mediaPorts() {
  const first = 20_000 + 2 * Math.floor(Math.random() * 5_500)
  return `${first}-${first + 1_500}`
}

/** House is a kapok process on a folder of its own. */
export class House {
  static running = new Set()

  constructor(program, name) {
    this.program = program
    for (let i = 0; existsSync(this.data = join(work, i ? `${name}-${i}` : name)); i++);
    this.log = ''
  }

  /** start runs serve (or demo) and returns when /healthz answers. */
  async start(command = 'serve', more = []) {
    this.http = `127.0.0.1:${await free()}`
    this.sip = `127.0.0.1:${await freeBoth()}`
    this.url = `http://${this.http}`
    this.process = spawn(this.program, [command, '--data', this.data, '--http', this.http, '--https', `127.0.0.1:${await free()}`, '--sip', this.sip,
      '--sips', `127.0.0.1:${await free()}`, '--webrtc-port', String(await freeUDP()), '--advertise-ip', '127.0.0.1', '--rtp-ports', mediaPorts(), ...more])
    ended.add(this.process)
    House.running.add(this)
    for (const s of [this.process.stdout, this.process.stderr]) s.on('data', (d) => { this.log += d })
    for (const end = Date.now() + 120_000; ;) {
      if (await fetch(`${this.url}/healthz`).then((r) => r.ok, () => false)) return
      if (this.process.exitCode !== null || Date.now() > end) throw new Error(`kapok ${command} is not ready:\n${this.log}`)
      await sleep(100)
    }
  }

  /** link is the one-time link a new house prints. */
  async link() {
    for (let i = 0; i < 100; i++) {
      const m = /http:\/\/\S+\/setup\?token=\S+/.exec(this.log)
      if (m) return m[0]
      await sleep(50)
    }
    throw new Error(`no link for the first administrator:\n${this.log}`)
  }

  /** run runs a command of the program on this house. */
  run(...args) { return execFileSync(this.program, [...args, '--data', this.data], { encoding: 'utf8' }) }

  apply(yaml) {
    const file = join(work, 'apply.yaml')
    writeFileSync(file, yaml)
    return this.run('apply', '-f', file)
  }

  async stop() {
    this.process.kill('SIGTERM')
    House.running.delete(this)
    for (let i = 0; i < 300 && this.process.exitCode === null; i++) await sleep(100)
    ended.delete(this.process)
    return this.process.exitCode
  }
}

/** Caller is somebody on the telephone who sends 440 Hz and listens for 880. */
export class Caller {
  constructor(program, house, number, seconds = 120, more = []) {
    this.lines = []
    this.process = spawn(program, ['-to', house.sip, '-number', number, '-tone', '440', '-listen', '880', '-for', `${seconds}s`, ...more])
    ended.add(this.process)
    this.errors = ''
    this.process.stderr.on('data', (d) => { this.errors += d })
    createInterface({ input: this.process.stdout }).on('line', (l) => this.lines.push({ ...JSON.parse(l), at: Date.now() }))
    this.done = new Promise((end) => this.process.on('exit', end))
  }

  /** hears waits until the last quarter of a second is as wanted, and gives how long it took. */
  async hears(what, wanted, within = 45_000) {
    const from = Date.now()
    for (; Date.now() - from < within; await sleep(30)) {
      const l = this.lines.at(-1)
      if (l && l.at > from && wanted(l)) return l.at - from
    }
    throw new Error(`the caller does not hear ${what}: ${JSON.stringify(this.lines.slice(-4))} ${this.errors}`)
  }

  agent(within) { return this.hears('the agent', (l) => l.share > 0.7 && l.level > -40, within) }
  music(within) { return this.hears('music', (l) => l.share < 0.2 && l.level > -60, within) }
  hangUp() { this.process.kill('SIGTERM'); return this.done }
}

/** Party is somebody outside who answers when called, and says 440 Hz too. */
export class Party extends Caller {
  constructor(program, house) { super(program, house, '', 600, ['-rings', '300ms', '-from', '110']) }

  /** address is where a trunk finds them. */
  async address() {
    for (let i = 0; i < 200 && !this.lines.length; i++) await sleep(20)
    return this.lines[0].addr
  }
}

/** tone writes a WAV file of a sine, for the browser's microphone. */
export function tone(hz, seconds = 10, rate = 48000) {
  const n = rate * seconds
  const b = Buffer.alloc(44 + 2 * n)
  b.write('RIFF', 0); b.writeUInt32LE(36 + 2 * n, 4); b.write('WAVEfmt ', 8); b.writeUInt32LE(16, 16); b.writeUInt16LE(1, 20); b.writeUInt16LE(1, 22)
  b.writeUInt32LE(rate, 24); b.writeUInt32LE(2 * rate, 28); b.writeUInt16LE(2, 32); b.writeUInt16LE(16, 34); b.write('data', 36); b.writeUInt32LE(2 * n, 40)
  for (let i = 0; i < n; i++) b.writeInt16LE(Math.round(12000 * Math.sin((2 * Math.PI * hz * i) / rate)), 44 + 2 * i)
  const file = join(work, `tone${hz}.wav`)
  writeFileSync(file, b)
  return file
}
