import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, membersOf, TOKEN_RESPONSE, textAt } from '../support/answers.ts'
import {
  ALICE,
  addKey,
  addPeople,
  addSession,
  addTokens,
  createTestApp,
  PASSWORD,
  PASSWORD_HASH,
  withBearer,
} from '../support/test-app.ts'

const MINUTE = 60_000
const DAY = 86_400_000

const t = await createTestApp()
const { bob } = await addPeople(t)
afterAll(t.close)

const refresh = (token: unknown, path = '/auth/refresh') => t.ask(path, { body: { refresh_token: token } })
const logout = (token: unknown) => t.ask('/auth/logout', { body: { refresh_token: token } })
const saidOf = async (token: string) => (await t.ask('/token', { headers: withBearer(token) })).said

describe('POST /login', () => {
  test('answers a token response that nobody may keep', async () => {
    const answer = await t.ask('/auth/login', { body: { email: ALICE, password: PASSWORD } })
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(TOKEN_RESPONSE)
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.has('set-cookie')).toBe(false)
    const user = await t.ask('/user', { headers: withBearer(textAt(answer.json, 'access_token')) })
    expect(user.json).toEqual({ id: 'user_alice' })
  })

  test.each([['  Bob@Example.COM '], ['BOB@EXAMPLE.COM']])('takes %j for the same address', async (email) => {
    expect((await t.ask('/auth/login', { body: { email, password: PASSWORD } })).status).toBe(200)
  })

  test.each([
    ['a wrong password', { email: ALICE, password: 'wrong' }],
    ['another case of the password', { email: ALICE, password: PASSWORD.toUpperCase() }],
    ['a password with a space behind it', { email: ALICE, password: `${PASSWORD} ` }],
    ['an unknown address', { email: 'nobody@example.com', password: PASSWORD }],
    ['no address at all', { email: 'nobody', password: PASSWORD }],
    ['the stored hash for a password', { email: ALICE, password: PASSWORD_HASH }],
  ])('%s is login_failed', async (_, body) => {
    expectProblem(await t.ask('/auth/login', { body }), 'login_failed')
  })

  test.each([
    ['nothing', {}, ['email', 'password']],
    ['no password', { email: ALICE }, ['password']],
    ['a number for an address', { email: 1, password: PASSWORD }, ['email']],
    ['a list for a password', { email: ALICE, password: [PASSWORD] }, ['password']],
    ['an empty address', { email: '', password: PASSWORD }, ['email']],
    ['an empty password', { email: ALICE, password: '' }, ['password']],
    ['321 characters of address', { email: 'x'.repeat(321), password: PASSWORD }, ['email']],
    ['255 characters of address', { email: `${'x'.repeat(243)}@example.com`, password: PASSWORD }, ['email']],
    ['1025 characters of password', { email: ALICE, password: 'x'.repeat(1025) }, ['password']],
    ['2000 bytes of password', { email: ALICE, password: 'é'.repeat(1000) }, ['password']],
    ['an unknown member', { email: ALICE, password: PASSWORD, remember: true }, ['remember']],
    ['members of a record', { email: ALICE, password: PASSWORD, roles: ['admin'], id: 'x' }, ['roles', 'id']],
  ])('%s is refused', async (_, body, paths) => {
    expectInvalidAt(await t.ask('/auth/login', { body }), ...paths)
  })
})

