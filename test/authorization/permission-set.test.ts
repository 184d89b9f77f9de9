/** SECURITY P69: a permission is granted by its exact name or by an explicit wildcard, and by nothing that looks alike. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { PermissionSet } from '../../src/authorization/permission-set.ts'

describe('has', () => {
  test.each<[granted: readonly string[], wanted: string, expected: boolean]>([
    [['users.view'], 'users.view', true],
    [['users.view'], 'users.view.get', false],
    [['users.view'], 'user.view', false],
    [['users.view'], 'USERS.VIEW', false],
    [['users.view'], 'Users.view', false],
    [['users.view'], 'users.viewx', false],
    [['users.view'], 'users.vie', false],
    [['users.view'], 'users', false],
    [['users.view'], 'users.*', false],
    [['users.view'], '*', false],
    [['users.view'], 'x.users.view', false],
    [['users.view'], 'users.view ', false],
    [['users.view'], 'users:view', false],
    [['users.view'], '', false],
    [['users.*'], 'users.view', true],
    [['users.*'], 'users.profile.get', true],
    [['users.*'], 'users.*', true],
    [['users.*'], 'users.profile.*', true],
    [['users.*'], 'users', false],
    [['users.*'], 'usersx.view', false],
    [['users.*'], 'user.view', false],
    [['users.*'], 'x.users.view', false],
    [['users.*'], '*', false],
    [['users.profile.*'], 'users.profile.get', true],
    [['users.profile.*'], 'users.profile', false],
    [['users.profile.*'], 'users.view', false],
    [['users.profile.*'], 'users.*', false],
    [['*'], 'anything.at.all', true],
    [['*'], '*', true],
    [['*'], 'users.*', true],
    [['*'], 'platform.admin', true],
    [['machine_auth.*'], 'platform.admin', false],
    [['users.*', '*'], 'posts.view', true],
    [[], 'users.view', false],
    [[], '*', false],
    [[''], 'users.view', false],
    [['.*'], 'users.view', false],
    [['user*'], 'users.view', false],
    [['*.view'], 'users.view', false],
    [['users.*.get'], 'users.profile.get', false],
    [['**'], 'users.view', false],
    [['__proto__'], 'constructor', false],
  ])('%j grants %j: %p', (granted, wanted, expected) => {
    expect(new PermissionSet(granted).has(wanted)).toBe(expected)
  })

  test('EMPTY grants nothing and ALL everything', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(PermissionSet.EMPTY.has(name)).toBe(false)
        expect(PermissionSet.ALL.has(name)).toBe(true)
      }),
    )
  })
})

test.each<[granted: readonly string[], wanted: readonly string[], missing: readonly string[]]>([
  [['users.view'], [], []],
  [['users.view'], ['users.view'], []],
  [['users.view'], ['users.view', 'users.create'], ['users.create']],
  [['users.*'], ['users.view', 'posts.view', 'users.x'], ['posts.view']],
  [[], ['a', 'b'], ['a', 'b']],
])('%j lacks of %j: %j', (granted, wanted, missing) => {
  expect(new PermissionSet(granted).missing(wanted)).toEqual(missing)
})

test.each<[granted: readonly string[], names: readonly string[]]>([
  [
    ['b', 'a', 'b'],
    ['a', 'b'],
  ],
  [['users.view', 'users.*', 'users.profile.*'], ['users.*']],
  [['*', 'users.*', 'users.view'], ['*']],
  [
    ['users.*', 'usersx.view', 'users'],
    ['users', 'users.*', 'usersx.view'],
  ],
  [[], []],
])('%j is kept as %j', (granted, names) => {
  const set = new PermissionSet(granted)
  expect(set.names).toEqual(names)
  expect(() => (set.names as string[]).push('*')).toThrow(TypeError)
})

const segment = fc.constantFrom('a', 'b', 'c', 'ab')
const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('.'))
const grant = fc.oneof(
  name,
  name.map((stem) => `${stem}.*`),
  fc.constant('*'),
)
const grants = fc.array(grant, { maxLength: 5 })

/** A slow, obvious answer: some grant is the name itself, all, or a wildcard whose stem the name goes on from. */
function isGranted(granted: readonly string[], wanted: string): boolean {
  const parts = wanted.split('.')
  return granted.some((each) => {
    if (each === '*' || each === wanted) return true
    const stem = each.split('.')
    if (stem.pop() !== '*') return false
    return parts.length > stem.length && stem.every((part, index) => part === parts[index])
  })
}

test('agrees with comparing segment by segment', () => {
  fc.assert(
    fc.property(grants, grant, (granted, wanted) => {
      expect(new PermissionSet(granted).has(wanted)).toBe(isGranted(granted, wanted))
    }),
    { numRuns: 1000 },
  )
})

describe('intersect', () => {
  const set = (...names: string[]) => new PermissionSet(names)

  test.each([
    [set('users.*'), set('users.view', 'posts.view'), ['users.view']],
    [set('*'), set('users.*'), ['users.*']],
    [set('*'), set('*'), ['*']],
    [set('users.*'), set('users.profile.*'), ['users.profile.*']],
    [set('users.*'), set('posts.*'), []],
    [set('users.view'), set('users.create'), []],
    [set(), set('*'), []],
  ])('%#', (a, b, names) => {
    expect(a.intersect(b).names).toEqual(names)
    expect(b.intersect(a).names).toEqual(names)
  })

  test('grants exactly what both grant: a key never exceeds its owner', () => {
    fc.assert(
      fc.property(grants, grants, grant, (a, b, wanted) => {
        const [left, right] = [new PermissionSet(a), new PermissionSet(b)]
        expect(left.intersect(right).has(wanted)).toBe(left.has(wanted) && right.has(wanted))
        for (const granted of left.intersect(right).names) {
          expect([left.has(granted), right.has(granted)]).toEqual([true, true])
        }
      }),
      { numRuns: 1000 },
    )
  })

  test('is the same either way round, and with itself', () => {
    fc.assert(
      fc.property(grants, grants, (a, b) => {
        const [left, right] = [new PermissionSet(a), new PermissionSet(b)]
        expect(left.intersect(right).names).toEqual(right.intersect(left).names)
        expect(left.intersect(left).names).toEqual(left.names)
        expect(left.intersect(PermissionSet.ALL).names).toEqual(left.names)
        expect(left.intersect(PermissionSet.EMPTY).names).toEqual([])
      }),
    )
  })
})
