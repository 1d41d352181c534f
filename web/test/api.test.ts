import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { api, configureApi, Fault, url } from '@web/api'

let calls: { url: string; init: RequestInit }[] = []
let answer: () => Response | Promise<Response> = () => new Response(null, { status: 204 })
let signedOut = 0
beforeEach(() => {
  calls = []
  signedOut = 0
  configureApi({ language: () => 'en', signedOut: () => signedOut++ })
  vi.stubGlobal('fetch', (u: string, init: RequestInit) => {
    calls.push({ url: u, init })
    return Promise.resolve().then(answer)
  })
})
afterEach(() => vi.unstubAllGlobals())
const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })

it('fills paths and queries', () => {
  expect(url('/a/{id}/b', { id: 'x/y' }, { q: '税', none: undefined, empty: '', n: 0 })).toBe('/a/x%2Fy/b?q=%E7%A8%8E&n=0')
})
it('asks in the reader’s language and decodes', async () => {
  answer = () => json(200, { answered: 3 })
  expect(await api.get('/api/v1/desk/day')).toEqual({ answered: 3 })
  expect((calls[0]!.init.headers as Record<string, string>)['Accept-Language']).toBe('en')
})
it('sends JSON and takes an empty answer', async () => {
  answer = () => new Response(null, { status: 204 })
  expect(await api.put('/api/v1/me/locale', { body: { locale: 'en' } })).toBeUndefined()
  expect([calls[0]!.init.method, calls[0]!.init.body]).toEqual(['PUT', '{"locale":"en"}'])
})
describe('failures are Faults', () => {
  it('problem+json', async () => {
    answer = () => json(409, { code: 'desk.session.elsewhere', detail: 'In use elsewhere.', log: 'ABC' })
    const f = await api.post('/api/v1/desk/signin', { body: { endpoint: 'browser' } }).catch((e: Fault) => e)
    expect(f).toBeInstanceOf(Fault)
    expect([(f as Fault).code, (f as Fault).status, (f as Fault).log, (f as Fault).message]).toEqual(['desk.session.elsewhere', 409, 'ABC', 'In use elsewhere.'])
  })
  it('a proxy’s page', async () => {
    answer = () => new Response('<html>', { status: 502 })
    await expect(api.get('/api/v1/desk')).rejects.toMatchObject({ code: 'http.502', status: 502 })
  })
  it('no network', async () => {
    answer = () => Promise.reject(new TypeError('failed'))
    await expect(api.get('/api/v1/desk')).rejects.toMatchObject({ code: 'shell.network.unreachable', status: 0 })
  })
  it('an ended session signs out, a wrong password does not', async () => {
    answer = () => json(401, { code: 'x' })
    await api.post('/api/v1/login', { body: { user: 'a', password: 'b' } }).catch(() => {})
    expect(signedOut).toBe(0)
    answer = () => json(401, { code: 'identity.code.wrong', field: 'code' })
    await api.put('/api/v1/me/totp', { body: { code: '000000' } }).catch(() => {})
    expect(signedOut).toBe(0)
    answer = () => json(401, { code: 'x' })
    await api.get('/api/v1/desk').catch(() => {})
    expect(signedOut).toBe(1)
  })
})
