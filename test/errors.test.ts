import { expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERROR_CODES, type ErrorCode, type ErrorExtras, kindOf, MachineAuthError } from '../src/errors.ts'
import type { ErrorKind } from '../src/lib/error-table.ts'

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

const ROWS: readonly {
  readonly name: string
  readonly code: ErrorCode
  readonly extras?: ErrorExtras
  readonly kind: ErrorKind
  readonly retryable: boolean
}[] = [
  { name: 'what is away', code: 'storage_unavailable', kind: 'transient', retryable: true },
  { name: 'a limit', code: 'rate_limited', extras: { retryAfter: 3 }, kind: 'exhausted', retryable: true },
  { name: 'a limit that does not say when', code: 'rate_limited', kind: 'exhausted', retryable: true },
  { name: 'a lockout', code: 'locked_out', kind: 'exhausted', retryable: true },
  { name: 'a quota', code: 'quota_exceeded', extras: { retryAfter: 60 }, kind: 'exhausted', retryable: true },
  { name: 'credits without a refill', code: 'quota_exceeded', kind: 'exhausted', retryable: false },
  { name: 'a wrong credential', code: 'api_key_invalid', kind: 'permanent', retryable: false },
  { name: 'a missing permission', code: 'permission_required', kind: 'permanent', retryable: false },
  { name: 'a block without end', code: 'address_blocked', kind: 'permanent', retryable: false },
  { name: 'a block that ends', code: 'address_blocked', extras: { retryAfter: 9 }, kind: 'permanent', retryable: true },
  { name: 'what is not over yet', code: 'conflict', extras: { retryable: true }, kind: 'permanent', retryable: true },
  { name: 'a fault', code: 'internal_error', kind: 'permanent', retryable: false },
  { name: 'a wrong member', code: 'validation_failed', kind: 'invalid', retryable: false },
  { name: 'a body that is no JSON', code: 'request_malformed', kind: 'invalid', retryable: false },
  {
    name: 'what its refuser says is over',
    code: 'rate_limited',
    extras: { retryAfter: 3, retryable: false },
    kind: 'exhausted',
    retryable: false,
  },
]

test.each([...ROWS])('$name is $kind, and retryable: $retryable', ({ code, extras, kind, retryable }) => {
  const error = new MachineAuthError(code, extras)
  expect([error.kind, kindOf(code), error.retryable]).toEqual([kind, kind, retryable])
  expect(error.toProblem()).toMatchObject({ retryable })
})

test.each([...ERROR_CODES])('%s says whether it can be tried again, after what went wrong', (code) => {
  const members = Object.keys(new MachineAuthError(code).toProblem())
  expect(members).toEqual(['type', 'title', 'status', 'code', 'detail', 'retryable'])
})

test('the page of errors names the codes of each kind that is not permanent', () => {
  const page = readFileSync(join(import.meta.dir, '../docs/errors.md'), 'utf8')
  for (const kind of ['transient', 'exhausted', 'invalid']) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${kind}\`: `)) ?? ''
    const named = [...(row.split('|').at(-2) ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code)
    expect([kind, ...named.sort()]).toEqual([kind, ...ERROR_CODES.filter((code) => kindOf(code) === kind).sort()])
  }
})
