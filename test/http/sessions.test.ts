import { afterAll, describe, expect, test } from 'bun:test'
import {
  expectInvalidAt,
  expectProblem,
  listAt,
  membersOf,
  SESSION_VIEW,
  TIMESTAMP,
  textAt,
} from '../support/answers.ts'
import {
  ALICE,
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  BOB,
  createTestApp,
  PASSWORD,
  withCookie,
} from '../support/test-app.ts'

const DAY = 86_400_000
const COOKIE = /^session_id=([0-9A-Za-z]{59}); Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/

const t = await createTestApp()
const { alice, bob } = await addPeople(t)
afterAll(t.close)

const end = (id: string, headers: Readonly<Record<string, string>>) =>
  t.ask(`/auth/sessions/${id}`, { method: 'DELETE', headers })

describe('POST /sessions', () => {
  test('sets a cookie and tells the session, but never the cookie’s value', async () => {
    const answer = await t.ask('/auth/sessions', {
      body: { email: BOB, password: PASSWORD },
      headers: { 'user-agent': 'Test/1.0 \t(x)' },
    })
    expect(answer.status).toBe(201)
    expect(membersOf(answer.json)).toEqual(SESSION_VIEW)
    expect(answer.json).toMatchObject({
      id: expect.stringMatching(/^sess_[0-9A-Za-z]{16}$/),
      userId: bob.id,
      createdAt: new Date(t.time.now).toISOString(),
      expiresAt: new Date(t.time.now + 7 * DAY).toISOString(),
      address: '127.0.0.1',
      current: true,
    })
    expect(answer.json.lastSeenAt).toMatch(TIMESTAMP)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const [, value = ''] = COOKIE.exec(answer.headers.get('set-cookie') ?? '') ?? []
    expect(value).not.toBe('')
    expect(answer.text).not.toContain(value)
    expect((await t.ask('/session', { headers: withCookie(value) })).json).toEqual({ id: answer.json.id })
    expect((await t.ask('/user', { headers: withCookie(value) })).json).toEqual({ id: bob.id })
  })

  test('a login that fails sets no cookie', async () => {
    const answer = await t.ask('/auth/sessions', { body: { email: BOB, password: 'wrong' } })
    expectProblem(answer, 'login_failed')
    expect(answer.headers.has('set-cookie')).toBe(false)
  })

  test('takes the same body as /login', async () => {
    expectInvalidAt(await t.ask('/auth/sessions', { body: { email: BOB } }), 'password')
    expectInvalidAt(await t.ask('/auth/sessions', { body: { email: BOB, password: 'x', ttl: 1 } }), 'ttl')
  })
})

describe('GET /sessions', () => {
  test('lists the caller’s own that live, newest first, with the current one marked', async () => {
    const user = await t.core.users.create({ email: 'lister@example.com' })
    await addSession(t, alice.id)
    const old = await addSession(t, user.id)
    t.time.now += 6 * DAY
    const first = await addSession(t, user.id)
    t.time.now += 2 * DAY
    const second = await addSession(t, user.id)
    const answer = await t.ask('/auth/sessions', { headers: first.headers })
    expect(membersOf(answer.json)).toEqual(['items', 'nextCursor'])
    expect(answer.json.nextCursor).toBeNull()
    const items = listAt(answer.json, 'items')
    expect(items.map(membersOf)).toEqual([SESSION_VIEW, SESSION_VIEW])
    expect(items.map(({ id, current }) => [id, current])).toEqual([
      [second.id, false],
      [first.id, true],
    ])
    expectProblem(await t.ask('/session', { headers: old.headers }), 'session_expired')
  })

  test('comes in pages', async () => {
    const user = await t.core.users.create({ email: 'pages@example.com' })
    for (let count = 0; count < 3; count++) await addSession(t, user.id)
    const { headers } = await addTokens(t, user.id)
    const first = await t.ask('/auth/sessions?limit=2', { headers })
    const rest = await t.ask(`/auth/sessions?limit=2&cursor=${textAt(first.json, 'nextCursor')}`, { headers })
    const ids = [...listAt(first.json, 'items'), ...listAt(rest.json, 'items')].map(({ id }) => id)
    expect([ids.length, new Set(ids).size, rest.json.nextCursor]).toEqual([3, 3, null])
    for (const query of ['limit=0', 'limit=101', 'cursor=nobody', 'page=2']) {
      expectProblem(await t.ask(`/auth/sessions?${query}`, { headers }), 'validation_failed', ['errors'])
    }
  })

  test('by a token of the user none is the current one', async () => {
    const user = await t.core.users.create({ email: 'token@example.com' })
    const session = await addSession(t, user.id)
    const { headers } = await addTokens(t, user.id)
    const items = listAt((await t.ask('/auth/sessions', { headers })).json, 'items')
    expect(items.map(({ id, current }) => [id, current])).toEqual([[session.id, false]])
  })

  test.each([
    ['nobody', () => ({}), 'credential_missing'],
    ['a key without an owner', async () => (await addKey(t)).headers, 'credential_missing'],
    ['a key of the user', async () => (await addKey(t, { userId: alice.id })).headers, 'credential_missing'],
    ['the master key', () => asMaster, 'credential_missing'],
    ['a wrong cookie', () => withCookie('x'.repeat(59)), 'session_invalid'],
  ] as const)('%s is refused', async (_, headersOf, code) => {
    const headers = await headersOf()
    for (const method of ['GET', 'DELETE']) {
      const path = method === 'GET' ? '/auth/sessions' : '/auth/sessions/sess_x'
      expectProblem(await t.ask(path, { method, headers }), code)
    }
  })
})

