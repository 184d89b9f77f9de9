/** What a request costs: no statement for a known credential, none for what cannot be one, and nothing stale for it. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectProblem } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  createTestApp,
  PASSWORD_HASH,
  type TestApp,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'
import { measureWork } from '../support/work.ts'

type Headers = Readonly<Record<string, string>>

const t = await createTestApp({}, (app) =>
  app
    .get('/many', ({ auth }) => auth.currentUser().then(({ id }) => id), {
      currentUser: true,
      requirePermission: ['users.view', 'posts.view'],
      requireModule: 'users',
      requireRole: 'admin',
      optionalUser: true,
    })
    .get(
      '/many/kinds',
      ({ apiKey, bearerToken, session, currentUser }) => [apiKey.id, bearerToken.id, session.id, currentUser.id],
      {
        apiKey: { permissions: ['users.view'], environment: 'live' },
        bearerToken: true,
        session: true,
        currentUser: true,
      },
    ),
)
const { alice } = await addPeople(t)
const jwt = (await addTokens(t, alice.id)).pair.access_token
const { rawKey } = await addKey(t)
afterAll(t.close)

const opaque = async (app: TestApp, userId: string) => {
  const { rawToken } = await app.core.tokens.bearer.create({ name: 'x', userId, permissions: ['*'] })
  return { headers: withBearer(rawToken) }
}

const CREDENTIALS: readonly (readonly [
  string,
  string,
  (app: TestApp, userId: string) => Promise<{ headers: Headers }>,
])[] = [
  ['key', '/key', (app, userId) => addKey(app, { userId, permissions: ['*'] })],
  ['token', '/token', addTokens],
  ['opaque token', '/token', opaque],
  ['session', '/session', addSession],
]

describe.each(CREDENTIALS)('a %s', (_, path, make) => {
  test('costs one look-up, and none from then on', async () => {
    const { headers } = await make(t, alice.id)
    t.takeStatements()
    expect((await t.ask(path, { headers })).status).toBe(200)
    const first = t.takeStatements()
    expect(first).toHaveLength(1)
    expect(first[0]).toStartWith('select')
    for (const again of [path, '/user', '/admin', '/users', '/auth/me', path]) {
      const { result, work } = await measureWork(() => t.ask(again, { headers }))
      expect(result.status).toBe(200)
      expect([t.takeStatements(), work]).toEqual([[], { hmacs: 0, verifications: 0, hashes: 0 }])
    }
  })

  test('is verified once, however many guards ask', async () => {
    const { headers } = await make(t, alice.id)
    t.takeStatements()
    expect((await t.ask('/many', { headers })).text).toBe(alice.id)
    expect(t.takeStatements()).toHaveLength(1)
  })

  test('is verified once, however many requests bring it at once', async () => {
    const { headers } = await make(t, alice.id)
    t.takeStatements()
    const answers = await Promise.all(Array.from({ length: 20 }, () => t.ask(path, { headers })))
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
    expect(t.takeStatements()).toHaveLength(1)
  })

  test('is looked up again after a minute, and once', async () => {
    const { headers } = await make(t, alice.id)
    await t.ask(path, { headers })
    t.time.now += 59_999
    t.takeStatements()
    await t.ask(path, { headers })
    expect(t.takeStatements().filter((text) => text.startsWith('select'))).toEqual([])
    t.time.now += 1
    await t.ask(path, { headers })
    await t.ask(path, { headers })
    // The signing keys are read again too.
    const lookUps = t.takeStatements().filter((text) => text.startsWith('select') && !text.includes('signing_keys'))
    expect(lookUps).toHaveLength(1)
  })

  test('on a public route costs nothing once it is known', async () => {
    const { headers } = await make(t, alice.id)
    await t.ask('/open', { headers })
    t.takeStatements()
    expect((await t.ask('/open', { headers })).status).toBe(200)
    expect(t.takeStatements()).toEqual([])
  })
})

test('one of each kind costs one look-up each, whatever asks', async () => {
  const [key, tokens, session] = [
    await addKey(t, { userId: alice.id, permissions: ['*'] }),
    await addTokens(t, alice.id),
    await addSession(t, alice.id),
  ]
  const headers = { ...key.headers, ...tokens.headers, ...session.headers }
  t.takeStatements()
  expect((await t.ask('/many/kinds', { headers })).status).toBe(200)
  expect(t.takeStatements()).toHaveLength(3)
  expect((await t.ask('/many/kinds', { headers })).status).toBe(200)
  expect(t.takeStatements()).toEqual([])
})

/** A few wrong master keys in a minute are written down. */
const OF_AUDIT = /"machine_auth_audit/

