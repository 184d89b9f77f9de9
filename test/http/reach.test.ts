/** What an actor sees and touches: his organization's, or his own, or everything. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectProblem, listAt, objectAt, textAt } from '../support/answers.ts'
import { addKey, addTokens, asMaster, createTestApp, withKey } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)
const acme = await t.core.organizations.create({ name: 'Acme' })
const other = await t.core.organizations.create({ name: 'Other' })
const user = (name: string, roles: readonly string[], organizationId: string | null) =>
  t.core.users.create({ email: `${name}@example.com`, roles, organizationId })
const keeper = await user('keeper', ['keeper'], acme.id)
const colleague = await user('colleague', ['keeper'], acme.id)
const boss = await user('boss', ['admin'], acme.id)
const loner = await user('loner', ['keeper'], null)
const keys = {
  acme: await addKey(t, { organizationId: acme.id }),
  keeper: await addKey(t, { userId: keeper.id }),
  other: await addKey(t, { organizationId: other.id }),
  loner: await addKey(t, { userId: loner.id }),
  nobody: await addKey(t),
}

type Headers = Readonly<Record<string, string>>
const create = (headers: Headers, body: object) => t.ask('/auth/keys', { headers, body: { name: 'made', ...body } })
const seenBy = async (headers: Headers, query = '') => {
  const items = listAt((await t.ask(`/auth/keys${query}`, { headers })).json, 'items')
  return Object.entries(keys).flatMap(([name, { id }]) => (items.some((item) => item.id === id) ? [name] : []))
}

describe('an organization’s own', () => {
  const callers = [
    ['user', async () => (await addTokens(t, keeper.id)).headers],
    ['key', async () => (await addKey(t, { organizationId: acme.id, permissions: ['machine_auth.*'] })).headers],
    ['administrator', async () => (await addTokens(t, boss.id)).headers],
  ] as const

  test.each(callers)('%s sees its keys alone', async (_, headersOf) => {
    const headers = await headersOf()
    expect(await seenBy(headers)).toEqual(['acme', 'keeper'])
    expect(await seenBy(headers, `?organizationId=${acme.id}`)).toEqual(['acme', 'keeper'])
    expect(await seenBy(headers, '?q=test')).toEqual(['acme', 'keeper'])
    expectProblem(await t.ask(`/auth/keys?organizationId=${other.id}`, { headers }), 'not_found')
    expectProblem(await t.ask('/auth/keys?organizationId=org_none', { headers }), 'not_found')
    expect((await t.ask(`/auth/keys/${keys.acme.id}`, { headers })).status).toBe(200)
  })

  test.each(callers)('%s makes keys of the organization, said or unsaid', async (_, headersOf) => {
    const headers = await headersOf()
    for (const body of [{}, { organizationId: acme.id }]) {
      const answer = await create(headers, body)
      expect(answer.status).toBe(201)
      expect(objectAt(answer.json, 'key')).toMatchObject({ organizationId: acme.id, userId: null })
    }
  })

  test.each(callers)('%s revokes its keys', async (_, headersOf) => {
    const key = await addKey(t, { organizationId: acme.id })
    const answer = await t.ask(`/auth/keys/${key.id}/revoke`, { method: 'POST', headers: await headersOf() })
    expect(answer.json).toMatchObject({ id: key.id, status: 'revoked' })
    expectProblem(await t.ask('/key', { headers: key.headers }), 'api_key_revoked')
  })

  test('user makes a key for a colleague of the same reach', async () => {
    const answer = await create((await addTokens(t, keeper.id)).headers, { userId: colleague.id })
    expect(objectAt(answer.json, 'key')).toMatchObject({ organizationId: acme.id, userId: colleague.id })
    expect((await t.ask('/user', { headers: withKey(textAt(answer.json, 'rawKey')) })).json).toEqual({
      id: colleague.id,
    })
  })
})

describe('a user without an organization', () => {
  test('sees and revokes his own keys alone', async () => {
    const { headers } = await addTokens(t, loner.id)
    expect(await seenBy(headers)).toEqual(['loner'])
    expect((await t.ask(`/auth/keys/${keys.loner.id}`, { headers })).status).toBe(200)
    for (const key of [keys.acme, keys.keeper, keys.other, keys.nobody]) {
      expectProblem(await t.ask(`/auth/keys/${key.id}`, { headers }), 'not_found')
      expectProblem(await t.ask(`/auth/keys/${key.id}`, { method: 'DELETE', headers }), 'not_found')
    }
    const mine = await addKey(t, { userId: loner.id })
    expect((await t.ask(`/auth/keys/${mine.id}`, { method: 'DELETE', headers })).json.status).toBe('revoked')
  })

  test('makes keys of his own, and for nobody else', async () => {
    const { headers } = await addTokens(t, loner.id)
    for (const body of [{}, { userId: loner.id }]) {
      const answer = await create(headers, { ...body, permissions: ['users.view'] })
      expect(objectAt(answer.json, 'key')).toMatchObject({ organizationId: null, userId: loner.id })
    }
    for (const body of [{ userId: keeper.id }, { userId: 'user_none' }, { organizationId: acme.id }]) {
      expectProblem(await create(headers, body), 'not_found')
    }
  })
})

test('a key without owner, organization and platform reach has nothing of its own', async () => {
  const { headers } = await addKey(t, { permissions: ['machine_auth.*'] })
  expect(await seenBy(headers)).toEqual([])
  expectProblem(await t.ask(`/auth/keys/${keys.nobody.id}`, { headers }), 'not_found')
  expectProblem(await create(headers, {}), 'permission_required', ['required'])
})

test('the platform sees and makes everything', async () => {
  for (const headers of [asMaster, (await addKey(t, { permissions: ['machine_auth.*', 'platform.admin'] })).headers]) {
    expect(await seenBy(headers)).toEqual(Object.keys(keys))
    expect(await seenBy(headers, `?organizationId=${other.id}`)).toEqual(['other'])
    const answer = await create(headers, { organizationId: other.id })
    expect(objectAt(answer.json, 'key')).toMatchObject({ organizationId: other.id })
  }
  const both = await create(asMaster, { organizationId: other.id, userId: keeper.id })
  expect(both.said).toBe('422 validation_failed')
})
