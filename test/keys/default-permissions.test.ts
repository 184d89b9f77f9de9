/** `apiKeys.defaultPermissions`: what a new key may do that names nothing. */
import { describe, expect, test } from 'bun:test'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { expectRefused } from '../support/refusals.ts'
import { createTestCore } from '../support/test-app.ts'

async function withDefaults(defaultPermissions: readonly string[]) {
  const { core } = createTestCore({ apiKeys: { defaultPermissions, defaultRateLimit: false } })
  await core.ready
  return core
}

const actorWith = (...names: readonly string[]) => ({
  id: 'user_1',
  organizationId: null,
  user: { id: 'user_1' },
  granted: new PermissionSet(names),
})

describe('a new key', () => {
  test.each([
    ['that names none has the defaults', undefined, ['users.view', 'posts.*']],
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

test('nobody gets by default what he has not, nor more than the organization allows', async () => {
  await using core = await withDefaults(['users.view'])
  await expectRefused(core.keys.create({ name: 'k' }, actorWith('posts.view')), 'permission_required')
  expect((await core.keys.create({ name: 'k' }, actorWith('users.*'))).key.permissions).toEqual(['users.view'])
  const { id: organizationId } = await core.organizations.create({ name: 'Acme', maxPermissions: ['posts.*'] })
  await expectRefused(core.keys.create({ name: 'k', organizationId }), 'permission_required')
  expect((await core.keys.list()).items).toHaveLength(1)
})

test('what the options give they declare', async () => {
  await using core = await withDefaults(['reports.read'])
  expect(core.permissions.has('reports.read')).toBeTrue()
})
