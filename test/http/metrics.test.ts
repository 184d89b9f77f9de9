/** `GET /metrics`: who may scrape, and what he gets. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseMetrics } from '../support/metrics.ts'
import { addKey, addPeople, addTokens, asMaster, createTestApp, type TestApp } from '../support/test-app.ts'

const PATH = '/auth/metrics'
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const VIEW = ['machine_auth.metrics.view']

let app: TestApp
let present: Readonly<Record<string, Readonly<Record<string, string>>>>

beforeAll(async () => {
  app = await createTestApp()
  const { alice, bob } = await addPeople(app)
  const { id: organizationId } = await app.core.organizations.create({ name: 'Acme' })
  present = {
    nothing: {},
    'a key that is none': { 'x-api-key': 'nonsense' },
    'a user without the permission': (await addTokens(app, bob.id)).headers,
    'a key with the permission, but no platform reach': (await addKey(app, { permissions: VIEW })).headers,
    'a key of an organization with both': (
      await addKey(app, { organizationId, permissions: [...VIEW, 'platform.admin'] })
    ).headers,
    'the master key': asMaster,
    'an administrator': (await addTokens(app, alice.id)).headers,
    'a key with the permission and platform reach': (await addKey(app, { permissions: [...VIEW, 'platform.admin'] }))
      .headers,
  }
})
afterAll(() => app.close())

describe('GET /metrics', () => {
  test.each([
    ['nothing', '401 credential_missing'],
    ['a key that is none', '401 api_key_invalid'],
    ['a user without the permission', '403 permission_required'],
    ['a key with the permission, but no platform reach', '403 permission_required'],
    ['a key of an organization with both', '403 permission_required'],
    ['the master key', '200'],
    ['an administrator', '200'],
    ['a key with the permission and platform reach', '200'],
  ])('by %s: %s', async (who, said) => {
    const answer = await app.ask(PATH, { headers: present[who] ?? {} })
    expect(answer.said).toBe(said)
    expect(answer.text.includes('machine_auth_requests_total')).toBe(said === '200')
  })

  test('answers in the text format of Prometheus, which nobody keeps', async () => {
    const { headers, text } = await app.ask(PATH, { headers: asMaster })
    expect(headers.get('content-type')).toBe(CONTENT_TYPE)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('x-request-id')).not.toBeNull()
    expect(parseMetrics(text).get('machine_auth_build_info')).toBeUndefined()
    expect(text).toMatch(/^machine_auth_build_info\{version="\d.*"\} 1$/m)
  })

  test('HEAD is answered as GET, without the text', async () => {
    const answer = await app.ask(PATH, { method: 'HEAD', headers: asMaster })
    expect([answer.said, answer.headers.get('content-type'), answer.text]).toEqual(['200', CONTENT_TYPE, ''])
    expect((await app.ask(PATH, { method: 'HEAD' })).status).toBe(401)
  })

  test('counts itself, from the next scrape on', async () => {
    const allowed = async () => {
      const { text } = await app.ask(PATH, { headers: asMaster })
      return parseMetrics(text).get('machine_auth_requests_total{outcome="allowed"}') ?? Number.NaN
    }
    const before = await allowed()
    expect(await allowed()).toBe(before + 1)
  })
})

describe('by the options', () => {
  test.each([
    [{ metrics: { open: true } }, '200', '200'],
    [{ metrics: { open: true }, management: false as const }, '200', '200'],
    [{ metrics: { open: false } }, '401 credential_missing', '200'],
    [{ metrics: false as const }, '404 not_found', '404 not_found'],
    [{ management: false as const }, '404 not_found', '404 not_found'],
  ])('%j: %s to anybody, %s with the master key', async (options, anybody, master) => {
    await using served = await createTestApp(options)
    expect((await served.ask(PATH)).said).toBe(anybody)
    expect((await served.ask(PATH, { headers: asMaster })).said).toBe(master)
  })

  test('open to anybody is not open to an address that is blocked', async () => {
    await using served = await createTestApp({ metrics: { open: true } })
    await served.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    expect((await served.ask(PATH)).said).toBe('403 address_blocked')
  })
})
