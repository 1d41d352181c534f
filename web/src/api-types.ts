/**
 * Hand-written types of the REST interface, in the shape openapi-typescript generates from /api/openapi.json:
 * `paths[path][method]` with parameters, requestBody and responses. Generated types can take their place
 * without a change in any page.
 */
export type Op<T extends { path?: object; query?: object; body?: unknown; reply?: unknown }> = {
  parameters: {
    path: T extends { path: infer P } ? P : never
    query: T extends { query: infer Q } ? Q : never
  }
  requestBody: T extends { body: infer B } ? { content: { 'application/json': B } } : never
  responses: { 200: { content: { 'application/json': T extends { reply: infer R } ? R : void } } }
}

/** A moment as the server writes it: unix milliseconds or RFC 3339. Read it with `toMs`. */
export type Moment = number | string

export interface Me {
  user: string
  name: string
  site: string
  site_name: string
  rank?: string
  roles: string[]
  rights: string[]
  locale: string
  must_change: boolean
  totp?: boolean
  demo: boolean
  session?: string
  bureau: { name: string; name_en: string }
}

export interface SetupBody {
  token: string
  bureau: { name: string; name_en: string; timezone: string }
  admin: { user: string; name: string; password: string }
  hours: { days: number[]; from: string; to: string; lunch_from: string; lunch_to: string }
  number: string
  agents: { user: string; name: string; password: string }[]
}

export interface SessionRow { id: string; user: string; name: string; agent: string; ip: string; way: 'password' | 'oidc' | 'demo'; created_at: Moment; seen_at: Moment; current: boolean }

export type DeskState = 'signed_out' | 'ready' | 'ringing' | 'talking' | 'wrapup' | 'away'
export type CallPhase = 'ringing' | 'talking' | 'held' | 'wrapup' | 'consult'

export interface DeskCall {
  contact: string
  number: string
  number_plain?: string
  city?: string
  queue?: string
  queue_name?: string
  queue_name_en?: string
  skill?: string
  waited_ms: number
  why?: string
  phase: CallPhase
  since: Moment
  answer: 'browser' | 'handset'
  redials_today?: number
  quality?: { mos: number; loss: number }
  muted?: boolean
  direction?: 'in' | 'out'
}

export interface Reason { code: string; name: string; name_en?: string; max_minutes?: number }

export interface Desk {
  signed_in: boolean
  state: { state: DeskState; reason?: string; since: Moment; next_away?: string }
  endpoint: { kind: 'browser' | 'phone' | ''; phone?: string; registered: boolean } | null
  /** The login session the desk is worked from; another one than ours means it was taken over. */
  holder?: string
  other_session?: boolean
  calls: DeskCall[]
  reasons: Reason[]
  ring_timeout_ms?: number
  /** `deadline` 0: until the agent is done. */
  wrapup: { contact: string; deadline: Moment } | null
  help: { asked: boolean }
  sip?: { user: string; secret: string; realm: string; ws_path: string }
}

export interface WrapupBody {
  topic?: string
  tax_id?: string
  tax_type?: string
  district?: string
  name?: string
  question?: string
  answer?: string
  note?: string
}

export interface PopHistory {
  contact: string
  at: Moment
  agent_name: string
  topic: string
  question: string
  answer: string
  outcome: string
  medium?: string
}
export interface Pop {
  number: string
  city?: string
  person: { id: string; name: string; tax_id: string; type: string } | null
  contacts_today: number
  history: PopHistory[]
}
export interface DirectoryEntry { code: string; name: string; name_en?: string; kind: 'agent' | 'queue'; state?: DeskState; reason?: string; since?: Moment; waiting?: number }
export interface Topic { code: string; level1: string; level2: string }
/** A tax or fee with the days it was in force (2016-05-01; empty: no such bound). */
export interface TaxType { code: string; name: string; valid_from?: string; valid_to?: string }
export interface Place { code: string; name: string; name_en?: string }
export interface DeskLists { topics: Topic[]; tax_types: TaxType[]; districts: Place[] }
export interface PhoneEntry { code: string; registered: boolean; taken_by?: string }
export interface Day {
  day: string; answered: number; offered: number; missed: number
  /** Answered of the offers made, 0..1. */
  answer_rate: number | null
  aht_ms: number | null
  talk_ms: number; hold_ms: number; wrap_ms: number; ready_ms: number; away_ms: number; signed_in_ms: number
}

export interface WallQueue {
  code: string; name: string; name_en?: string; waiting: number; longest_since: Moment | null
  entered: number; answered: number; abandoned: number; rate: number | null; sl20: number | null
  ready: number; ringing: number; talking: number; wrapup: number; away: number; target?: number
}
export interface WallAgent { code: string; name: string; state: DeskState; reason?: string; since: Moment; site?: string; queue?: string }
export interface Wallboard {
  at: Moment; site: string; waiting: number; longest_ms: number; longest_since: Moment | null
  rate_now: number | null; rate_today: number | null; total_rate_today: number | null; caller_rate_today: number | null
  target: number
  spark: { waiting: number[]; longest: number[]; rate: (number | null)[] }
  queues: WallQueue[]
  agents: WallAgent[]
}

