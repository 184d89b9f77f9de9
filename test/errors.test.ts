import { expect, test } from 'bun:test'
import { MachineAuthError } from '../src/errors.ts'

const scopeOf = (required: readonly string[]) => {
  const { headers } = new MachineAuthError('permission_required', { required })
  return /scope="([^"]*)"$/.exec(headers['www-authenticate'] ?? '')?.[1] ?? null
}
const names = (count: number, length: number) =>
  Array.from({ length: count }, (_, index) => `p${index}.`.padEnd(length, 'x'))

test.each<[what: string, required: readonly string[], scope: string | null]>([
  ['none', [], null],
  ['one', ['users.view'], 'users.view'],
  ['several', ['users.view', 'posts.*'], 'users.view posts.*'],
  ['some that the header cannot carry', ['a b', 'x"y', 'é', 'users.view'], 'users.view'],
  ['as many as fit', names(8, 127), names(8, 127).join(' ')],
  ['200', names(200, 42), names(23, 42).join(' ')],
  ['one that is too long', ['x'.repeat(1025)], null],
])('the challenge names what was missing: %s', (_, required, scope) => {
  expect(scopeOf(required)).toBe(scope)
})

test('the body names all of them', () => {
  const required = names(200, 42)
  const error = new MachineAuthError('permission_required', { required })
  expect(error.toProblem()).toMatchObject({ required })
  expect(error.headers['www-authenticate']?.length).toBeLessThan(1200)
})
