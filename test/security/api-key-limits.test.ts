/** SECURITY.md, API keys: where, how long and for whom they work. */
import { afterAll, describe, expect, test } from 'bun:test'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { generateBearerToken, generateSessionText } from '../../src/credentials/secret-text.ts'
import { expectProblem } from '../support/answers.ts'
import { addKey, addPeople, addSession, addTokens, createTestApp } from '../support/test-app.ts'

const DAY = 86_400_000

const t = await createTestApp()
await addPeople(t)
const proxied = await createTestApp({ trustProxy: { from: ['127.0.0.1', '10.9.0.0/16'] } })
const forwarded = await createTestApp({ trustProxy: { from: ['127.0.0.1'], header: 'forwarded' } })
afterAll(() => Promise.all([t.close(), proxied.close(), forwarded.close()]))

describe('P30 an address list', () => {
  test.each([
    [['127.0.0.1'], '200'],
    [['127.0.0.0/8'], '200'],
    [['::ffff:127.0.0.1'], '200'],
    [['::ffff:7f00:1'], '200'],
    [['0:0:0:0:0:ffff:127.0.0.1'], '200'],
    [['10.0.0.0/8', '127.0.0.1/32'], '200'],
    [['0.0.0.0/0'], '200'],
    [['127.0.0.2'], '403 ip_not_allowed'],
    [['126.0.0.0/8'], '403 ip_not_allowed'],
    [['::1'], '403 ip_not_allowed'],
    [['::/0'], '403 ip_not_allowed'],
  ])('of %p to the socket’s own 127.0.0.1: %s', async (ipAllowlist, said) => {
    const key = await addKey(t, { ipAllowlist })
    for (const path of ['/key', '/auth/me']) {
      for (let round = 0; round < 2; round += 1) expect((await t.ask(path, { headers: key.headers })).said).toBe(said)
    }
  })

  test.each([
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'cf-connecting-ip',
    'true-client-ip',
    'x-client-ip',
    'client-ip',
  ])('%s from anybody changes nothing', async (header) => {
    const [inside, outside] = [
      await addKey(t, { ipAllowlist: ['127.0.0.1'] }),
      await addKey(t, { ipAllowlist: ['10.0.0.0/8'] }),
    ]
    for (const value of ['10.0.0.1', 'for=10.0.0.1', '127.0.0.1', '10.0.0.1, 127.0.0.1']) {
      const ask = (headers: Readonly<Record<string, string>>) =>
        t.ask('/key', { headers: { ...headers, [header]: value } })
      expect((await ask(inside.headers)).said).toBe('200')
      expect((await ask(outside.headers)).said).toBe('403 ip_not_allowed')
    }
  })

  const NETWORK = ['192.168.1.0/24', '2001:db8::/32']
  test.each([
    ['192.168.1.0', '200'],
    ['192.168.1.255', '200'],
    ['::ffff:192.168.1.1', '200'],
    ['::FFFF:C0A8:0101', '200'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '200'],
    ['[2001:db8::1]:443', '200'],
    ['192.168.1.7:1234', '200'],
    ['192.168.0.255', '403'],
    ['192.168.2.0', '403'],
    ['2001:db9::1', '403'],
    ['192.168.001.001', '403'],
    ['0300.0250.01.01', '403'],
    ['3232235777', '403'],
    ['0xC0A80101', '403'],
    ['192.168.1', '403'],
    ['192.168.1.1/32', '403'],
    ['unknown', '403'],
    ['', '403'],
    // What the client wrote stands to the left of what proxies did.
    ['192.168.1.1, 203.0.113.7', '403'],
    ['203.0.113.7, 192.168.1.1', '200'],
    ['203.0.113.7, 192.168.1.1, 10.9.1.1', '200'],
    ['192.168.1.1, 203.0.113.7, 10.9.1.1', '403'],
    ['192.168.1.1, garbage, 10.9.1.1', '403'],
  ])('X-Forwarded-For: %s, from a listed proxy: %s', async (value, status) => {
    const key = await addKey(proxied, { ipAllowlist: NETWORK })
    const answer = await proxied.ask('/key', { headers: { ...key.headers, 'x-forwarded-for': value } })
    expect(answer.said).toBe(status === '200' ? '200' : '403 ip_not_allowed')
  })

  test('reads the configured header and no other', async () => {
    const key = await addKey(forwarded, { ipAllowlist: NETWORK })
    const ask = async (headers: Readonly<Record<string, string>>) =>
      (await forwarded.ask('/key', { headers: { ...key.headers, ...headers } })).status
    expect(await ask({ forwarded: 'for=192.168.1.1' })).toBe(200)
    expect(await ask({ forwarded: 'for="[2001:db8::1]:8080";proto=https' })).toBe(200)
    expect(await ask({ 'x-forwarded-for': '192.168.1.1' })).toBe(403)
    expect(await ask({ forwarded: 'for=203.0.113.7', 'x-forwarded-for': '192.168.1.1' })).toBe(403)
    expect(await ask({ forwarded: 'for=192.168.1.1, for=203.0.113.7' })).toBe(403)
    expect(await ask({ forwarded: 'for=_hidden' })).toBe(403)
  })
})

