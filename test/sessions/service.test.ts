import { describe, expect, test } from 'bun:test'
import { hashSession } from '../../src/authentication/session.ts'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, type ServicesInput, START } from '../support/services.ts'

const DAY = 86_400_000

async function withUser(input: ServicesInput = {}) {
  const services = createServices(input)
  const user = await services.users.create({ email: 'alice@example.com', password: 'correct horse' })
  return { services, user, sessions: services.sessions, open: services.authenticators.session }
}

describe('opening', () => {
  test('the cookie works; only its hash is stored', async () => {
    const { services, user, sessions, open } = await withUser()
    const { session, cookieValue } = await sessions.create(user.id, {
      address: '::ffff:10.0.0.1',
      userAgent: 'Firefox',
    })
    expect(session).toEqual({
      id: `sess_${cookieValue.slice(0, 16)}`,
      userId: user.id,
      createdAt: new Date(START).toISOString(),
      lastSeenAt: new Date(START).toISOString(),
      expiresAt: new Date(START + 7 * DAY).toISOString(),
      address: '10.0.0.1',
      userAgent: 'Firefox',
    })
    expect(await open.resolve(cookieValue)).toMatchObject({ kind: 'session', id: user.id })
    const row = services.memory.rows.sessions.get(session.id)
    expect(row?.hash).toBe(hashSession(cookieValue))
    expect(JSON.stringify(row)).not.toContain(cookieValue.slice(16))
  })

  test('every login has a new id', async () => {
    const { user, sessions } = await withUser()
    const values = await Promise.all(Array.from({ length: 20 }, () => sessions.create(user.id)))
    expect(new Set(values.map(({ cookieValue }) => cookieValue)).size).toBe(20)
  })

  test.each([
    { given: 'a\nINFO fake', expected: 'aINFO fake' },
    { given: '\u001b[31mred\u2028', expected: '[31mred' },
    { given: 'é', expected: null },
    { given: '  ', expected: null },
    { given: 'x'.repeat(1_000_000), expected: 'x'.repeat(256) },
    { given: null, expected: null },
  ])('a user agent is kept as printable text of 256 characters', async ({ given, expected }) => {
    const { user, sessions } = await withUser()
    expect((await sessions.create(user.id, { userAgent: given })).session.userAgent).toBe(expected)
  })

  test('an address that is none is not kept', async () => {
    const { user, sessions } = await withUser()
    expect((await sessions.create(user.id, { address: 'unknown' })).session.address).toBeNull()
  })

  test.each(['setPassword', 'disable'] as const)(
    'when %s comes between login and insert, none is opened',
    async (act) => {
      const { services, user, sessions } = await withUser()
      const { id, tokensNotBefore } = await services.login.verify('alice@example.com', 'correct horse')
      services.memory.before.set('sessions.insert', async () => {
        if (act === 'disable') await services.users.disable(user.id)
        else await services.users.setPassword(user.id, 'another horse')
      })
      await expectRefused(sessions.create(id, { tokensNotBefore }), 'login_failed')
      expect(services.memory.rows.sessions.size).toBe(0)
    },
  )

  test('an unknown user gets none, unless users are the app’s own', async () => {
    const { services, sessions } = await withUser()
    await expectRefused(sessions.create('user_ghost'), 'login_failed')
    expect(services.memory.rows.sessions.size).toBe(0)
    const external = createServices({ users: { load: (id) => ({ id }) } })
    const { cookieValue } = await external.sessions.create('u1')
    expect(await external.authenticators.session.resolve(cookieValue)).toMatchObject({ id: 'u1' })
  })
})

describe('lasting', () => {
  test('the absolute lifetime ends it, to the millisecond, however often it is used', async () => {
    const { services, user, sessions, open } = await withUser({ sessions: { ttl: 10_000 } })
    const { cookieValue } = await sessions.create(user.id)
    for (const at of [3000, 6000, 9999]) {
      services.time.now = START + at
      expect((await open.resolve(cookieValue)).kind).toBe('session')
    }
    services.time.now = START + 10_000
    expect(await open.resolve(cookieValue)).toMatchObject({ code: 'session_expired' })
    expect(await sessions.list(user.id)).toEqual([])
  })

  test('an idle one is neither accepted nor listed', async () => {
    const { services, user, sessions, open } = await withUser({ sessions: { idleTtl: 1000 } })
    const { cookieValue } = await sessions.create(user.id)
    services.time.now = START + 999
    expect(await sessions.list(user.id)).toHaveLength(1)
    services.time.now = START + 1000
    expect(await sessions.list(user.id)).toEqual([])
    expect(await open.resolve(cookieValue)).toMatchObject({ code: 'session_expired' })
  })
})

describe('listing and ending', () => {
  test('a user sees his own, newest first', async () => {
    const { services, user, sessions } = await withUser()
    const other = await services.users.create({ email: 'bob@example.com' })
    const first = await sessions.create(user.id)
    services.time.now += 1
    const second = await sessions.create(user.id)
    await sessions.create(other.id)
    expect((await sessions.list(user.id)).map(({ id }) => id)).toEqual([second.session.id, first.session.id])
  })

  test('an ended session is refused on the next request', async () => {
    const { services, user, sessions, open } = await withUser()
    const { session, cookieValue } = await sessions.create(user.id)
    await open.resolve(cookieValue)
    await sessions.end(session.id, user.id)
    expect(open.peek(cookieValue)).toBeUndefined()
    expect(await open.resolve(cookieValue)).toMatchObject({ code: 'session_invalid' })
    expect(auditedActions(services)).toContain('session.ended')
  })

  test("ending an unknown one, one ended already, or another user's: not found, and nothing is forgotten", async () => {
    const { services, user, sessions, open } = await withUser()
    const { session, cookieValue } = await sessions.create(user.id)
    for (const [id, userId] of [
      ['sess_unknown', user.id],
      [session.id, 'user_other'],
    ] as const) {
      await expectRefused(sessions.end(id, userId), 'not_found')
    }
    expect(services.invalidated).toEqual([])
    expect((await open.resolve(cookieValue)).kind).toBe('session')
    await sessions.end(session.id)
    await expectRefused(sessions.end(session.id), 'not_found')
  })

  test('all of a user, and of nobody else', async () => {
    const { services, user, sessions, open } = await withUser()
    const other = await services.users.create({ email: 'bob@example.com' })
    const own = [await sessions.create(user.id), await sessions.create(user.id)]
    const theirs = await sessions.create(other.id)
    for (const { cookieValue } of own) await open.resolve(cookieValue)
    expect(await sessions.endAll(user.id)).toBe(2)
    for (const { cookieValue } of own)
      expect(await open.resolve(cookieValue)).toMatchObject({ code: 'session_invalid' })
    expect((await open.resolve(theirs.cookieValue)).kind).toBe('session')
  })

  test('not of a user out of reach', async () => {
    const { services, user, sessions } = await withUser()
    await sessions.create(user.id)
    const actor = actorWith(['*'], { organizationId: 'org_other' })
    await expectRefused(sessions.endAll(user.id, actor), 'not_found')
    expect(services.memory.rows.sessions.size).toBe(1)
  })
})
