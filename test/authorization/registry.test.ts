import { describe, expect, test } from 'bun:test'
import { modulePermission, permissionsOfModule } from '../../src/authorization/modules.ts'
import { PermissionRegistry } from '../../src/authorization/registry.ts'

describe('the permission a method needs on a module', () => {
  test.each([
    ['GET', 'users.view', 'users.profile.get'],
    ['HEAD', 'users.view', 'users.profile.get'],
    ['POST', 'users.create', 'users.profile.post'],
    ['PUT', 'users.update', 'users.profile.put'],
    ['PATCH', 'users.update', 'users.profile.patch'],
    ['DELETE', 'users.delete', 'users.profile.delete'],
  ])('%s: %s, with an action %s', (method, plain, withAction) => {
    expect(modulePermission({ module: 'users' }, method)).toBe(plain)
    expect(modulePermission({ module: 'users', action: 'profile' }, method)).toBe(withAction)
  })

  test.each(['OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND', 'QUERY', 'get', '', 'ALL'])('%j has none', (method) => {
    expect(modulePermission({ module: 'users' }, method)).toBeNull()
    expect(modulePermission({ module: 'users', action: 'profile' }, method)).toBeNull()
  })

  test('what every object has is no method', () => {
    for (const method of ['constructor', 'toString', '__proto__']) {
      expect(modulePermission({ module: 'users' }, method)).toBeNull()
    }
  })

  test('a module of several segments', () => {
    expect(modulePermission({ module: 'billing.invoices' }, 'GET')).toBe('billing.invoices.view')
  })
})

test.each([
  [{}, ['m.view', 'm.create', 'm.update', 'm.delete']],
  [{ label: 'M' }, ['m.view', 'm.create', 'm.update', 'm.delete']],
  [{ crud: ['view'] }, ['m.view']],
  [{ crud: [] }, []],
  [{ actions: { export: ['get', 'post'] } }, ['m.export.get', 'm.export.post']],
  [{ crud: ['view'], actions: { export: ['get'] } }, ['m.view', 'm.export.get']],
  [{ actions: {} }, ['m.view', 'm.create', 'm.update', 'm.delete']],
  [{ actions: { export: [] } }, []],
] as const)('a module of %j declares %j', (definition, names) => {
  expect(permissionsOfModule('m', definition).map(({ name }) => name)).toEqual([...names])
})

describe('PermissionRegistry', () => {
  const registry = new PermissionRegistry({
    modules: { users: { crud: ['view', 'create'], actions: { profile: ['get'] } }, posts: {} },
    permissions: ['reports.run'],
    roles: { admin: ['*'], auditor: ['ledger.view', 'users.*', 'archive.*'] },
  })

  test.each([
    ['users.view', true],
    ['users.create', true],
    ['users.update', false],
    ['users.profile.get', true],
    ['users.profile.post', false],
    ['users.profile', false],
    ['users', false],
    ['posts.delete', true],
    ['reports.run', true],
    ['reports.runx', false],
    ['ledger.view', true],
    ['archive.view', false],
    ['platform.admin', true],
    ['machine_auth.keys.create', true],
    ['machine_auth.keys.burn', false],
    ['USERS.VIEW', false],
    ['users:view', false],
    ['', false],
    ['__proto__', false],
    ['constructor', false],
    ['*', true],
    ['users.*', true],
    ['users.profile.*', true],
    ['machine_auth.*', true],
    ['archive.*', false],
    ['user.*', false],
    ['use*', false],
    ['.*', false],
    ['**', false],
  ])('knows %j: %p', (name, expected) => {
    expect(registry.has(name)).toBe(expected)
  })

  test.each([
    ['users', true],
    ['posts', true],
    ['Users', false],
    ['machine_auth', false],
    ['reports', false],
    ['__proto__', false],
    ['toString', false],
    ['', false],
  ])('has the module %j: %p', (name, expected) => {
    expect(registry.hasModule(name)).toBe(expected)
  })

  test('lists every name once, sorted, and no wildcard', () => {
    const list = registry.list().map(({ name }) => name)
    expect(list).toEqual([...new Set(list)].toSorted())
    expect(list).toContain('users.profile.get')
    expect(list.filter((name) => name.includes('*'))).toEqual([])
  })

  test('with nothing declared, knows its own alone', () => {
    const bare = new PermissionRegistry({ modules: {}, permissions: [], roles: { admin: ['*'] } })
    expect(bare.list().every(({ name }) => name.startsWith('machine_auth.') || name === 'platform.admin')).toBe(true)
    expect(bare.has('users.view')).toBe(false)
  })
})
