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

const START = '{"type":"urn:machine-auth:error'
const BODIES: readonly {
  readonly name: string
  readonly code: ErrorCode
  readonly extras?: ErrorExtras
  readonly requestId?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}[] = [
  {
    name: 'nothing but a code',
    code: 'not_owner',
    headers: {},
    body: `${START}:not_owner","title":"Not the owner","status":403,"code":"not_owner","detail":"This belongs to somebody else.","retryable":false}`,
  },
  {
    name: 'a wrong credential',
    code: 'api_key_invalid',
    requestId: 'request-1',
    headers: {
      'www-authenticate': 'Bearer realm="machine-auth", error="invalid_token"',
      'x-request-id': 'request-1',
    },
    body: `${START}:api_key_invalid","title":"Invalid API key","status":401,"code":"api_key_invalid","detail":"The API key is not one of ours, or was not copied whole.","retryable":false,"requestId":"request-1"}`,
  },
  {
    name: 'a limit',
    code: 'rate_limited',
    extras: { retryAfter: 2.1 },
    requestId: 'request-2',
    headers: { 'retry-after': '3', 'x-request-id': 'request-2' },
    body: `${START}:rate_limited","title":"Rate limit exceeded","status":429,"code":"rate_limited","detail":"Too many requests. Wait before the next one.","retryable":true,"requestId":"request-2","retryAfter":3}`,
  },
  {
    name: 'all that can be said',
    code: 'permission_required',
    extras: {
      detail: 'Say "please",\nthen ask.',
      required: ['a.b', 'c"d'],
      retryAfter: 0,
      resetsAt: '2026-01-01T00:00:00Z',
      errors: [{ path: 'a', message: 'must be \u{1f511}' }],
    },
    requestId: 'quoted"id',
    headers: {
      'www-authenticate': 'Bearer realm="machine-auth", error="insufficient_scope", scope="a.b"',
      'retry-after': '1',
      'x-request-id': 'quoted"id',
    },
    body: `${START}:permission_required","title":"Permission required","status":403,"code":"permission_required","detail":"Say \\"please\\",\\nthen ask.","retryable":true,"requestId":"quoted\\"id","required":["a.b","c\\"d"],"retryAfter":1,"resetsAt":"2026-01-01T00:00:00Z","errors":[{"path":"a","message":"must be \u{1f511}"}]}`,
  },
]

test.each([...BODIES])('the answer to $name', ({ code, extras, requestId, headers, body }) => {
  const error = new MachineAuthError(code, extras)
  error.requestId = requestId
  const set: Parameters<MachineAuthError['writeTo']>[0] = { headers: { vary: 'Cookie' } }
  expect(error.writeTo(set)).toBe(body)
  expect(set.headers).toEqual({
    vary: 'Cookie',
    'cache-control': 'no-store',
    'content-type': 'application/problem+json',
    ...headers,
  })
  expect(set.status).toBe(error.status)
  expect(JSON.stringify(error.toProblem())).toBe(body)
})

test('logs that write it as JSON have all that is told of it', () => {
  const error = new MachineAuthError('rate_limited', { retryAfter: 3 })
  error.requestId = 'the-request'
  expect(JSON.parse(JSON.stringify({ error })).error).toMatchObject({
    name: 'MachineAuthError',
    message: error.message,
    code: 'rate_limited',
    status: 429,
    kind: 'exhausted',
    retryable: true,
    requestId: 'the-request',
    retryAfter: 3,
  })
})

test('it is an error with a name, a message and a cause, also where no stack is taken', () => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  const error = new MachineAuthError('conflict', { detail: 'It is there.', cause: 'a reason' })
  Error.stackTraceLimit = stackTraceLimit
  expect(error).toBeInstanceOf(Error)
  expect([String(error), error.name, error.message, error.cause]).toEqual([
    'MachineAuthError: It is there.',
    'MachineAuthError',
    'It is there.',
    'a reason',
  ])
})

test('the page of errors names the codes of each kind that is not permanent', () => {
  const page = readFileSync(join(import.meta.dir, '../docs/errors.md'), 'utf8')
  for (const kind of ['transient', 'exhausted', 'invalid']) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${kind}\`: `)) ?? ''
    const named = [...(row.split('|').at(-2) ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code)
    expect([kind, ...named.sort()]).toEqual([kind, ...ERROR_CODES.filter((code) => kindOf(code) === kind).sort()])
  }
})