describe('POST /refresh', () => {
  test('spends the token for a new pair', async () => {
    const { pair } = await addTokens(t, bob.id)
    const answer = await refresh(pair.refresh_token)
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(TOKEN_RESPONSE)
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
    expect(answer.json.refresh_token).not.toBe(pair.refresh_token)
    expect(answer.json.access_token).not.toBe(pair.access_token)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await saidOf(textAt(answer.json, 'access_token'))).toBe('200')
    expect(await saidOf(pair.access_token)).toBe('200')
  })

  test('carries the roles that the user has now', async () => {
    const user = await t.core.users.create({ email: 'changing@example.com', roles: ['user'] })
    const { pair } = await addTokens(t, user.id)
    await t.core.users.setRoles(user.id, ['admin'])
    const answer = await refresh(pair.refresh_token)
    const [, payload = ''] = textAt(answer.json, 'access_token').split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString()).roles).toEqual(['admin'])
  })

  test('a token that expired says so', async () => {
    const { pair } = await addTokens(t, bob.id)
    t.time.now += 30 * DAY
    expectProblem(await refresh(pair.refresh_token), 'token_expired')
  })

  test('a token of a user who was disabled, or got another password, is revoked', async () => {
    for (const change of [{ status: 'disabled' as const }, { password: 'another password' }]) {
      const user = await t.core.users.create({ email: `${Object.keys(change)}@example.com` })
      const { pair } = await addTokens(t, user.id)
      await t.core.users.update(user.id, change)
      expectProblem(await refresh(pair.refresh_token), 'token_revoked')
      expect(await saidOf(pair.access_token)).toBe('401 token_revoked')
    }
  })

  test('is the same as /token/refresh, for a user as well', async () => {
    const { pair } = await addTokens(t, bob.id)
    const answer = await refresh(pair.refresh_token, '/auth/token/refresh')
    expect(membersOf(answer.json)).toEqual(TOKEN_RESPONSE)
  })

  test.each(['/auth/refresh', '/auth/token/refresh'])('%s refuses what is no refresh token', async (path) => {
    const { pair } = await addTokens(t, bob.id)
    const key = await addKey(t, { userId: bob.id })
    const session = await addSession(t, bob.id)
    const other = (await addTokens(t, bob.id)).pair.refresh_token
    const wrong = [
      ...[pair.access_token, key.rawKey, session.cookieValue, '', ' ', 'x', 'mar_', 'x'.repeat(10_000)],
      `${pair.refresh_token} `,
      ` ${pair.refresh_token}`,
      pair.refresh_token.toUpperCase(),
      pair.refresh_token.replace('_1_', '_2_'),
      pair.refresh_token.replace('_1_', '_01_'),
      pair.refresh_token.slice(0, -43) + other.slice(-43),
    ]
    for (const token of wrong) expectProblem(await refresh(token, path), 'token_invalid')
    // None of them did any harm.
    expect((await refresh(pair.refresh_token, path)).status).toBe(200)
  })

  test.each([
    [{}, ['refresh_token']],
    [{ refresh_token: 1 }, ['refresh_token']],
    [{ refresh_token: null }, ['refresh_token']],
    [{ refresh_token: 'x', client_id: 'y' }, ['client_id']],
    [{ refresh_token: 'x', grant_type: 'refresh_token' }, ['grant_type']],
  ])('%p is refused at %p', async (body, paths) => {
    for (const path of ['/auth/refresh', '/auth/token/refresh', '/auth/logout']) {
      expectInvalidAt(await t.ask(path, { body }), ...paths)
    }
  })
})

describe('POST /logout', () => {
  test('ends the pair and every access token of it', async () => {
    const { pair } = await addTokens(t, bob.id)
    const renewed = (await refresh(pair.refresh_token)).json
    const access = textAt(renewed, 'access_token')
    expect(await saidOf(access)).toBe('200')
    const answer = await logout(renewed.refresh_token)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await saidOf(access)).toBe('401 token_revoked')
    expect(await saidOf(pair.access_token)).toBe('401 token_revoked')
    expectProblem(await refresh(renewed.refresh_token), 'token_revoked')
  })

  test('ends one login, not the others of the user', async () => {
    const [one, other] = [await addTokens(t, bob.id), await addTokens(t, bob.id)]
    await logout(one.pair.refresh_token)
    expect(await saidOf(other.pair.access_token)).toBe('200')
    expect((await refresh(other.pair.refresh_token)).status).toBe(200)
  })

  test('works with a token that was spent, and with one that expired', async () => {
    const { pair } = await addTokens(t, bob.id)
    const renewed = (await refresh(pair.refresh_token)).json
    expect((await logout(pair.refresh_token)).status).toBe(204)
    expectProblem(await refresh(renewed.refresh_token), 'token_revoked')
    const late = await addTokens(t, bob.id)
    t.time.now += 31 * DAY
    expect((await logout(late.pair.refresh_token)).status).toBe(204)
  })

  test('says 204 to everything, and ends nothing by what is no refresh token', async () => {
    const { pair } = await addTokens(t, bob.id)
    for (const token of [
      '',
      'x',
      'x'.repeat(10_000),
      pair.access_token,
      `${pair.refresh_token}x`,
      pair.refresh_token.slice(4),
    ]) {
      expect((await logout(token)).status).toBe(204)
    }
    expect(await saidOf(pair.access_token)).toBe('200')
    expect((await logout(pair.refresh_token)).status).toBe(204)
    expect((await logout(pair.refresh_token)).status).toBe(204)
  })
})

test('an access token lives fifteen minutes and the clock tolerance', async () => {
  const { pair } = await addTokens(t, bob.id)
  t.time.now += 15 * MINUTE + 29_000
  expect(await saidOf(pair.access_token)).toBe('200')
  t.time.now += 1000
  expect(await saidOf(pair.access_token)).toBe('401 token_expired')
})
