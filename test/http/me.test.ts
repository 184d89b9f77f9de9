import { afterAll, expect, test } from 'bun:test'
import { expectProblem, KEY_VIEW, membersOf, objectAt } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  BOB,
  createTestApp,
  MASTER_KEY,
  withBearer,
} from '../support/test-app.ts'

const t = await createTestApp()
const { bob } = await addPeople(t)
afterAll(t.close)

const me = async (headers: Readonly<Record<string, string>>) => (await t.ask('/auth/me', { headers })).json
const USER = { id: 'user_bob', email: BOB, roles: ['user'], permissions: ['posts.view'], organizationId: null }

test('a token speaks for its user', async () => {
  expect(await me((await addTokens(t, bob.id)).headers)).toEqual({
    principal: { kind: 'jwt', id: bob.id, organizationId: null },
    user: USER,
    permissions: ['posts.view'],
  })
})

test('a session speaks for its user', async () => {
  expect(await me((await addSession(t, bob.id)).headers)).toEqual({
    principal: { kind: 'session', id: bob.id, organizationId: null },
    user: USER,
    permissions: ['posts.view'],
  })
})

test('an opaque token speaks for its user, cut down to both', async () => {
  const { rawToken } = await t.core.tokens.bearer.create({ name: 'x', userId: bob.id, permissions: ['users.view'] })
  expect(await me(withBearer(rawToken))).toEqual({
    principal: { kind: 'bearer', id: bob.id, organizationId: null },
    user: USER,
    permissions: [],
  })
})

test('a key speaks for itself, cut down to its owner, and shows no secret', async () => {
  const key = await addKey(t, { userId: bob.id, permissions: ['posts.*', 'users.view'] })
  const answer = await t.ask('/auth/me', { headers: key.headers })
  expect(membersOf(answer.json)).toEqual(['apiKey', 'permissions', 'principal', 'user'])
  expect(answer.json).toMatchObject({
    principal: { kind: 'apiKey', id: key.id, organizationId: null },
    user: USER,
    permissions: ['posts.view'],
  })
  expect(membersOf(objectAt(answer.json, 'apiKey'))).toEqual(KEY_VIEW)
  expect(answer.text).not.toContain(key.rawKey)
})

test('a key of an organization has that and no user', async () => {
  const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })
  const key = await addKey(t, { organizationId })
  const json = await me(key.headers)
  expect(membersOf(json)).toEqual(['apiKey', 'permissions', 'principal'])
  expect(json).toMatchObject({ principal: { kind: 'apiKey', id: key.id, organizationId }, permissions: [] })
})

test('the answer is nobody else’s', async () => {
  const { headers } = await t.ask('/auth/me', { headers: (await addTokens(t, bob.id)).headers })
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('vary')).toBe('Authorization, Cookie, X-API-Key')
})

test('nobody, and the master key, is not anybody', async () => {
  expectProblem(await t.ask('/auth/me'), 'credential_missing')
  expectProblem(await t.ask('/auth/me', { headers: asMaster }), 'credential_missing')
  expectProblem(await t.ask('/auth/me', { headers: withBearer(MASTER_KEY) }), 'token_invalid')
})
