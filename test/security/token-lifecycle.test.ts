/** SECURITY.md, tokens: how long they live, and what ends them. */
import { afterAll, describe, expect, test } from 'bun:test'
import { createMachineAuth, OptionsError } from '../../src/index.ts'
import { expectProblem, listAt, textAt } from '../support/answers.ts'
import { expectRefused } from '../support/refusals.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  MASTER_KEY,
  SECRET,
  type TestApp,
  withBearer,
} from '../support/test-app.ts'

const DAY = 86_400_000

const t = await createTestApp()
const { alice, bob } = await addPeople(t)
afterAll(t.close)

const saidOf = async (token: unknown, path = '/token', app: TestApp = t) =>
  (await app.ask(path, { headers: withBearer(String(token)) })).said
const refresh = (token: unknown, app: TestApp = t) => app.ask('/auth/refresh', { body: { refresh_token: token } })
const audited = async (action: string) => (await t.core.audit.list({ action }, { limit: 100 })).items
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('P9 one credential does not pass for another', () => {
  test('on guarded routes', async () => {
    const { pair } = await addTokens(t, bob.id)
    const key = await addKey(t, { userId: bob.id })
    const session = await addSession(t, bob.id)
    const { rawToken } = await t.core.tokens.bearer.create({ name: 'x', userId: bob.id })
    // Each where it belongs, so that it is refused elsewhere for being elsewhere.
    expect(await saidOf(pair.access_token)).toBe('200')
    expect(await saidOf(rawToken)).toBe('200')
    expect((await t.ask('/key', { headers: withBearer(key.rawKey) })).said).toBe('200')

    for (const wrong of [pair.refresh_token, session.cookieValue, session.id, MASTER_KEY]) {
      expect(await saidOf(wrong)).toBe('401 token_invalid')
      expect(await saidOf(wrong, '/user')).toBe('401 token_invalid')
    }
    expect(await saidOf(key.rawKey)).toBe('401 credential_missing')
    for (const wrong of [pair.access_token, pair.refresh_token, rawToken, session.cookieValue, MASTER_KEY]) {
      expect((await t.ask('/key', { headers: { 'x-api-key': wrong } })).said).toBe('401 api_key_invalid')
    }
    for (const wrong of [pair.access_token, pair.refresh_token, rawToken, key.rawKey, session.id, MASTER_KEY]) {
      expect((await t.ask('/session', { headers: { cookie: `session_id=${wrong}` } })).said).toBe('401 session_invalid')
    }
    for (const wrong of [pair.access_token, pair.refresh_token, rawToken, key.rawKey, SECRET]) {
      expect((await t.ask('/master', { headers: { 'x-admin-key': wrong } })).said).toBe('401 master_key_invalid')
    }
  })

  test('where a refresh token is due, however long it is', async () => {
    await using big = await createTestApp({ claims: () => ({ note: 'x'.repeat(2000) }) })
    const people = await addPeople(big)
    const { pair } = await addTokens(big, people.bob.id)
    expect(pair.access_token.length).toBeGreaterThan(2000)
    expect(await saidOf(pair.access_token, '/token', big)).toBe('200')
    expectProblem(await refresh(pair.access_token, big), 'token_invalid')
  })
})

describe('P10 a weak secret stops the start', () => {
  test.each([
    'short',
    'my-secret',
    'change-me',
    'secret',
    'x'.repeat(64),
    'change-me-change-me-change-me-change-me',
    'my-secret-my-secret-my-secret-my-secret',
  ])('%s', (secret) => {
    for (const NODE_ENV of ['production', 'development']) {
      for (const options of [{ secret }, { secret: [SECRET, secret] }, { secret: SECRET, masterKey: secret }]) {
        const start = () =>
          createMachineAuth({ ...options, database: 'sqlite::memory:' }, { env: { NODE_ENV }, cwd: '/nowhere' })
        expect(start).toThrow(OptionsError)
        try {
          start()
        } catch (error) {
          // The option has that name too.
          if (secret !== 'secret') expect(String(error)).not.toContain(secret)
        }
      }
    }
  })

  test('and so does none in production, and a master key that is the secret', () => {
    const start =
      (options: object, NODE_ENV = 'production') =>
      () =>
        createMachineAuth({ database: 'sqlite::memory:', ...options }, { env: { NODE_ENV }, cwd: '/nowhere' })
    expect(start({})).toThrow(/secret/)
    expect(start({}, 'staging')).toThrow(/secret/)
    expect(start({ secret: SECRET, masterKey: SECRET }, '')).toThrow(/masterKey/)
    expect(start({ secret: [MASTER_KEY, SECRET], masterKey: SECRET })).toThrow(/masterKey/)
  })
})

