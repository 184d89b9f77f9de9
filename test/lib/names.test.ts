import { describe, expect, test } from 'bun:test'
import { isHttpToken } from '../../src/lib/http-token.ts'
import { canonicalGrant, canonicalPermission, isName } from '../../src/lib/names.ts'

describe('permission names', () => {
  test.each<[string, string | null, string | null]>([
    // text, as a permission, as a grant
    ['users.view', 'users.view', 'users.view'],
    ['users:view', 'users.view', 'users.view'],
    ['machine_auth.keys.create', 'machine_auth.keys.create', 'machine_auth.keys.create'],
    ['a-1', 'a-1', 'a-1'],
    ['*', null, '*'],
    ['users.*', null, 'users.*'],
    ['users:*', null, 'users.*'],
    ['*.view', null, null],
    ['users.*.get', null, null],
    ['users*', null, null],
    ['**', null, null],
    ['.*', null, null],
    ['', null, null],
    ['.', null, null],
    ['users.', null, null],
    ['users..view', null, null],
    ['Users.view', null, null],
    ['users view', null, null],
    ['users.view\n', null, null],
    ['üsers', null, null],
    ['__proto__', null, null],
    ['users.constructor', null, null],
    ['a'.repeat(128), 'a'.repeat(128), 'a'.repeat(128)],
    ['a'.repeat(129), null, null],
    ['a.'.repeat(25_000), null, null],
  ])('%j', (text, permission, grant) => {
    expect(canonicalPermission(text)).toBe(permission)
    expect(canonicalGrant(text)).toBe(grant)
  })

  test('names of roles and modules have no colon', () => {
    expect(isName('org.admin')).toBe(true)
    expect(isName('org:admin')).toBe(false)
  })
})

describe('isHttpToken', () => {
  test.each([
    ['x-api-key', true],
    ['ApiKey', true],
    ["!#$%&'*+-.^_`|~09AZaz", true],
    ['', false],
    ['a b', false],
    ['a:b', false],
    ['a,b', false],
    ['a;b', false],
    ['a=b', false],
    ['a"b', false],
    ['a/b', false],
    ['a(b', false],
    ['a\r\nb', false],
    ['é', false],
  ])('%j: %p', (text, expected) => {
    expect(isHttpToken(text)).toBe(expected)
  })
})