describe('what cannot be a credential of ours costs no statement', () => {
  test.each([
    ['a key with a wrong checksum', withKey(`${rawKey.slice(0, -1)}${rawKey.endsWith('0') ? '1' : '0'}`)],
    ['a truncated key', withKey(rawKey.slice(0, 40))],
    ['a key of 8 KB', withKey(rawKey.padEnd(8000, '0'))],
    ['another scheme', { authorization: `Basic ${rawKey}` }],
    ['a made-up opaque token', withBearer('mat_nonsense')],
    ['an opaque token of 8 KB', withBearer('x'.repeat(8000))],
    ['a JWT with another signature', withBearer(`${jwt.slice(0, -4)}AAAA`)],
    ['a JWT of nonsense', withBearer('a.b.c')],
    ['a JWT of 8 KB', withBearer(`${'a'.repeat(8000)}.b.c`)],
    ['two keys', withKey(`${rawKey}, ${rawKey}`)],
    ['a session of nonsense', withCookie('nonsense')],
    ['a session of 8 KB', withCookie('x'.repeat(8000))],
    ['a wrong master key', { 'x-admin-key': 'x'.repeat(100) }],
    ['nothing', {}],
  ])('%s', async (_, hostile) => {
    t.takeStatements()
    for (const path of ['/key', '/token', '/session', '/user', '/users', '/master', '/auth/keys', '/auth/me']) {
      expect((await t.ask(path, { headers: hostile })).status).toBeGreaterThanOrEqual(400)
    }
    expect(t.takeStatements().filter((statement) => !OF_AUDIT.test(statement))).toEqual([])
  })
})

test('tokens that name unknown signing keys cost one statement a second, however many come', async () => {
  const head = (kid: number) =>
    Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid: `${kid}` })).toString('base64url')
  t.time.now += 1000
  t.takeStatements()
  for (let kid = 0; kid < 50; kid += 1) {
    expectProblem(await t.ask('/token', { headers: withBearer(`${head(kid)}.e30.AAAA`) }), 'token_invalid')
  }
  expect(t.takeStatements()).toHaveLength(1)
})

describe('what is taken away is gone with the very next request', () => {
  const WAYS: Readonly<Record<string, (app: TestApp, userId: string, organizationId: string) => Promise<unknown>>> = {
    'a disabled user': (app, id) => app.core.users.disable(id),
    'a suspended organization': (app, _, id) => app.core.organizations.suspend(id),
  }
  test.each(Object.entries(WAYS))('%s', async (name, take) => {
    const { id: organizationId } = await t.core.organizations.create({ name })
    const user = await t.core.users.create({
      email: `${name.replaceAll(' ', '.')}@example.com`,
      passwordHash: PASSWORD_HASH,
      organizationId,
    })
    const held = await Promise.all(CREDENTIALS.map(async ([, path, make]) => ({ path, ...(await make(t, user.id)) })))
    for (const { path, headers } of held) expect((await t.ask(path, { headers })).status).toBe(200)
    await take(t, user.id, organizationId)
    for (const { path, headers } of held) expect((await t.ask(path, { headers })).status).toBeGreaterThanOrEqual(401)
  })

  test('a changed password ends tokens and sessions, not keys', async () => {
    const user = await t.core.users.create({ email: 'password@example.com' })
    const held = await Promise.all(CREDENTIALS.map(async ([, path, make]) => ({ path, ...(await make(t, user.id)) })))
    for (const { path, headers } of held) expect((await t.ask(path, { headers })).status).toBe(200)
    await t.core.users.setPassword(user.id, 'a new password')
    const said = await Promise.all(held.map(async ({ path, headers }) => (await t.ask(path, { headers })).said))
    expect(said).toEqual(['200', '401 token_revoked', '200', '401 session_invalid'])
  })

  test('a revoked key, token, family and session', async () => {
    const key = await addKey(t)
    const { token, rawToken } = await t.core.tokens.bearer.create({ name: 'x' })
    const tokens = await addTokens(t, alice.id)
    const session = await addSession(t, alice.id)
    const held: readonly (readonly [string, Headers, () => Promise<unknown>, Parameters<typeof expectProblem>[1]])[] = [
      ['/key', key.headers, () => t.core.keys.revoke(key.id), 'api_key_revoked'],
      ['/token', withBearer(rawToken), () => t.core.tokens.bearer.revoke(token.id), 'token_revoked'],
      ['/token', tokens.headers, () => t.core.tokens.logout(tokens.pair.refresh_token), 'token_revoked'],
      ['/session', session.headers, () => t.core.sessions.end(session.id), 'session_invalid'],
    ]
    for (const [path, headers, revoke, code] of held) {
      expect((await t.ask(path, { headers })).status).toBe(200)
      await revoke()
      expectProblem(await t.ask(path, { headers }), code)
    }
  })

  test('a stored role that was put anew', async () => {
    await t.core.roles.put('narrow', { permissions: ['users.view'] })
    const user = await t.core.users.create({ email: 'narrow@example.com', roles: ['narrow'] })
    const held = await Promise.all(CREDENTIALS.map(([, , make]) => make(t, user.id)))
    const statuses = () => Promise.all(held.map(async ({ headers }) => (await t.ask('/users', { headers })).status))
    expect(await statuses()).toEqual([200, 200, 200, 200])
    await t.core.roles.put('narrow', { permissions: [] })
    expect(await statuses()).toEqual([403, 403, 403, 403])
  })

  test('with a memory of one entry and none at all as well', async () => {
    for (const apiKeys of [{ cacheSize: 1 }, { cacheTtl: '0s' }]) {
      await using app = await createTestApp({ apiKeys })
      const keys = [await addKey(app), await addKey(app), await addKey(app)]
      for (let round = 0; round < 2; round += 1) {
        for (const { headers, id } of keys) expect((await app.ask('/key', { headers })).json).toEqual({ id })
      }
      for (const { id, headers } of keys) {
        await app.core.keys.revoke(id)
        expectProblem(await app.ask('/key', { headers }), 'api_key_revoked')
      }
    }
  })
})
