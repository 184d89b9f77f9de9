/** SECURITY.md, authorisation: nobody reaches into another organization, or above himself. */
import { afterAll, describe, expect, test } from 'bun:test'
import type { Actor } from '../../src/authorization/actor.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { expectInvalidAt, expectProblem, listAt, objectAt, textAt } from '../support/answers.ts'
import { expectRefused } from '../support/refusals.ts'
import { type Answer, addKey, addTokens, asMaster, createTestApp, type Json } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)
const acme = await t.core.organizations.create({ name: 'Acme' })
const rival = await t.core.organizations.create({ name: 'Rival' })
const user = (name: string, roles: readonly string[], organizationId: string | null) =>
  t.core.users.create({ email: `${name}@example.com`, roles, organizationId })
const boss = await user('boss', ['admin'], acme.id)
const keeper = await user('keeper', ['keeper'], acme.id)
const victim = await user('victim', ['user'], rival.id)
const platformAdmin = await user('root', ['admin'], null)
const theirs = await addKey(t, { organizationId: rival.id, permissions: ['users.view'] })
const theirsOwned = await addKey(t, { userId: victim.id })

type Headers = Readonly<Record<string, string>>
/** Everybody of Acme who may manage keys. */
const INSIDERS: readonly (readonly [string, () => Promise<Headers>])[] = [
  ['an administrator', async () => (await addTokens(t, boss.id)).headers],
  ['a keeper', async () => (await addTokens(t, keeper.id)).headers],
  ['a key that may all', async () => (await addKey(t, { organizationId: acme.id, permissions: ['*'] })).headers],
  ['an administrator’s key', async () => (await addKey(t, { userId: boss.id, permissions: ['*'] })).headers],
]

const attempts = async (subject: string) =>
  (await t.core.audit.list({ action: 'cross_tenant_attempt' }, { limit: 100 })).items.filter(
    (event) => event.subject === subject,
  ).length

/** The body without what differs on every request. */
const shape = ({ status, json }: Answer) => JSON.stringify([status, { ...json, requestId: '' }])

describe('P66 members that decide who one is', () => {
  test.each([
    ['id', 'key_0000000000000000'],
    ['org_id', 'x'],
    ['organization', 'x'],
    ['key_hash', 'x'],
    ['hash', 'x'],
    ['pepper', 'x'],
    ['is_active', true],
    ['enabled', true],
    ['created_at', '2000-01-01T00:00:00Z'],
    ['createdBy', 'user_root'],
    ['role', 'admin'],
    ['roles', ['admin']],
    ['owner', 'x'],
    ['revokedAt', null],
    ['rotatedFrom', 'key_x'],
    ['prefix', 'mac_live_x'],
    ['rawKey', 'x'],
  ])('%s is refused as unknown', async (member, value) => {
    const before = t.countRows()
    expectInvalidAt(await t.ask('/auth/keys', { headers: asMaster, body: { name: 'x', [member]: value } }), member)
    expect(t.countRows()).toEqual(before)
  })

  test.each(INSIDERS)('%s cannot name another’s organization or user', async (_, headersOf) => {
    const headers = await headersOf()
    const others = [
      { organizationId: rival.id },
      { userId: victim.id },
      { userId: platformAdmin.id },
      { userId: 'user_none' },
      { organizationId: rival.id, userId: victim.id },
    ]
    for (const body of others) {
      const before = t.countRows().machine_auth_api_keys
      expectProblem(await t.ask('/auth/keys', { headers, body: { name: 'x', ...body } }), 'not_found')
      expect(t.countRows().machine_auth_api_keys).toBe(before)
    }
  })
})

