import { api, asFault, toMs, type Fault, type WrapupBody } from '@kit'
import { reactive, shallowReactive } from 'vue'

/** Where the keeping of a draft stands. */
export type Saving = 'empty' | 'typing' | 'saving' | 'saved' | 'failed'

/** A wrap-up being written: kept on the server after every pause in typing, and here until it is. */
export interface Draft {
  contact: string
  number: string
  at: number
  body: Required<WrapupBody>
  saving: Saving
  savedAt: number | null
  fault: Fault | null
  /** The wrap-up was ended by the agent; nothing is open any more. */
  done: boolean
}

const blank = (): Required<WrapupBody> => ({ topic: '', tax_id: '', tax_id_why: '', tax_type: '', district: '', name: '', question: '', answer: '', note: '', refer: '', satisfied: '' })
const pause = 800
const again = 5000
const keepFor = 12 * 3600_000

/** Drafts keeps the wrap-ups of one agent. */
export class Drafts {
  readonly all = shallowReactive(new Map<string, Draft>())
  private readonly timers = new Map<string, ReturnType<typeof setTimeout>>()
  private readonly running = new Map<string, Promise<void>>()

  constructor(private readonly user: string) {
    for (const d of this.stored()) {
      if (Date.now() - d.at < keepFor) this.all.set(d.contact, reactive({ ...d, body: { ...blank(), ...d.body }, fault: null, saving: d.saving === 'saved' ? 'saved' : 'typing' } as Draft))
    }
    for (const d of this.all.values()) if (d.saving === 'typing') this.later(d.contact, 100)
  }

  /** open gives the draft of a contact; the first time it reads what was kept before. */
  open(contact: string, number: string, at: number | string): Draft {
    let d = this.all.get(contact)
    if (!d) {
      d = reactive<Draft>({ contact, number, at: toMs(at) ?? Date.now(), body: blank(), saving: 'empty', savedAt: null, fault: null, done: false })
      this.all.set(contact, d)
      void this.read(d)
    }
    return d
  }

  /** touch notes a change; it is kept after a pause. */
  touch(d: Draft): void {
    d.saving = 'typing'
    this.store()
    this.later(d.contact, pause)
  }

  /** flush keeps what is not kept yet. */
  async flush(d: Draft): Promise<void> {
    clearTimeout(this.timers.get(d.contact))
    await this.running.get(d.contact)
    if (d.saving === 'typing' || d.saving === 'failed') await this.save(d)
  }

  /** finish marks a wrap-up as ended; it leaves the list. */
  finish(d: Draft): void {
    clearTimeout(this.timers.get(d.contact))
    d.done = true
    this.all.delete(d.contact)
    this.store()
  }

  /** stop ends all timers; what is not kept stays in this browser. */
  stop(): void {
    for (const t of this.timers.values()) clearTimeout(t)
  }

  private async read(d: Draft): Promise<void> {
    try {
      const kept = await api.get('/api/v1/desk/contacts/{id}/wrapup', { path: { id: d.contact } })
      if (d.saving !== 'empty' || !kept) return
      for (const [k, v] of Object.entries(kept)) if (k in d.body && typeof v === 'string') (d.body as Record<string, string>)[k] = v
      if (Object.values(d.body).some(Boolean)) d.saving = 'saved'
    } catch {
      // Nothing was kept yet: the form starts empty.
    }
  }

  private later(contact: string, wait: number): void {
    clearTimeout(this.timers.get(contact))
    this.timers.set(contact, setTimeout(() => {
      const d = this.all.get(contact)
      if (d && !d.done) void this.save(d)
    }, wait))
  }

  private save(d: Draft): Promise<void> {
    const before = this.running.get(d.contact) ?? Promise.resolve()
    const run = before.then(() => this.put(d)).finally(() => { if (this.running.get(d.contact) === run) this.running.delete(d.contact) })
    this.running.set(d.contact, run)
    return run
  }

  private async put(d: Draft): Promise<void> {
    if (d.done) return
    const sent = JSON.stringify(d.body)
    d.saving = 'saving'
    try {
      await api.put('/api/v1/desk/contacts/{id}/wrapup', { path: { id: d.contact }, body: JSON.parse(sent) as WrapupBody })
      d.fault = null
      d.savedAt = Date.now()
      d.saving = JSON.stringify(d.body) === sent ? 'saved' : 'typing'
      if (d.saving === 'typing') this.later(d.contact, pause)
    } catch (e) {
      d.fault = asFault(e)
      d.saving = 'failed'
      if (d.fault.status === 404 || d.fault.status === 403) this.all.delete(d.contact)
      else this.later(d.contact, again)
    }
    this.store()
  }

  private key(): string { return `kapok.drafts.${this.user}` }

  private stored(): Draft[] {
    try {
      return JSON.parse(localStorage.getItem(this.key()) ?? '[]') as Draft[]
    } catch {
      return []
    }
  }

  private store(): void {
    const list = [...this.all.values()].filter((d) => d.saving !== 'empty' && !d.done).map(({ fault: _, ...d }) => d)
    localStorage.setItem(this.key(), JSON.stringify(list))
  }
}
