import type { Moment } from '@kit'

/** Shapes of the report module's answers, as /api/openapi.json writes them. */
export interface Line {
  slot: string; key: string; name: string; restated_at: number
  measures: Record<string, number | null>; shown: Record<string, string>
}
export interface Interval { columns: string[]; rows: Line[]; totals: Line; sentence: { code: string; text: string; params: Record<string, unknown> } }
export interface Measure {
  id: string; name: string; name_en: string; formula: string; formula_en: string
  unit: 'rate' | 'ms' | 'count'; target: number | null; below: boolean; computed: boolean; by: string; kpi: boolean
}
export interface Contact {
  id: string; at: Moment; medium: string; direction: string; from: string; to: string; site: string
  queue: string; queue_name: string; agent: string; agent_name: string
  wait_ms: number; talk_ms: number; hold_ms: number; wrap_ms: number; length_ms: number
  outcome: string; topic: string; topic_name: string; recording: boolean
}
/** One row behind a figure: a queue visit, a whole contact, or a stretch of an agent's time. */
export interface Behind extends Contact { entered?: number; how?: string; why?: string; state?: string; reason?: string; ms?: number; figure: number }
export interface Page<T> { items: T[]; next?: string }

export interface Visit { queue: string; queue_name: string; entered: number; left: number; how: string; why: string; rule: string; wait_ms: number; agent: string; agent_name: string; first: boolean }
export interface Leg {
  leg: string; role: 'caller' | 'agent' | 'party'; agent: string; agent_name: string; queue: string; peer: string
  started: number; answered: number; ended: number; ring_ms: number; talk_ms: number; hold_ms: number; cause: string; mos: number
}
export interface Fact { seq: number; at: number; kind: string; actor: string; place: string; node: string; body: Record<string, unknown> | null }
export interface Candidate { agent: string; refusal: string; skill?: string; score: number; load: number; idle_since: number }
export interface Rival { contact: string; queue: string; entered_at: number; key: number; waiting: number; refusal: string; skill?: string }
export interface Trace {
  at: number; offer?: number; contact: string; agent?: string; queue: string; cause?: string; entered_at: number; key: number
  relax: number; ring: number; best_skill?: boolean; sticky?: string; agents: number; candidates: Candidate[] | null; earlier: number; rivals: Rival[] | null
}
export interface Offer { offer: string; at: number; queue: string; agent: string; agent_name: string; result: string; trace?: Trace | null }
export interface Message { at: number; from: string; to: string; text: string; raw?: string }
export interface Recording { id: string; at: number; ms: number; left_db: number; right_db: number; missing?: string }
export interface Wrapup {
  at: number; agent: string; agent_name: string; topic: string; topic_name: string; tax_id: string; tax_type: string; district: string
  name: string; question: string; answer: string; note: string; tax_id_why?: string; refer?: string; satisfied?: string; final: boolean
}
export interface Detail { grade?: number;
  contact: Contact; cause: string; ended_by: string; ended_at: number
  visits: Visit[]; legs: Leg[]; facts: Fact[]; offers: Offer[]; ladder: Message[]; recordings: Recording[]; wrapup: Wrapup | null
}
export interface Site { code: string; name: string; name_en?: string; parent?: string; kind?: string }