describe('P67 another organization’s key', () => {
  const WAYS: readonly (readonly [string, string])[] = [
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '/revoke'],
  ]

  test.each(INSIDERS)('is not there for %s', async (_, headersOf) => {
    const headers = await headersOf()
    for (const { id, headers: key } of [theirs, theirsOwned]) {
      const before = await attempts(id)
      for (const [method, suffix] of WAYS) {
        // Within a minute they would be counted together.
        t.time.now += 60_000
        const answer = await t.ask(`/auth/keys/${id}${suffix}`, { method, headers })
        const missing = await t.ask(`/auth/keys/key_0000000000000000${suffix}`, { method, headers })
        expectProblem(answer, 'not_found')
        expect(shape(answer)).toBe(shape(missing))
      }
      expect(await attempts(id)).toBe(before + WAYS.length)
      expect((await t.ask('/key', { headers: key })).status).toBe(200)
    }
  })

  test.each(INSIDERS)('is in no list of %s', async (_, headersOf) => {
    const headers = await headersOf()
    for (const query of ['', '?limit=100', '?q=test', '?status=active', '?sort=name']) {
      const items = listAt((await t.ask(`/auth/keys${query}`, { headers })).json, 'items')
      expect(items.filter(({ organizationId }) => organizationId !== acme.id)).toEqual([])
    }
    expectProblem(await t.ask(`/auth/keys?organizationId=${rival.id}`, { headers }), 'not_found')
  })

  test('a cursor of the platform’s list shows no more', async () => {
    const { nextCursor } = (await t.ask('/auth/keys?limit=1', { headers: asMaster })).json
    const headers = (await addTokens(t, boss.id)).headers
    const items = listAt((await t.ask(`/auth/keys?cursor=${nextCursor}`, { headers })).json, 'items')
    expect(items.filter(({ organizationId }) => organizationId !== acme.id)).toEqual([])
  })

  test.each(INSIDERS)('is nobody’s when %s verifies it, working or not', async (_, headersOf) => {
    const headers = await headersOf()
    const gone = await addKey(t, { organizationId: rival.id })
    await t.core.keys.revoke(gone.id)
    for (const key of [theirs, theirsOwned, gone]) {
      const answer = await t.ask('/auth/keys/verify', { headers, body: { key: key.rawKey } })
      expect(answer.text).toBe('{"valid":false,"code":"api_key_invalid"}')
    }
    const own = await addKey(t, { organizationId: acme.id })
    const verified = await t.ask('/auth/keys/verify', { headers, body: { key: own.rawKey } })
    expect(verified.json.valid).toBe(true)
  })
})

describe('P68 an ordinary credential on the management endpoints', () => {
  const ENDPOINTS: readonly (readonly [string, string, Json | undefined])[] = [
    ['GET', '/auth/keys', undefined],
    ['POST', '/auth/keys', { name: 'x' }],
    ['GET', `/auth/keys/${theirs.id}`, undefined],
    ['DELETE', `/auth/keys/${theirs.id}`, undefined],
    ['POST', `/auth/keys/${theirs.id}/revoke`, {}],
    ['POST', '/auth/keys/verify', { key: 'x' }],
  ]
  test.each(ENDPOINTS)('%s %s is refused, also for what does not exist', async (method, path, body) => {
    const ordinary = [
      theirs.headers,
      (await addTokens(t, victim.id)).headers,
      (await addKey(t, { permissions: ['users.*', 'posts.*'] })).headers,
    ]
    for (const headers of ordinary) {
      for (const place of [path, path.replace(theirs.id, 'key_none')]) {
        expectProblem(await t.ask(place, { method, headers, body }), 'permission_required', ['required'])
      }
    }
  })

  test('other methods do nothing', async () => {
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY', 'DELETE']) {
      for (const headers of [{}, asMaster]) {
        expect((await t.ask('/auth/keys', { method, headers })).status).toBe(404)
      }
    }
    const head = await t.ask('/auth/keys', { method: 'HEAD', headers: theirs.headers })
    expect([head.status, head.text]).toEqual([403, ''])
  })
})