test('P32 a read that began before a revocation does not bring the key back', async () => {
  const gate = Promise.withResolvers<void>()
  let waiting = Promise.withResolvers<void>()
  let isSlow = false
  await using app = await createTestApp({
    users: {
      async load(id) {
        waiting.resolve()
        if (isSlow) await gate.promise
        return { id }
      },
    },
  })
  const user = await app.core.users.create({ email: 'slow@example.com' })
  const key = await addKey(app, { userId: user.id })
  waiting = Promise.withResolvers()
  isSlow = true
  const early = app.ask('/key', { headers: key.headers })
  await waiting.promise
  await app.core.keys.revoke(key.id)
  isSlow = false
  gate.resolve()
  // It began before: either answer is true.
  expect((await early).said).toMatch(/^200$|api_key_revoked/)
  expectProblem(await app.ask('/key', { headers: key.headers }), 'api_key_revoked')
})

describe('P34 what takes a key away indirectly counts on the very next request', () => {
  test('a suspended organization, for its keys, users, tokens and sessions', async () => {
    const { id } = await t.core.organizations.create({ name: 'Suspended' })
    const user = await t.core.users.create({ email: 'member@example.com', organizationId: id })
    const credentials = [
      ['/key', (await addKey(t, { organizationId: id })).headers],
      ['/key', (await addKey(t, { userId: user.id })).headers],
      ['/token', (await addTokens(t, user.id)).headers],
      ['/session', (await addSession(t, user.id)).headers],
    ] as const
    for (const [path, headers] of credentials) expect((await t.ask(path, { headers })).said).toBe('200')
    await t.core.organizations.suspend(id)
    for (const [path, headers] of credentials) expectProblem(await t.ask(path, { headers }), 'organization_suspended')
    await t.core.organizations.activate(id)
    for (const [path, headers] of credentials) expect((await t.ask(path, { headers })).said).toBe('200')
  })

  test('a disabled user', async () => {
    const user = await t.core.users.create({ email: 'disabled@example.com' })
    const [key, tokens, session] = [
      await addKey(t, { userId: user.id }),
      await addTokens(t, user.id),
      await addSession(t, user.id),
    ]
    const { rawToken } = await t.core.tokens.bearer.create({ name: 'x', userId: user.id })
    const opaque = { authorization: `Bearer ${rawToken}` }
    for (const [path, headers] of [
      ['/key', key.headers],
      ['/token', tokens.headers],
      ['/token', opaque],
      ['/session', session.headers],
    ] as const) {
      expect((await t.ask(path, { headers })).said).toBe('200')
    }
    await t.core.users.disable(user.id)
    expectProblem(await t.ask('/key', { headers: key.headers }), 'user_disabled')
    expectProblem(await t.ask('/token', { headers: tokens.headers }), 'token_revoked')
    expectProblem(await t.ask('/token', { headers: opaque }), 'token_invalid')
    expectProblem(await t.ask('/session', { headers: session.headers }), 'session_invalid')
  })

  test('a user whom the app’s own store no longer knows', async () => {
    const known = new Set(['u1'])
    await using app = await createTestApp({ users: { load: (id) => (known.has(id) ? { id } : null) } })
    const [key, tokens] = [
      await addKey(app, { userId: 'u1' }),
      await app.core.tokens.issueForUser({ id: 'u1', email: null, roles: [] }),
    ]
    const bearer = { authorization: `Bearer ${tokens.access_token}` }
    expect((await app.ask('/key', { headers: key.headers })).said).toBe('200')
    expect((await app.ask('/token', { headers: bearer })).said).toBe('200')
    known.clear()
    expectProblem(await app.ask('/key', { headers: key.headers }), 'user_disabled')
    expectProblem(await app.ask('/token', { headers: bearer }), 'token_invalid')
  })

  test('a permission taken from a role, and a role taken from a user', async () => {
    await t.core.roles.put('viewer', { permissions: ['users.view'] })
    const user = await t.core.users.create({ email: 'viewer@example.com', roles: ['viewer'] })
    const credentials = [
      (await addKey(t, { userId: user.id, permissions: ['users.view', 'posts.view'] })).headers,
      (await addTokens(t, user.id)).headers,
      (await addSession(t, user.id)).headers,
    ]
    const said = () => Promise.all(credentials.map(async (headers) => (await t.ask('/users', { headers })).status))
    expect(await said()).toEqual([200, 200, 200])
    await t.core.roles.put('viewer', { permissions: ['posts.view'] })
    expect(await said()).toEqual([403, 403, 403])
    await t.core.roles.put('viewer', { permissions: ['users.*'] })
    expect(await said()).toEqual([200, 200, 200])
    await t.core.users.setRoles(user.id, [])
    expect(await said()).toEqual([403, 403, 403])
    await t.core.users.setRoles(user.id, ['viewer'])
    await t.core.roles.delete('viewer')
    expect(await said()).toEqual([403, 403, 403])
  })
})

