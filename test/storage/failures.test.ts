/** What the codes of databases and drivers mean. */
import { describe, expect, test } from 'bun:test'
import { DrizzleQueryError } from 'drizzle-orm/errors'
import { MachineAuthError } from '../../src/errors.ts'
import { translateError } from '../../src/storage/drizzle/errors.ts'
import { DatabaseTimeoutError, failureOf } from '../../src/storage/drizzle/failures.ts'

const failure = (members: object) => Object.assign(new Error('nothing'), members)
const ofServer = (state: string) => failure({ code: 'ERR_POSTGRES_SERVER_ERROR', errno: state })

const TABLE = [
  { name: 'our timeout', error: new DatabaseTimeoutError('late'), kind: 'transient', reason: 'timeout' },
  { name: 'a canceled statement', error: ofServer('57014'), kind: 'transient', reason: 'timeout' },
  {
    name: 'no connection in time',
    error: failure({ code: 'ERR_POSTGRES_CONNECTION_TIMEOUT' }),
    kind: 'transient',
    reason: 'timeout',
  },
  {
    name: 'a closed connection',
    error: failure({ code: 'ERR_POSTGRES_CONNECTION_CLOSED' }),
    kind: 'transient',
    reason: 'lost',
  },
  {
    name: 'a refused connection',
    error: failure({ code: 'ECONNREFUSED', errno: -111 }),
    kind: 'transient',
    reason: 'lost',
  },
  { name: 'a shutdown', error: ofServer('57P01'), kind: 'transient', reason: 'lost' },
  { name: 'a start', error: ofServer('57P03'), kind: 'transient', reason: 'lost' },
  { name: 'a pooler without a server', error: ofServer('08P01'), kind: 'transient', reason: 'lost' },
  { name: 'a serialization failure', error: ofServer('40001'), kind: 'transient', reason: 'rolled_back' },
  { name: 'a deadlock', error: failure({ code: '40P01' }), kind: 'transient', reason: 'rolled_back' },
  { name: 'a lock', error: failure({ code: 'SQLITE_BUSY' }), kind: 'transient', reason: 'locked' },
  { name: 'a standby', error: ofServer('25006'), kind: 'transient', reason: 'read_only' },
  { name: 'a disk', error: failure({ code: 'SQLITE_IOERR_WRITE' }), kind: 'transient', reason: 'disk' },
  { name: 'too many connections', error: ofServer('53300'), kind: 'exhausted', reason: 'full' },
  { name: 'a full disk', error: ofServer('53100'), kind: 'exhausted', reason: 'full' },
  { name: 'a full disk below SQLite', error: failure({ code: 'SQLITE_FULL' }), kind: 'exhausted', reason: 'full' },
  { name: 'a statement that is not there', error: ofServer('26000'), kind: 'permanent', reason: 'prepared' },
  { name: 'a statement that is there already', error: ofServer('42P05'), kind: 'permanent', reason: 'prepared' },
  { name: 'a file without rights', error: failure({ code: 'SQLITE_READONLY' }), kind: 'permanent', reason: 'file' },
  { name: 'a file that moved', error: failure({ code: 'SQLITE_READONLY_DBMOVED' }), kind: 'permanent', reason: 'file' },
  { name: 'a file that is gone', error: failure({ code: 'SQLITE_CANTOPEN' }), kind: 'permanent', reason: 'file' },
  { name: 'NUL in a text', error: ofServer('22021'), kind: 'invalid', reason: 'unstorable' },
] as const

/** What callers hear of each kind. */
const ANSWERS = {
  transient: 'storage_unavailable',
  exhausted: 'storage_unavailable',
  permanent: 'other',
  invalid: 'validation_failed',
}

/** What is passed on as it came. */
const UNNAMED = [
  { name: 'a wrong password', error: ofServer('28P01') },
  { name: 'a certificate of another host', error: failure({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', errno: 0 }) },
  { name: 'a server without TLS', error: failure({ code: 'ERR_POSTGRES_TLS_NOT_AVAILABLE' }) },
  { name: 'a right that is missing', error: ofServer('42501') },
  { name: 'a table that is missing', error: ofServer('42P01') },
  { name: 'a division by zero', error: ofServer('22012') },
  { name: 'a missing value', error: failure({ code: '23502' }) },
]

describe('a failure', () => {
  test.each([...TABLE])('by $name is $kind: $reason, also inside of wrappers', ({ error, kind, reason }) => {
    const wrapped = new DrizzleQueryError('insert …', [], error)
    for (const each of [error, wrapped]) expect(failureOf(each)).toMatchObject({ kind, reason })
    const answer = translateError(wrapped)
    const code = answer instanceof MachineAuthError ? answer.code : 'other'
    expect(code).toBe(ANSWERS[kind])
    if (code === 'storage_unavailable') {
      expect(failureOf(answer)).toMatchObject({ kind, reason })
      expect(answer).toMatchObject({ extras: { retryable: true, retryAfter: 1 } })
    }
  })

  test.each([
    { cause: ofServer('26000'), advice: 'postgres.prepare to false' },
    { cause: ofServer('42P05'), advice: 'postgres.prepare to false' },
    { cause: failure({ code: 'SQLITE_READONLY' }), advice: 'may write both' },
    { cause: failure({ code: 'SQLITE_CANTOPEN' }), advice: 'may write both' },
  ])('that is permanent tells what to change, and keeps the cause: $advice', ({ cause, advice }) => {
    expect(translateError(cause)).toMatchObject({ message: expect.stringContaining(advice), cause })
  })

  test.each(UNNAMED)('by $name is none that a caller can do anything about: it comes as it is', ({ error }) => {
    expect(failureOf(error)).toBeNull()
    expect(translateError(new DrizzleQueryError('insert …', [], error))).toBe(error)
  })

  test('is not seen in what is none', () => {
    const others = [new Error('else'), new MachineAuthError('not_found'), 'text', null, undefined]
    expect(others.map(failureOf)).toEqual(others.map(() => null))
  })
})