describe('P101 platform reach', () => {
  test.each(INSIDERS)('is not to be had for %s', async (_, headersOf) => {
    const headers = await headersOf()
    for (const permission of ['*', 'platform.admin']) {
      const answer = await t.ask('/auth/keys', {
        headers,
        body: { name: 'x', permissions: ['users.view', permission] },
      })
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual([permission])
    }
    expectProblem(
      await t.ask('/auth/token/new', { method: 'POST', headers }),
      headers['x-api-key'] === undefined ? 'master_key_invalid' : 'credential_missing',
    )
  })

  test('nobody mints more than he has', async () => {
    const headers = (await addTokens(t, keeper.id)).headers
    const mint = (permissions: readonly string[]) => t.ask('/auth/keys', { headers, body: { name: 'x', permissions } })
    expect((await mint(['users.view', 'machine_auth.keys.create'])).status).toBe(201)
    expect((await mint(['users.*', 'machine_auth.*'])).status).toBe(201)
    for (const wanted of ['posts.view', 'posts.*', '*']) {
      const answer = await mint(['users.view', wanted])
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual([wanted])
    }
  })

  test('nobody mints for someone who may more', async () => {
    const headers = (await addTokens(t, keeper.id)).headers
    expectProblem(await t.ask('/auth/keys', { headers, body: { name: 'x', userId: boss.id } }), 'permission_required', [
      'required',
    ])
    const forHimself = await t.ask('/auth/keys', { headers, body: { name: 'x', userId: keeper.id } })
    expect(objectAt(forHimself.json, 'key').userId).toBe(keeper.id)
  })

  test('a key that was minted does not outgrow its maker', async () => {
    const minted = await t.ask('/auth/keys', {
      headers: (await addTokens(t, boss.id)).headers,
      body: { name: 'x', permissions: ['machine_auth.keys.create', 'users.view'] },
    })
    const headers = { 'x-api-key': textAt(minted.json, 'rawKey') }
    const again = (permissions: readonly string[]) => t.ask('/auth/keys', { headers, body: { name: 'y', permissions } })
    expect((await again(['users.view'])).status).toBe(201)
    expectProblem(await again(['users.create']), 'permission_required', ['required'])
    expectProblem(await t.ask('/auth/keys', { headers }), 'permission_required', ['required'])
  })

  test('the services keep to it too: roles, organizations, users and tokens', async () => {
    const actor = (id: string, permissions: readonly string[]): Actor => ({
      id,
      organizationId: acme.id,
      user: { id },
      granted: new PermissionSet(permissions),
    })
    for (const who of [actor(boss.id, ['*']), actor(keeper.id, ['machine_auth.*', 'users.*'])]) {
      await expectRefused(t.core.roles.put('mine', { permissions: ['users.view'] }, who), 'permission_required')
      await expectRefused(t.core.roles.list(who), 'permission_required')
      await expectRefused(t.core.organizations.create({ name: 'Mine' }, who), 'permission_required')
      await expectRefused(t.core.organizations.suspend(rival.id, who), 'not_found')
      await expectRefused(t.core.users.disable(victim.id, who), 'not_found')
      await expectRefused(t.core.users.setPassword(platformAdmin.id, 'a new password', who), 'not_found')
      await expectRefused(t.core.tokens.issueForClient({ permissions: ['users.view'] }, who), 'permission_required')
      await expectRefused(t.core.tokens.revokeUser(victim.id, who), 'not_found')
      await expectRefused(t.core.sessions.endAll(victim.id, who), 'not_found')
      await expectRefused(t.core.signingKeys.rotate(who), 'permission_required')
      await expectRefused(t.core.users.setRoles(keeper.id, ['admin'], who), 'permission_required')
    }
    const limited = actor(keeper.id, ['machine_auth.*', 'users.*'])
    await expectRefused(t.core.users.setPassword(boss.id, 'a new password', limited), 'permission_required')
    await expectRefused(
      t.core.users.create({ email: 'new@example.com', roles: ['admin'] }, limited),
      'permission_required',
    )
  })
})
