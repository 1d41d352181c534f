/** The client's view of problem+json: what went wrong, in the reader's language, with a code to quote. */
export interface Problem {
  type?: string
  title?: string
  status: number
  code: string
  field?: string
  params?: Record<string, unknown>
  detail?: string
  log?: string
}

/** Fault is thrown by every call of the API that did not succeed. */
export class Fault extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail || problem.title || problem.code)
    this.name = 'Fault'
    this.problem = problem
  }
  get code(): string { return this.problem.code }
  get status(): number { return this.problem.status }
  get field(): string | undefined { return this.problem.field }
  get log(): string | undefined { return this.problem.log }
}

/** asFault turns anything thrown into a Fault, so that pages need to know one shape only. */
export function asFault(e: unknown): Fault {
  if (e instanceof Fault) return e
  if (e instanceof DOMException && e.name === 'AbortError') return new Fault({ status: 0, code: 'shell.request.aborted' })
  if (e instanceof TypeError) return new Fault({ status: 0, code: 'shell.network.unreachable' })
  return new Fault({ status: 0, code: 'shell.page.failed', detail: e instanceof Error ? e.message : String(e) })
}