describe('DELETE /sessions/current', () => {
  test('logs out and clears the cookie', async () => {
    const [session, other] = [await addSession(t, bob.id), await addSession(t, bob.id)]
    const answer = await end('current', session.headers)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers.get('set-cookie')).toBe('session_id=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expectProblem(await t.ask('/session', { headers: session.headers }), 'session_invalid')
    expectProblem(await end('current', session.headers), 'session_invalid')
    expect((await t.ask('/session', { headers: other.headers })).status).toBe(200)
  })

  test('needs the session itself', async () => {
    expectProblem(await end('current', (await addTokens(t, bob.id)).headers), 'credential_missing')
  })
})

describe('DELETE /sessions/:id', () => {
  test('ends one of the caller’s own from another', async () => {
    const [mine, other] = [await addSession(t, bob.id), await addSession(t, bob.id)]
    expect((await t.ask('/session', { headers: other.headers })).status).toBe(200)
    expect((await end(other.id, mine.headers)).status).toBe(204)
    expectProblem(await t.ask('/session', { headers: other.headers }), 'session_invalid')
    expectProblem(await end(other.id, mine.headers), 'not_found')
    expect((await t.ask('/session', { headers: mine.headers })).status).toBe(200)
  })

  test('of somebody else there is none, not even for an administrator', async () => {
    const session = await addSession(t, bob.id)
    for (const { headers } of [await addSession(t, alice.id), await addTokens(t, alice.id)]) {
      expectProblem(await end(session.id, headers), 'not_found')
    }
    expect((await t.ask('/session', { headers: session.headers })).status).toBe(200)
  })

  test.each(['%00', 'a b', 'x'.repeat(129), 'sess_é', "x'or'1"])('%j is no id', async (id) => {
    expectInvalidAt(await end(encodeURIComponent(id), (await addTokens(t, bob.id)).headers), 'id')
  })
})

describe('lifetimes', () => {
  test('a session ends after its time, however much it is used', async () => {
    await using app = await createTestApp({ sessions: { ttl: '1h' } })
    await addPeople(app)
    const { headers } = await addSession(app, 'user_bob')
    for (let minute = 0; minute < 60; minute += 15) {
      expect((await app.ask('/session', { headers })).said).toBe('200')
      app.time.now += 15 * 60_000
    }
    expectProblem(await app.ask('/session', { headers }), 'session_expired')
  })

  test('an idle one ends earlier, a used one does not', async () => {
    await using app = await createTestApp({ sessions: { ttl: '1h', idleTtl: '10m' } })
    await addPeople(app)
    const [used, idle] = [await addSession(app, 'user_bob'), await addSession(app, 'user_bob')]
    for (let step = 0; step < 3; step += 1) {
      app.time.now += 5 * 60_000
      expect((await app.ask('/session', { headers: used.headers })).said).toBe('200')
    }
    expectProblem(await app.ask('/session', { headers: idle.headers }), 'session_expired')
    const items = listAt((await app.ask('/auth/sessions', { headers: used.headers })).json, 'items')
    expect(items.map(({ id }) => id)).toEqual([used.id])
  })
})

test('a new login ends the session it came with, and no other', async () => {
  const elsewhere = await addSession(t, alice.id)
  const { body, headers } = {
    body: { email: ALICE, password: PASSWORD },
    headers: (await addSession(t, alice.id)).headers,
  }
  const first = await t.ask('/auth/sessions', { body, headers })
  const second = await t.ask('/auth/sessions', { body, headers })
  expect(textAt(first.json, 'id')).not.toBe(textAt(second.json, 'id'))
  expectProblem(await t.ask('/session', { headers }), 'session_invalid')
  expect((await t.ask('/session', { headers: elsewhere.headers })).status).toBe(200)
})