export interface ContactRow {
  id: string; at: Moment; medium: string; from: string; queue: string; agent: string
  wait_ms: number; talk_ms: number; outcome: string; topic: string; recording: boolean
}
export interface UserRow { code: string; name: string; site: string; site_name: string; rank: string; active: boolean; roles?: string[] }
export interface ConfigSection { key: string; order: number; schema: unknown; right: string; title: string }

/** Every path the pages call. */
export interface paths {
  '/api/v1/login': { post: Op<{ body: { user: string; password: string; code?: string }; reply: { user: string; name: string; must_change: boolean } }> }
  '/api/v1/logout': { post: Op<object> }
  '/api/v1/me': { get: Op<{ reply: Me }> }
  '/api/v1/me/locale': { put: Op<{ body: { locale: string } }> }
  '/api/v1/me/password': { put: Op<{ body: { old: string; new: string } }> }
  '/api/v1/password/reset': { post: Op<{ body: { token: string; password: string } }> }
  '/api/v1/setup': { get: Op<{ query: { token?: string }; reply: { needed: boolean; valid: boolean } }>; post: Op<{ body: SetupBody; reply: { user: string; name: string; must_change: boolean } }> }
  '/api/v1/oidc': { get: Op<{ reply: { enabled: boolean; name: string } }> }
  '/api/v1/me/totp': { post: Op<{ reply: { secret: string; uri: string } }>; put: Op<{ body: { code: string }; reply: { recovery: string[] } }> }
  '/api/v1/me/totp/remove': { post: Op<{ body: { code: string } }> }
  '/api/v1/demo/logins': { get: Op<{ reply: { user: string; name: string; role: string }[] }> }
  '/api/v1/demo/login': { post: Op<{ body: { user: string }; reply: { user: string; name: string; must_change?: boolean } }> }
  '/api/v1/sessions': { get: Op<{ query: { user?: string }; reply: { items: SessionRow[] } }> }
  '/api/v1/sessions/{id}': { delete: Op<{ path: { id: string } }> }
  '/api/v1/users': { get: Op<{ query: { q?: string; site?: string; role?: string; active?: boolean; after?: string; limit?: number }; reply: { items: UserRow[]; next?: string } }> }

  '/api/v1/desk': { get: Op<{ reply: Desk }> }
  '/api/v1/desk/signin': { post: Op<{ body: { endpoint: string; seat?: string; takeover?: boolean }; reply: Desk }> }
  '/api/v1/desk/signout': { post: Op<{ reply: Desk }> }
  '/api/v1/desk/state': { post: Op<{ body: { state: 'ready' | 'away'; reason?: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/hold': { post: Op<{ path: { id: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/resume': { post: Op<{ path: { id: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/hangup': { post: Op<{ path: { id: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/transfer': { post: Op<{ path: { id: string }; body: { kind: 'agent' | 'queue' | 'number' | 'flow'; code: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/dtmf': { post: Op<{ path: { id: string }; body: { digits: string }; reply: Desk }> }
  '/api/v1/desk/echo': { post: Op<{ reply: Desk }> }
  '/api/v1/desk/help': { post: Op<{ body: { contact: string; note: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/wrapup': { get: Op<{ path: { id: string }; reply: WrapupBody }>; put: Op<{ path: { id: string }; body: WrapupBody }> }
  '/api/v1/desk/contacts/{id}/wrapup/done': { post: Op<{ path: { id: string }; body: { state: 'ready' | 'away'; reason?: string; wrapup?: WrapupBody }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/wrapup/extend': { post: Op<{ path: { id: string }; reply: Desk }> }
  '/api/v1/desk/contacts/{id}/pop': { get: Op<{ path: { id: string }; reply: Pop }> }
  '/api/v1/desk/directory': { get: Op<{ query: { q?: string }; reply: DirectoryEntry[] }> }
  '/api/v1/desk/lists': { get: Op<{ reply: DeskLists }> }
  '/api/v1/desk/phones': { get: Op<{ reply: PhoneEntry[] }> }
  '/api/v1/desk/day': { get: Op<{ reply: Day }> }

  '/api/v1/wallboard': { get: Op<{ query: { site?: string }; reply: Wallboard }> }
  '/api/v1/contacts': { get: Op<{ query: { from?: string; to?: string; number?: string; agent?: string; queue?: string; outcome?: string; cursor?: string; limit?: number }; reply: { items: ContactRow[]; next?: string } }> }
  '/api/v1/config': { get: Op<{ reply: ConfigSection[] }> }
  '/api/v1/config/{section}': { get: Op<{ path: { section: string }; reply: { items: Record<string, unknown>[]; version: number } }> }
  '/api/v1/config/{section}/{code}': {
    put: Op<{ path: { section: string; code: string }; body: Record<string, unknown> }>
    delete: Op<{ path: { section: string; code: string } }>
  }
}
