import { Fault, type Problem } from './fault'
import type { paths } from './api-types'
import { noteServerDate } from './kit/clock'

export * from './api-types'
export { Fault, asFault } from './fault'

type Method = 'get' | 'post' | 'put' | 'delete' | 'patch'
type PathsWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, unknown> ? P : never }[keyof paths] & string
type OpOf<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never
type Part<O, K extends 'path' | 'query'> = O extends { parameters: infer Q } ? (K extends keyof Q ? Exclude<Q[K], undefined> : never) : never
type BodyOf<O> = O extends { requestBody?: infer R } ? (R extends { content: { 'application/json': infer B } } ? B : never) : never
type ReplyOf<O> = O extends { responses: { 200: { content: { 'application/json': infer R } } } } ? R : void
type Need<K extends string, V> = [V] extends [never] ? object : { [k in K]: V }
type Want<K extends string, V> = [V] extends [never] ? object : { [k in K]?: V }
type Options<O> = Need<'path', Part<O, 'path'>> & Want<'query', Part<O, 'query'>> & Need<'body', BodyOf<O>> & { signal?: AbortSignal }
type Args<O> = object extends Options<O> ? [options?: Options<O>] : [options: Options<O>]

/** How long a request may take before it is given up, in milliseconds. */
const deadline = 20_000

let language = () => 'zh'
let onSignedOut: () => void = () => {}

/** configureApi tells the client the reader's language and what to do when the session has ended. */
export function configureApi(options: { language: () => string; signedOut: () => void }): void {
  language = options.language
  onSignedOut = options.signedOut
}

/** url fills `{name}` in the path and appends the query; empty values are left out. */
export function url(path: string, params?: object, query?: object): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)?.[name] ?? '')))
  const search = new URLSearchParams()
  for (const [k, v] of Object.entries(query ?? {})) {
    if (v !== undefined && v !== null && v !== '') search.set(k, String(v))
  }
  const text = search.toString()
  return text ? `${filled}?${text}` : filled
}

async function problemOf(response: Response): Promise<Problem> {
  const base: Problem = { status: response.status, code: `http.${response.status}`, title: response.statusText }
  try {
    const body = (await response.json()) as Partial<Problem>
    return { ...base, ...body, code: body.code || base.code, status: response.status }
  } catch {
    return base
  }
}

/**
 * request makes one call and returns the decoded body, or throws a Fault. Use the typed verbs of `api`;
 * this untyped form is for paths that come out of data (configuration sections, exports).
 */
export async function request<T = unknown>(method: string, path: string, options: { path?: object; query?: object; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
  const timeout = AbortSignal.timeout(deadline)
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language() }
  let body: BodyInit | undefined
  if (options.body instanceof FormData) body = options.body
  else if (typeof options.body === 'string') {
    headers['Content-Type'] = 'application/yaml'
    body = options.body
  } else if (options.body !== undefined) {
    headers['Content-Type'] = 'application/json'
    body = JSON.stringify(options.body)
  }
  let response: Response
  try {
    response = await fetch(url(path, options.path, options.query), { method: method.toUpperCase(), headers, body, signal, credentials: 'same-origin' })
  } catch {
    if (options.signal?.aborted) throw new Fault({ status: 0, code: 'shell.request.aborted' })
    throw new Fault({ status: 0, code: timeout.aborted ? 'shell.network.slow' : 'shell.network.unreachable' })
  }
  noteServerDate(response.headers.get('Date'))
  if (!response.ok) {
    const problem = await problemOf(response)
    // a 401 that names a field is about what was typed (a code, a password), not about the session
    if (response.status === 401 && !problem.field && !path.endsWith('/login')) onSignedOut()
    throw new Fault(problem)
  }
  if (response.status === 204 || response.headers.get('Content-Length') === '0') return undefined as T
  const text = await response.text()
  if (!text) return undefined as T
  return (response.headers.get('Content-Type')?.includes('json') ? JSON.parse(text) : text) as T
}

function verb<M extends Method>(method: M) {
  return <P extends PathsWith<M>>(path: P, ...args: Args<OpOf<P, M>>): Promise<ReplyOf<OpOf<P, M>>> =>
    request(method, path, (args[0] ?? {}) as object)
}

/** The typed client: `await api.get('/api/v1/desk')`, `await api.post('/api/v1/desk/state', { body: { state: 'ready' } })`. */
export const api = { get: verb('get'), post: verb('post'), put: verb('put'), delete: verb('delete') }
