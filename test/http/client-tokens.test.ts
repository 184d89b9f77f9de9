import { afterAll, describe, expect, test } from 'bun:test'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { expectInvalidAt, expectProblem, listAt, membersOf, TOKEN_RESPONSE, textAt } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  MASTER_KEY,
  withBearer,
} from '../support/test-app.ts'

const CLIENT_RESPONSE = [...TOKEN_RESPONSE, 'client_id'].sort()

const t = await createTestApp()
const { alice } = await addPeople(t)
afterAll(t.close)

const issue = (body?: unknown) => t.ask('/auth/token/new', { method: 'POST', headers: asMaster, body })
const refresh = (token: unknown) => t.ask('/auth/token/refresh', { body: { refresh_token: token } })

describe('POST /token/new', () => {
  test.each([[undefined], [{}], [null]])('answers a pair for a random client to %p', async (body) => {
    const answer = await issue(body)
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(CLIENT_RESPONSE)
    expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 900 })
    expect(answer.json.client_id).toMatch(/^client_[0-9A-Za-z]{16}$/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('makes a principal of the id and permissions given, and no user', async () => {
    const pair = (await issue({ client_id: 'billing', permissions: ['users.view'] })).json
    expect(pair.client_id).toBe('billing')
    const headers = withBearer(textAt(pair, 'access_token'))
    expect((await t.ask('/token', { headers })).json).toEqual({ id: 'billing' })
    expect((await t.ask('/users', { headers })).json).toEqual({ id: 'billing' })
    expectProblem(await t.ask('/user', { headers }), 'user_required')
    expectProblem(await t.ask('/posts', { headers }), 'permission_required', ['required'])
    expect((await t.ask('/auth/me', { headers })).json).toEqual({
      principal: { kind: 'jwt', id: 'billing', organizationId: null },
      permissions: ['users.view'],
    })
  })

  test('without permissions the client may do nothing', async () => {
    const pair = (await issue({ client_id: 'nobody' })).json
    expectProblem(await t.ask('/users', { headers: withBearer(textAt(pair, 'access_token')) }), 'permission_required', [
      'required',
    ])
  })

  test.each([
    ['an id of a user', { client_id: 'user_alice' }, ['client_id']],
    ['an id of the library', { client_id: 'master' }, ['client_id']],
    ['an empty id', { client_id: '' }, ['client_id']],
    ['129 characters', { client_id: 'x'.repeat(129) }, ['client_id']],
    ['a space', { client_id: 'a b' }, ['client_id']],
    ['a number', { client_id: 7 }, ['client_id']],
    ['an undeclared permission', { permissions: ['users.view', 'users.fly'] }, ['permissions.1']],
    ['a permission that is none', { permissions: ['USERS.VIEW'] }, ['permissions.0']],
    ['text for a list', { permissions: 'users.view' }, ['permissions']],
    ['an unknown member', { client_id: 'a', expires_in: 1 }, ['expires_in']],
  ])('%s is refused', async (_, body, paths) => {
    const before = t.countRows()
    expectInvalidAt(await issue(body), ...paths)
    expect(t.countRows()).toEqual(before)
  })

  test('is for the master key alone', async () => {
    const admin = (await addTokens(t, alice.id)).headers
    const everything = (await addKey(t, { permissions: ['*'] })).headers
    const session = (await addSession(t, alice.id)).headers
    const ask = (headers: Readonly<Record<string, string>>) => t.ask('/auth/token/new', { method: 'POST', headers })
    expectProblem(await ask({}), 'credential_missing')
    expectProblem(await ask(everything), 'credential_missing')
    expectProblem(await ask(session), 'credential_missing')
    expectProblem(await ask(admin), 'master_key_invalid')
    expectProblem(await ask({ 'x-admin-key': 'wrong' }), 'master_key_invalid')
    expectProblem(await ask({ ...withBearer(MASTER_KEY), 'x-admin-key': 'wrong' }), 'master_key_invalid')
    expect((await ask(withBearer(MASTER_KEY))).status).toBe(200)
  })
})

describe('POST /token/refresh', () => {
  test('keeps the client and what it may do', async () => {
    const first = (await issue({ client_id: 'importer', permissions: ['users.view'] })).json
    const second = await refresh(first.refresh_token)
    expect(membersOf(second.json)).toEqual(CLIENT_RESPONSE)
    expect(second.json.client_id).toBe('importer')
    expect(second.json.refresh_token).not.toBe(first.refresh_token)
    const headers = withBearer(textAt(second.json, 'access_token'))
    expect((await t.ask('/users', { headers })).json).toEqual({ id: 'importer' })
  })

  test('ends with /logout', async () => {
    const pair = (await issue({ client_id: 'leaving' })).json
    expect((await t.ask('/auth/logout', { body: { refresh_token: pair.refresh_token } })).status).toBe(204)
    expectProblem(await refresh(pair.refresh_token), 'token_revoked')
    expectProblem(await t.ask('/token', { headers: withBearer(textAt(pair, 'access_token')) }), 'token_revoked')
  })
})

describe('GET /.well-known/jwks.json', () => {
  test('shows the public half of the signing key and nothing else', async () => {
    const answer = await t.ask('/.well-known/jwks.json')
    expect(answer.status).toBe(200)
    expect(membersOf(answer.json)).toEqual(['keys'])
    const keys = listAt(answer.json, 'keys')
    expect(keys).toHaveLength(1)
    expect(membersOf(keys[0])).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
    expect(keys[0]).toMatchObject({ alg: 'EdDSA', crv: 'Ed25519', kty: 'OKP', use: 'sig' })
  })

  test('lets another service verify our tokens', async () => {
    const pair = (await issue({ client_id: 'stranger' })).json
    const jwks = (await t.ask('/.well-known/jwks.json')).json as unknown as JSONWebKeySet
    const { payload, protectedHeader } = await jwtVerify(textAt(pair, 'access_token'), createLocalJWKSet(jwks), {
      issuer: 'machine-auth',
      audience: 'machine-auth',
      typ: 'at+jwt',
      currentDate: new Date(t.time.now),
    })
    expect(membersOf(protectedHeader)).toEqual(['alg', 'kid', 'typ'])
    expect(payload).toMatchObject({ sub: 'stranger', client_id: 'stranger' })
  })

  test('of a shared secret there is none', async () => {
    await using hs = await createTestApp({ jwt: { algorithm: 'HS256' } })
    expect((await hs.ask('/.well-known/jwks.json')).json).toEqual({ keys: [] })
    await addPeople(hs)
    expect((await hs.ask('/user', { headers: (await addTokens(hs, 'user_bob')).headers })).status).toBe(200)
  })
})
