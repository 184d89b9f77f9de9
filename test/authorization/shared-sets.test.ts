import { expect, test } from 'bun:test'
import { PermissionSet } from '../../src/authorization/permission-set.ts'
import { SharedSets } from '../../src/authorization/shared-sets.ts'

test('equal lists have one set, also as what two have in common', () => {
  const sets = new SharedSets()
  const both = sets.of(['posts.view', 'posts.edit'])
  expect(sets.of(['posts.view', 'posts.edit'])).toBe(both)
  const users = new PermissionSet(['posts.view', 'users.view'])
  expect(sets.intersection(both, users)).toBe(sets.of(['posts.view']))
  expect(sets.intersection(both, users).names).toEqual(['posts.view'])
})

test.each([
  [['a', 'b'], ['a b']],
  [['a,b'], ['a', 'b']],
  [['a","b'], ['a', 'b']],
  [['a\nb'], ['a', 'b']],
  [[], ['']],
])('%j and %j are two, whatever is made first', (one, other) => {
  for (const [first, second] of [
    [one, other],
    [other, one],
  ] as const) {
    const sets = new SharedSets()
    expect(sets.of(first).names).toEqual(new PermissionSet(first).names)
    expect(sets.of(second).names).toEqual(new PermissionSet(second).names)
  }
})

test('more than it remembers are right all the same', () => {
  const sets = new SharedSets()
  for (let count = 0; count < 2500; count += 1)
    expect(sets.of([`p${count % 1500}.x`]).has(`p${count % 1500}.x`)).toBeTrue()
})