describe('P35 a key ends at its expiry, not after it', () => {
  test.each([
    ['looked up', false],
    ['remembered', true],
  ])('%s', async (_, isWarm) => {
    for (const [offset, said] of [
      [-1, '200'],
      [0, '401 api_key_expired'],
      [1, '401 api_key_expired'],
    ] as const) {
      const key = await addKey(t, { expiresInDays: 1 })
      const expiry = t.time.now + DAY
      if (isWarm) {
        t.time.now = expiry - 1000
        expect((await t.ask('/key', { headers: key.headers })).said).toBe('200')
      }
      t.time.now = expiry + offset
      expect((await t.ask('/key', { headers: key.headers })).said).toBe(said)
      t.time.now = expiry + 1000
    }
  })
})

describe('P38 what is random is evenly so', () => {
  /** Far above what chance does to 61 degrees of freedom, far below what a modulo of bytes does. */
  const MAX_CHI_SQUARE = 140

  function expectEven(texts: readonly string[]): void {
    expect(new Set(texts).size).toBe(texts.length)
    const first = new Map<string, number>()
    for (const text of texts) first.set(text.charAt(0), (first.get(text.charAt(0)) ?? 0) + 1)
    expect(first.size).toBe(62)
    const expected = texts.length / 62
    const chiSquare = [...first.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    expect(chiSquare).toBeLessThan(MAX_CHI_SQUARE)
  }

  test('in 100,000 keys', () => {
    const keys = Array.from({ length: 100_000 }, () => generateApiKey('mac', 'live').raw.slice(9))
    expectEven(keys)
    expectEven(keys.map((text) => text.slice(17, 60)))
  })

  test('in 20,000 tokens and sessions', () => {
    const texts = (make: () => string) => Array.from({ length: 20_000 }, make)
    expectEven(texts(() => generateBearerToken().raw.slice(4)))
    expectEven(texts(() => generateSessionText().raw))
  })
})