test('P11 custom claims cannot take over reserved ones', async () => {
  const reserved = {
    ...{ sub: 'user_alice', iss: 'evil', aud: 'evil', exp: 9e9, iat: 0, nbf: 0, jti: 'x', fid: `rt_${'0'.repeat(16)}` },
    ...{ roles: ['admin'], scope: '*', permissions: ['*'], client_id: 'user_alice', __proto__x: 1 },
  }
  await using app = await createTestApp({ claims: ({ id }) => ({ ...reserved, team: `of ${id}` }) })
  await addPeople(app)
  const { pair, headers } = await addTokens(app, 'user_bob')
  const claims = claimsOf(pair.access_token)
  expect(claims).toMatchObject({
    sub: 'user_bob',
    iss: 'machine-auth',
    aud: 'machine-auth',
    roles: ['user'],
    team: 'of user_bob',
  })
  expect(claims.exp - claims.iat).toBe(900)
  expect(claims).not.toHaveProperty('scope')
  expect((await app.ask('/user', { headers })).json).toEqual({ id: 'user_bob' })
  expect((await app.ask('/admin', { headers })).said).toBe('403 role_required')
  for (const name of ['sub', 'iss', 'exp', 'roles', 'fid']) {
    expect(app.warnings.filter((warning) => warning.includes(`"${name}"`))).toHaveLength(1)
  }
  await addTokens(app, 'user_bob')
  expect(app.warnings.filter((warning) => warning.includes('"sub"'))).toHaveLength(1)
})

describe('P12 clocks that differ', () => {
  test.each([
    [-29_000, '200'],
    [-30_000, '200'],
    [-32_000, '401 token_invalid'],
    [-90_000, '401 token_invalid'],
    [900_000 + 29_999, '200'],
    [900_000 + 30_000, '401 token_expired'],
    [900_000 + 90_000, '401 token_expired'],
  ])('a token is looked at %d ms after it was made: %s', async (later, said) => {
    const { pair } = await addTokens(t, bob.id)
    const made = t.time.now
    t.time.now = made + later
    const answer = await saidOf(pair.access_token)
    t.time.now = Math.max(made, t.time.now)
    expect(answer).toBe(said)
  })

  test('the tolerance is none for a token that was taken back', async () => {
    const { pair } = await addTokens(t, bob.id)
    await t.core.tokens.logout(pair.refresh_token)
    expect(await saidOf(pair.access_token)).toBe('401 token_revoked')
  })

  test('a verified token is not believed longer than it lives', async () => {
    const { pair } = await addTokens(t, bob.id)
    t.time.now += 929_000
    expect(await saidOf(pair.access_token)).toBe('200')
    t.time.now += 1000
    expect(await saidOf(pair.access_token)).toBe('401 token_expired')
  })
})

test('P13 a replaced signing key verifies as long as its tokens live, and is shown as long', async () => {
  const kidsShown = async () => listAt((await t.ask('/.well-known/jwks.json')).json, 'keys').map(({ kid }) => kid)
  const kidOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  const before = (await addTokens(t, bob.id)).pair.access_token
  const next = await t.core.signingKeys.rotate()
  const after = (await addTokens(t, bob.id)).pair.access_token
  expect(kidOf(after)).toBe(next)
  expect([await saidOf(before), await saidOf(after)]).toEqual(['200', '200'])
  expect(await kidsShown()).toEqual([next, kidOf(before)])
  t.time.now += 15 * 60_000
  expect(await saidOf(before)).toBe('200')
  expect(await kidsShown()).toEqual([next, kidOf(before)])
  t.time.now += 31_000
  expect(await kidsShown()).toEqual([next])
  expect(await saidOf(before)).toMatch(/^401 token_(?:expired|invalid)$/)
})

describe('P14 an access token dies with', () => {
  const ENDS: Readonly<Record<string, (userId: string, refreshToken: string) => Promise<unknown>>> = {
    logout: (_, refreshToken) => t.ask('/auth/logout', { body: { refresh_token: refreshToken } }),
    'a changed password': (id) => t.core.users.setPassword(id, 'another password'),
    'a disabled user': (id) => t.core.users.disable(id),
    'the end of all tokens of the user': (id) => t.core.tokens.revokeUser(id),
  }
  test.each(Object.entries(ENDS))('%s, on the very next request', async (name, end) => {
    const user = await t.core.users.create({ email: `${name.replaceAll(' ', '-')}@example.com` })
    const { pair } = await addTokens(t, user.id)
    expect(await saidOf(pair.access_token)).toBe('200')
    await end(user.id, pair.refresh_token)
    expect(await saidOf(pair.access_token)).toBe('401 token_revoked')
    expect((await refresh(pair.refresh_token)).said).toBe('401 token_revoked')
    await t.core.users.enable(user.id)
    expect(await saidOf(pair.access_token)).toBe('401 token_revoked')
  })
})

