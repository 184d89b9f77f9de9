import { describe, expect, test } from 'bun:test'
import { resolveGrants } from '../../src/authorization/grants.ts'
import { PermissionRegistry } from '../../src/authorization/registry.ts'
import { MachineAuthError } from '../../src/errors.ts'
import { FieldErrors } from '../../src/lib/field-errors.ts'

const registry = new PermissionRegistry({
  modules: { users: {}, posts: { crud: ['view'] } },
  permissions: [],
  roles: {},
})

function resolve(given: readonly string[]) {
  const errors = new FieldErrors()
  const names = resolveGrants(registry, given, errors)
  try {
    errors.throwIfAny()
    return { names, paths: [] }
  } catch (error) {
    if (!(error instanceof MachineAuthError)) throw error
    return { names, paths: (error.extras.errors ?? []).map(({ path }) => path) }
  }
}

describe('resolveGrants', () => {
  test.each<[given: readonly string[], names: readonly string[]]>([
    [[], []],
    [['users.view'], ['users.view']],
    [['users:view'], ['users.view']],
    [
      ['users:view', 'posts.view', 'users.view'],
      ['users.view', 'posts.view'],
    ],
    [['users.*'], ['users.*']],
    [['users:*'], ['users.*']],
    [['*'], ['*']],
    [['platform.admin'], ['platform.admin']],
  ])('%j becomes %j', (given, names) => {
    expect(resolve(given)).toEqual({ names, paths: [] })
  })

  test.each([
    'users.burn',
    'posts.create',
    'invoices.view',
    'invoices.*',
    'USERS.VIEW',
    'users.view ',
    'users..view',
    '.users',
    'users.',
    '*.view',
    'users*',
    '**',
    '',
    '__proto__',
    'users.__proto__',
    'é',
    'x'.repeat(200),
  ])('%j is a mistake, named by its place', (name) => {
    expect(resolve(['users.view', name])).toEqual({ names: ['users.view'], paths: ['permissions.1'] })
  })

  test.each([[null], [1], [{}], [['users.view']], [undefined]])('%p is a mistake', (given) => {
    expect(resolve([given as unknown as string]).paths).toEqual(['permissions.0'])
  })

  test('all mistakes are named at once', () => {
    expect(resolve(['a', 'users.view', 'b']).paths).toEqual(['permissions.0', 'permissions.2'])
  })

  test('too many are one mistake', () => {
    expect(resolve(Array.from({ length: 201 }, () => 'users.view'))).toEqual({ names: [], paths: ['permissions'] })
    expect(resolve(Array.from({ length: 200 }, () => 'users.view'))).toEqual({ names: ['users.view'], paths: [] })
  })
})
