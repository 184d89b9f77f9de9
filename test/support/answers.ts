/** What answers over HTTP must look like. */
import { expect } from 'bun:test'
import { type ErrorCode, kindOf, statusOf, titleOf } from '../../src/errors.ts'
import type { Answer, Json } from './test-app.ts'

/** The members of a key, CONTRACT section 4. */
export const KEY_VIEW = [
  'id',
  'name',
  'prefix',
  'environment',
  'organizationId',
  'userId',
  'permissions',
  'ipAllowlist',
  'rateLimit',
  'monthlyQuota',
  'credits',
  'status',
  'expiresAt',
  'lastUsedAt',
  'createdAt',
  'revokedAt',
  'revokedReason',
  'rotatedFrom',
  'description',
  'metadata',
].sort()

export const SESSION_VIEW = [
  'id',
  'userId',
  'createdAt',
  'lastSeenAt',
  'expiresAt',
  'address',
  'userAgent',
  'current',
].sort()

export const TOKEN_RESPONSE = ['access_token', 'expires_in', 'refresh_token', 'token_type']

export const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const BARE = 'Bearer realm="machine-auth", ApiKey realm="machine-auth"'
const MEMBERS = ['type', 'title', 'status', 'code', 'detail', 'retryable', 'requestId']

export function membersOf(value: unknown): readonly string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value).sort() : []
}

/** A member that is an object. */
export function objectAt(json: Json, name: string): Json {
  const value = json[name]
  if (typeof value !== 'object' || value === null) throw new Error(`expected an object at ${name}`)
  return value as Json
}

/** A member that is text. */
export function textAt(json: Json, name: string): string {
  const value = json[name]
  if (typeof value !== 'string') throw new Error(`expected text at ${name}`)
  return value
}

/** A member that is a list of objects. */
export function listAt(json: Json, name: string): readonly Json[] {
  const value = json[name]
  if (!Array.isArray(value)) throw new Error(`expected a list at ${name}`)
  return value
}

export function pathsOf(answer: Answer): readonly unknown[] {
  return listAt(answer.json, 'errors').map(({ path }) => path)
}

/** Whether trying again can help, as far as a code and its answer say. */
function isRetryable(code: ErrorCode, hasEnd: boolean): boolean {
  const kind = kindOf(code)
  return hasEnd || kind === 'transient' || (kind === 'exhausted' && code !== 'quota_exceeded')
}

/** Asserts that an answer is a refusal, with all that CONTRACT section 3 says of one. */
export function expectProblem(answer: Answer, code: ErrorCode, more: readonly string[] = []): void {
  const status = statusOf(code)
  expect(answer.said).toBe(`${status} ${code}`)
  expect(membersOf(answer.json)).toEqual([...MEMBERS, ...more].sort())
  expect(answer.json).toMatchObject({ type: `urn:machine-auth:error:${code}`, title: titleOf(code), status, code })
  expect(textAt(answer.json, 'detail')).not.toBe('')
  expect(answer.json.retryable).toBe(isRetryable(code, more.includes('retryAfter')))
  expect(answer.headers.get('x-request-id')).toBe(textAt(answer.json, 'requestId'))
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const challenge = answer.headers.get('www-authenticate')
  if (code === 'credential_missing' || code === 'login_failed') expect(challenge).toBe(BARE)
  else if (status === 401) expect(challenge).toBe('Bearer realm="machine-auth", error="invalid_token"')
  else if (status === 400) expect(challenge).toBe('Bearer realm="machine-auth", error="invalid_request"')
}

/** Asserts that a body or query was refused for these members. */
export function expectInvalidAt(answer: Answer, ...paths: readonly string[]): void {
  expectProblem(answer, 'validation_failed', ['errors'])
  // One member can be wrong in two ways.
  expect([...new Set(pathsOf(answer))].sort()).toEqual([...paths].sort())
}