describe('P15 a refresh token that was spent', () => {
  test.each([
    [
      'after the window',
      async (first: string) => {
        const second = (await refresh(first)).json
        t.time.now += 10_000
        return second
      },
    ],
    [
      'inside it, when its successor is spent too',
      async (first: string) => {
        const second = (await refresh(first)).json
        return (await refresh(second.refresh_token)).json
      },
    ],
  ])('ends the whole family %s', async (_, use) => {
    const { pair } = await addTokens(t, bob.id)
    const newest = await use(pair.refresh_token)
    expect(await saidOf(newest.access_token)).toBe('200')
    expectProblem(await refresh(pair.refresh_token), 'refresh_token_reused')
    expectProblem(await refresh(newest.refresh_token), 'token_revoked')
    expectProblem(await refresh(pair.refresh_token), 'token_revoked')
    expect(await saidOf(newest.access_token)).toBe('401 token_revoked')
    expect(await saidOf(pair.access_token)).toBe('401 token_revoked')
    const { fid } = claimsOf(pair.access_token)
    const events = (await audited('refresh.reused')).filter(({ subject }) => subject === fid)
    expect(events.map(({ actor }) => actor)).toEqual([bob.id])
  })

  test('gets its successor again inside the window, which is audited', async () => {
    const { pair } = await addTokens(t, bob.id)
    const before = (await audited('refresh.replayed')).length
    const [first, second] = [await refresh(pair.refresh_token), await refresh(pair.refresh_token)]
    expect(second.json.refresh_token).toBe(first.json.refresh_token)
    expect(second.json.access_token).not.toBe(first.json.access_token)
    expect((await audited('refresh.replayed')).length).toBe(before + 1)
    t.time.now += 9999
    expect((await refresh(pair.refresh_token)).json.refresh_token).toBe(first.json.refresh_token)
    expect((await refresh(first.json.refresh_token)).status).toBe(200)
  })

  test('gets nothing where the window is 0', async () => {
    await using strict = await createTestApp({ jwt: { refreshReuseWindow: '0s' } })
    await addPeople(strict)
    const { pair } = await addTokens(strict, 'user_bob')
    await refresh(pair.refresh_token, strict)
    expectProblem(await refresh(pair.refresh_token, strict), 'refresh_token_reused')
  })
})

test('P16 fifty at once get the same successor, written once', async () => {
  const { pair } = await addTokens(t, bob.id)
  const before = t.countRows()
  const replayed = (await audited('refresh.replayed')).length
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(pair.refresh_token)))
  expect(new Set(answers.map(({ said }) => said))).toEqual(new Set(['200']))
  expect(new Set(answers.map(({ json }) => json.refresh_token)).size).toBe(1)
  expect(new Set(answers.map(({ json }) => json.access_token)).size).toBe(50)
  const family = t.client.query<{ sequence: number }, [string]>(
    'select sequence from machine_auth_refresh_families where id = ?',
  )
  expect(family.get(claimsOf(pair.access_token).fid)).toEqual({ sequence: 2 })
  expect(t.countRows().machine_auth_refresh_families).toBe(before.machine_auth_refresh_families)
  expect((await audited('refresh.replayed')).length).toBe(replayed + 49)
  for (const { headers } of answers) expect(headers.has('set-cookie')).toBe(false)
})

test('P17 a client’s refresh token is worth nothing to another, and is not harmed', async () => {
  const issue = async (id: string) =>
    (await t.ask('/auth/token/new', { headers: asMaster, body: { client_id: id } })).json
  const [a, b] = [await issue('client-a'), await issue('client-b')]
  const token = textAt(a, 'refresh_token')
  await expectRefused(t.core.tokens.refresh(token, { clientId: 'client-b' }), 'token_invalid')
  await expectRefused(t.core.tokens.refresh(token, { kind: 'user' }), 'token_invalid')
  const swapped = token.slice(0, 20) + textAt(b, 'refresh_token').slice(20)
  expectProblem(await refresh(swapped), 'token_invalid')
  expect(await saidOf(a.access_token)).toBe('200')
  const renewed = await refresh(token)
  expect([renewed.status, renewed.json.client_id]).toEqual([200, 'client-a'])
})

describe('P19 a credential in the URL counts for nothing', () => {
  test.each([
    'access_token',
    'token',
    'bearer',
    'api_key',
    'apikey',
    'key',
    'x-api-key',
    'session_id',
    'authorization',
    'refresh_token',
    'x-admin-key',
  ])('?%s=', async (name) => {
    const credentials = [
      (await addTokens(t, alice.id)).pair.access_token,
      (await addKey(t, { userId: alice.id })).rawKey,
      MASTER_KEY,
    ]
    for (const credential of credentials) {
      for (const path of ['/key', '/token', '/user', '/session', '/master', '/auth/me', '/auth/keys']) {
        const answer = await t.ask(`${path}?${name}=${credential}`)
        expect([path, answer.said]).toEqual([path, '401 credential_missing'])
        expect(answer.text).not.toContain(credential)
      }
    }
  })

  test('nor in a form', async () => {
    const { pair } = await addTokens(t, bob.id)
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const raw = `access_token=${pair.access_token}`
    expectProblem(await t.ask('/user', { method: 'POST', raw, headers }), 'credential_missing')
  })
})

test('a refresh token lives thirty days from its last use', async () => {
  const { pair } = await addTokens(t, bob.id)
  t.time.now += 30 * DAY - 1
  const renewed = await refresh(pair.refresh_token)
  expect(renewed.status).toBe(200)
  t.time.now += 30 * DAY - 1
  expect((await refresh(renewed.json.refresh_token)).status).toBe(200)
})
