import { describe, expect, test } from 'bun:test'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import { MachineAuthError } from '../../src/errors.ts'
import { isLocked, translateError } from '../../src/storage/drizzle/errors.ts'

const failure = (message: string, members: object) => Object.assign(new Error(message), members)
const wrapped = (cause: Error) => new DrizzleQueryError('insert into t values ($1)', ['the-hash'], cause)

describe('translateError', () => {
  test.each([
    { code: 'SQLITE_BUSY', errno: 5 },
    { code: 'SQLITE_BUSY_SNAPSHOT' },
    { code: 'SQLITE_FULL' },
    { code: 'SQLITE_IOERR_WRITE' },
    { code: 'ERR_POSTGRES_CONNECTION_REFUSED' },
    { code: 'ERR_POSTGRES_CONNECTION_TIMEOUT' },
    { code: 'ERR_POSTGRES_SERVER_ERROR', errno: '57P01' },
    { code: 'ERR_POSTGRES_SERVER_ERROR', errno: '53300' },
    { code: '08006' },
    { code: '40P01' },
    { code: '55P03' },
    { code: 'ECONNREFUSED', errno: -111 },
    { code: 'CONNECTION_ENDED' },
  ])('$code $errno is storage_unavailable, worth another try in a second', (members) => {
    const cause = failure('nothing', members)
    const error = translateError(wrapped(cause))
    if (!(error instanceof MachineAuthError)) throw error
    expect(error.code).toBe('storage_unavailable')
    expect(error.extras).toMatchObject({ retryable: true, retryAfter: 1, cause })
  })

  test.each([
    ['UNIQUE constraint failed: machine_auth_users.email', { code: 'SQLITE_CONSTRAINT_UNIQUE' }, 'email'],
    [
      'SQLITE_CONSTRAINT: UNIQUE constraint failed: machine_auth_organizations.name',
      { code: 'SQLITE_CONSTRAINT' },
      'name',
    ],
    ['… unique constraint "machine_auth_users_email_unique"', { code: '23505' }, 'email'],
    [
      '… unique constraint "machine_auth_organizations_name_unique"',
      { errno: '23505', code: 'ERR_POSTGRES_SERVER_ERROR' },
      'name',
    ],
  ])('%s is a conflict over its field', (message, members, field) => {
    const error = translateError(wrapped(failure(message, members)))
    if (!(error instanceof MachineAuthError)) throw error
    expect([error.code, error.extras.errors?.[0]?.path]).toEqual(['conflict', field])
    expect(error.detail).not.toMatch(/machine_auth|constraint/)
  })

  test('any other uniqueness is an internal error', () => {
    const cause = failure('UNIQUE constraint failed: machine_auth_api_keys.id', {
      code: 'SQLITE_CONSTRAINT_PRIMARYKEY',
    })
    expect(translateError(cause)).toMatchObject({ code: 'internal_error', status: 500 })
  })

  test('what is not known propagates, without the statement, its values or the row', () => {
    const cause = failure('null value in column "hash"', {
      code: '23502',
      detail: 'Failing row contains (key_1, the-hash)',
      query: 'insert …',
      params: ['the-hash'],
      where: 'portal $1 = the-hash',
    })
    const error = translateError(wrapped(cause))
    expect(error).toBe(cause)
    expect(Bun.inspect(error)).not.toContain('the-hash')
  })

  test('what is ours, or no error at all, stays what it is', () => {
    for (const value of [new MachineAuthError('not_found'), 'text', null, undefined]) {
      expect(translateError(value)).toBe(value)
    }
  })
})

test('isLocked tells a lock from other failures, translated or not', () => {
  const locked = failure('database is locked', { code: 'SQLITE_BUSY' })
  expect([locked, wrapped(locked), translateError(locked)].map(isLocked)).toEqual([true, true, true])
  expect([failure('x', { code: 'ECONNREFUSED' }), null].map(isLocked)).toEqual([false, false])
})
