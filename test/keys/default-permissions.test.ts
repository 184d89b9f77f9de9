/** `apiKeys.defaultPermissions`: what a new key may do that names nothing. */
import { describe, expect, test } from 'bun:test'
import { sha256 } from '../../src/authentication/imported-keys/sha256.ts'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { expectRefused } from '../support/refusals.ts'
import { createTestCore } from '../support/test-app.ts'

async function withDefaults(defaultPermissions: readonly string[]) {
  const { core } = createTestCore({ apiKeys: { defaultPermissions, defaultRateLimit: false } })
  await core.ready
  return core
}

const actorWith = (names: readonly string[]) => ({
  id: 'user_1',
  organizationId: null,
  user: { id: 'user_1' },
  granted: new PermissionSet(names),
})

describe('a new key', () => {
  test.each([
    ['that names none has the defaults', undefined, ['posts.*', 'users.view']],
    ['that names some has these', ['users.create'], ['users.create']],
    ['that names nothing at all has nothing', [], []],
  ] as const)('%s', async (_, permissions, expected) => {
    await using core = await withDefaults(['users:view', 'posts.*'])
    const { key } = await core.keys.create({ name: 'k', permissions })
    expect(key.permissions).toEqual(expected)
  })

  test('has none where there are no defaults', async () => {
    await using core = await withDefaults([])
    expect((await core.keys.create({ name: 'k' })).key.permissions).toEqual([])
  })
})

describe('of the defaults a key gets as much as all allow:', () => {
  const DEFAULTS = ['users.view', 'posts.*']

  test.each([
    ['who has all of them', ['*'], null, ['posts.*', 'users.view']],
    ['who has more than some', ['users.*'], null, ['users.view']],
    ['who has less than some', ['posts.view', 'users.create'], null, ['posts.view']],
    ['who has none of them', ['users.create'], null, []],
    ['an organization that allows some', ['*'], ['posts.*'], ['posts.*']],
    ['an organization that allows less than some', ['*'], ['posts.view', 'users.*'], ['posts.view', 'users.view']],
    ['both', ['posts.*'], ['posts.view', 'users.view'], ['posts.view']],
    ['an organization that allows nothing', ['*'], [], []],
  ] as const)('%s', async (_, granted, maxPermissions, expected) => {
    await using core = await withDefaults(DEFAULTS)
    const { id: organizationId } = await core.organizations.create({ name: 'Acme', maxPermissions })
    const actor = { ...actorWith(granted), organizationId }
    const { key } = await core.keys.create({ name: 'k' }, actor)
    expect(key.permissions).toEqual([...expected])
    expect((await core.keys.find(key.id)).permissions).toEqual([...expected])
    if (expected.length < DEFAULTS.length || expected.some((name, index) => name !== [...DEFAULTS].sort()[index])) {
      await expectRefused(core.keys.create({ name: 'k', permissions: DEFAULTS }, actor), 'permission_required')
    }
  })

  test('nobody of an organization gives platform reach by them', async () => {
    await using core = await withDefaults(['*'])
    const { id: organizationId } = await core.organizations.create({ name: 'Acme' })
    const own = { ...actorWith(['*']), organizationId }
    expect((await core.keys.create({ name: 'k' }, own)).key.permissions).toEqual([])
    const less = { ...actorWith(['users.*']), organizationId }
    expect((await core.keys.create({ name: 'k' }, less)).key.permissions).toEqual(['users.*'])
    expect((await core.keys.create({ name: 'k', organizationId })).key.permissions).toEqual(['*'])
  })

  test('an imported key that names none has none', async () => {
    const { core } = createTestCore({ apiKeys: { defaultPermissions: DEFAULTS, importKinds: [sha256()] } })
    await core.ready
    const hash = new Bun.CryptoHasher('sha256').update('a key that was made elsewhere').digest('hex')
    const key = await core.keys.import({ name: 'k', hash, hashKind: 'sha256' })
    expect(key.permissions).toEqual([])
    await core.close()
  })
})

test('what the options give they declare', async () => {
  await using core = await withDefaults(['reports.read'])
  expect(core.permissions.has('reports.read')).toBeTrue()
})
