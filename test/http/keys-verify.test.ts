import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, KEY_VIEW, membersOf, objectAt } from '../support/answers.ts'
import { addKey, addPeople, asMaster, createTestApp } from '../support/test-app.ts'

const DAY = 86_400_000

const t = await createTestApp()
const { bob } = await addPeople(t)
const acme = await t.core.organizations.create({ name: 'Acme' })
afterAll(t.close)

const verify = (body: unknown) => t.ask('/auth/keys/verify', { body, headers: asMaster })

async function expectVerdict(body: unknown, code: string, id?: string) {
  const answer = await verify(body)
  expect(answer.status).toBe(200)
  expect(answer.json).toMatchObject({ valid: code === 'valid', code })
  expect(membersOf(answer.json)).toEqual(id === undefined ? ['code', 'valid'] : ['code', 'key', 'valid'])
  if (id === undefined) return
  const key = objectAt(answer.json, 'key')
  expect(membersOf(key)).toEqual(KEY_VIEW)
  expect(key.id).toBe(id)
}

describe('POST /keys/verify', () => {
  test('tells a valid key, and never keeps the answer', async () => {
    const key = await addKey(t, { permissions: ['users.*'] })
    await expectVerdict({ key: key.rawKey }, 'valid', key.id)
    await expectVerdict({ key: key.rawKey, permissions: ['users.view', 'users.create'] }, 'valid', key.id)
    const answer = await verify({ key: key.rawKey })
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.text).not.toContain(key.rawKey)
  })

  test('tells why a key of the right secret is refused', async () => {
    const revoked = await addKey(t)
    await t.core.keys.revoke(revoked.id)
    await expectVerdict({ key: revoked.rawKey }, 'api_key_revoked', revoked.id)

    const short = await addKey(t, { expiresInDays: 1 })
    t.time.now += DAY
    await expectVerdict({ key: short.rawKey }, 'api_key_expired', short.id)

    const limited = await addKey(t, { permissions: ['users.view'] })
    await expectVerdict(
      { key: limited.rawKey, permissions: ['users.view', 'posts.view'] },
      'permission_required',
      limited.id,
    )

    const testing = await addKey(t, { environment: 'test' })
    await expectVerdict({ key: testing.rawKey, environment: 'live' }, 'environment_mismatch', testing.id)
    await expectVerdict({ key: testing.rawKey, environment: 'test' }, 'valid', testing.id)
  })

  test('tells of a suspended organization and a disabled user', async () => {
    const ofAcme = await addKey(t, { organizationId: acme.id })
    await t.core.organizations.suspend(acme.id)
    await expectVerdict({ key: ofAcme.rawKey }, 'organization_suspended', ofAcme.id)
    const user = await t.core.users.create({ email: 'leaving@example.com' })
    const owned = await addKey(t, { userId: user.id })
    await t.core.users.disable(user.id)
    await expectVerdict({ key: owned.rawKey }, 'user_disabled', owned.id)
  })

  test('cuts a key down to its owner', async () => {
    const key = await addKey(t, { userId: bob.id, permissions: ['users.view', 'posts.view'] })
    await expectVerdict({ key: key.rawKey, permissions: ['posts.view'] }, 'valid', key.id)
    await expectVerdict({ key: key.rawKey, permissions: ['users.view'] }, 'permission_required', key.id)
  })

  test.each([
    ['10.1.2.3', 'valid'],
    ['::ffff:10.1.2.3', 'valid'],
    ['11.0.0.1', 'ip_not_allowed'],
    ['not an address', 'ip_not_allowed'],
    ['', 'ip_not_allowed'],
    [undefined, 'ip_not_allowed'],
  ])('looks at the address %p that the service names', async (ip, code) => {
    const key = await addKey(t, { ipAllowlist: ['10.0.0.0/8'] })
    await expectVerdict({ key: key.rawKey, ip }, code, key.id)
  })

  test('answers for a permission that nothing declares', async () => {
    const key = await addKey(t, { permissions: ['*'] })
    for (const permission of ['users.fly', 'X Y', 'é']) {
      await expectVerdict({ key: key.rawKey, permissions: [permission] }, 'permission_required', key.id)
      await expectVerdict({ key: 'x', permissions: [permission] }, 'api_key_invalid')
    }
  })

  test('says the same of everything that is no key of ours', async () => {
    const key = await addKey(t)
    const wrong = [
      ...['', 'x', 'mac_live_', 'x'.repeat(2000), 'x'.repeat(20_000), '\0', 'é🔑', key.id, `${key.rawKey} `],
      key.rawKey.slice(0, -1),
      key.rawKey.replace('_live_', '_test_'),
      key.rawKey.toLowerCase(),
    ]
    const answers = await Promise.all(wrong.map((text) => verify({ key: text })))
    for (const answer of answers) expect(answer.text).toBe('{"valid":false,"code":"api_key_invalid"}')
  })

  test.each([
    ['no key', {}, ['key']],
    ['a number', { key: 1 }, ['key']],
    ['another environment', { key: 'x', environment: 'prod' }, ['environment']],
    ['65 characters of address', { key: 'x', ip: 'x'.repeat(65) }, ['ip']],
    ['an unknown member', { key: 'x', scope: 'x' }, ['scope']],
  ])('%s is refused', async (_, body, paths) => {
    expectInvalidAt(await verify(body), ...paths)
  })
})
