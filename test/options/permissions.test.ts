/** `definePermissions`: what it declares is what routes, keys and the registry know. */
import { expect, test } from 'bun:test'
import { permissionsOfModule } from '../../src/authorization/modules.ts'
import { definePermissions, type PermissionOf } from '../../src/index.ts'
import { createTestCore } from '../support/test-app.ts'

const permissions = definePermissions({
  users: { label: 'User management', crud: ['view', 'create'], actions: { profile: ['get'] } },
  posts: {},
})

/** Every name the type has; one too many or too few does not compile. */
const TYPED: Readonly<Record<PermissionOf<typeof permissions>, true>> = {
  'users.view': true,
  'users.create': true,
  'users.profile.get': true,
  'posts.view': true,
  'posts.create': true,
  'posts.update': true,
  'posts.delete': true,
}

test('types name what the registry has', async () => {
  const names = Object.entries(permissions).flatMap(([name, module]) => permissionsOfModule(name, module))
  expect(names.map(({ name }) => name).toSorted()).toEqual(Object.keys(TYPED).toSorted())
  const { core } = createTestCore({ modules: permissions })
  expect(core.permissions.list({ module: 'users' })).toEqual([
    { name: 'users.create', module: 'users', label: 'User management: create', source: 'module' },
    { name: 'users.profile.get', module: 'users', label: 'User management: profile (GET)', source: 'module' },
    { name: 'users.view', module: 'users', label: 'User management: view', source: 'module' },
  ])
  await core.close()
})
