import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { RoleRegistry } from '../../src/authorization/roles.ts'
import type { RoleRecord } from '../../src/storage/records.ts'

const role = (name: string, permissions: readonly string[], inherits: readonly string[] = []): RoleRecord => ({
  name,
  permissions,
  inherits,
})

function registryOf(stored: readonly RoleRecord[], configured: Record<string, readonly string[]> = {}): RoleRegistry {
  const registry = new RoleRegistry(configured)
  registry.replaceStored(stored)
  return registry
}

describe('permissionsOf', () => {
  const registry = registryOf(
    [
      role('reader', ['posts.view']),
      role('writer', ['posts.create'], ['reader']),
      role('editor', ['posts.delete'], ['writer', 'archivist']),
      role('archivist', ['archive.*'], ['reader']),
      role('orphan', ['x.y'], ['gone']),
      role('empty', []),
      role('admin', ['stored.only']),
    ],
    { admin: ['*'] },
  )

  test.each<[roles: readonly string[], names: readonly string[]]>([
    [[], []],
    [['reader'], ['posts.view']],
    [['writer'], ['posts.create', 'posts.view']],
    [['editor'], ['archive.*', 'posts.create', 'posts.delete', 'posts.view']],
    [
      ['reader', 'archivist'],
      ['archive.*', 'posts.view'],
    ],
    [['orphan'], ['x.y']],
    [['empty'], []],
    [['nobody'], []],
    [['nobody', 'reader'], ['posts.view']],
    [['Reader'], []],
    [['__proto__'], []],
    [['constructor'], []],
    [[''], []],
    [['admin'], ['*']],
    [['admin', 'reader'], ['*']],
  ])('%j: %j', (roles, names) => {
    expect(registry.permissionsOf(roles).names).toEqual(names)
  })

  test('roles of the options win over stored ones of their name', () => {
    expect(registry.permissionsOf(['admin']).has('anything')).toBe(true)
    expect(registryOf([role('admin', ['*'])], { admin: [] }).permissionsOf(['admin']).names).toEqual([])
  })

  test('knows which names there are', () => {
    expect(registry.has('reader')).toBe(true)
    expect(['nobody', 'gone', '__proto__', 'toString', ''].map((name) => registry.has(name))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ])
    const names = ['admin', 'archivist', 'editor', 'empty', 'orphan', 'reader', 'writer']
    expect(names.filter((name) => !registry.has(name))).toEqual([])
  })
})

describe('inheritance in circles', () => {
  test.each<[name: string, stored: readonly RoleRecord[], names: readonly string[]]>([
    ['of itself', [role('a', ['a.x'], ['a'])], ['a.x']],
    ['of two', [role('a', ['a.x'], ['b']), role('b', ['b.x'], ['a'])], ['a.x', 'b.x']],
    [
      'of three',
      [role('a', ['a.x'], ['b']), role('b', ['b.x'], ['c']), role('c', ['c.x'], ['a'])],
      ['a.x', 'b.x', 'c.x'],
    ],
    [
      'beside the way',
      [role('a', ['a.x'], ['b']), role('b', ['b.x'], ['c']), role('c', ['c.x'], ['b'])],
      ['a.x', 'b.x', 'c.x'],
    ],
  ])('%s ends', (_, stored, names) => {
    expect(registryOf(stored).permissionsOf(['a']).names).toEqual(names)
  })

  test('grants what can be reached, and nothing else', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const inherits = fc.array(fc.constantFrom(...names, 'gone'), { maxLength: 4 })
    fc.assert(
      fc.property(fc.tuple(inherits, inherits, inherits, inherits, inherits), (lists) => {
        const registry = registryOf(names.map((name, index) => role(name, [`${name}.x`], lists[index] ?? [])))
        const reached = new Set(['a'])
        for (let round = 0; round < names.length; round += 1) {
          for (const name of reached) for (const next of lists[names.indexOf(name)] ?? []) reached.add(next)
        }
        const expected = names.filter((name) => reached.has(name)).map((name) => `${name}.x`)
        expect(registry.permissionsOf(['a']).names).toEqual(expected)
      }),
      { numRuns: 300 },
    )
  })

  test('a thousand roles that inherit each other in a row', () => {
    const chain = Array.from({ length: 1000 }, (_, index) => role(`r${index}`, [`p.x${index}`], [`r${index + 1}`]))
    expect(registryOf(chain).permissionsOf(['r0']).has('p.x999')).toBe(true)
  })
})

describe('change', () => {
  test('a role that loses a permission or is gone grants less at once', () => {
    const registry = registryOf([role('a', ['a.x', 'a.y']), role('b', ['b.x'])])
    expect(registry.permissionsOf(['a', 'b']).has('a.y')).toBe(true)
    registry.replaceStored([role('a', ['a.x'])])
    expect(registry.permissionsOf(['a', 'b']).names).toEqual(['a.x'])
    expect(registry.has('b')).toBe(false)
    registry.replaceStored([])
    expect(registry.permissionsOf(['a', 'b']).names).toEqual([])
  })

  test('an ancestor that loses a permission takes it from its heirs', () => {
    const registry = registryOf([role('base', ['x.y']), role('heir', [], ['base'])])
    expect(registry.permissionsOf(['heir']).has('x.y')).toBe(true)
    registry.replaceStored([role('base', []), role('heir', [], ['base'])])
    expect(registry.permissionsOf(['heir']).has('x.y')).toBe(false)
  })

  test('many made-up combinations are answered, and right', () => {
    const registry = registryOf([role('a', ['a.x'])])
    for (let index = 0; index < 3000; index += 1) {
      expect(registry.permissionsOf([`made-up-${index}`]).names).toEqual([])
    }
    expect(registry.permissionsOf(['a']).names).toEqual(['a.x'])
  })

  test('the order of roles does not matter', () => {
    const registry = registryOf([role('a', ['a.x']), role('b', ['b.x'])])
    expect(registry.permissionsOf(['a', 'b']).names).toEqual(registry.permissionsOf(['b', 'a']).names)
  })

  test('a name with a line feed is not two names', () => {
    const registry = registryOf([role('a', ['a.x']), role('b', ['b.x'])])
    expect(registry.permissionsOf(['a', 'b']).names).toEqual(['a.x', 'b.x'])
    expect(registry.permissionsOf(['a\nb']).names).toEqual([])
  })
})
