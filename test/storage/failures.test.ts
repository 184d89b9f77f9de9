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
  { name: 'too many connections', error: ofServer('53300'), kind: 'exhausted', reason: 'full' },
  { name: 'a full disk', error: ofServer('53100'), kind: 'exhausted', reason: 'full' },
  { name: 'a full disk below SQLite', error: failure({ code: 'SQLITE_FULL' }), kind: 'exhausted', reason: 'full' },
  { name: 'a wrong password', error: ofServer('28P01'), kind: 'permanent', reason: 'refused' },
  {
    name: 'a certificate of another host',
    error: failure({ code: 'ERR_TLS_CERT_ALTNAME_INVALID', errno: 0 }),
    kind: 'permanent',
    reason: 'refused',
  },
  {
    name: 'a server without TLS',
    error: failure({ code: 'ERR_POSTGRES_TLS_NOT_AVAILABLE' }),
    kind: 'permanent',
    reason: 'refused',
  },
  { name: 'a right that is missing', error: ofServer('42501'), kind: 'permanent', reason: 'refused' },
  { name: 'a table that is missing', error: ofServer('42P01'), kind: 'permanent', reason: 'refused' },
  { name: 'a statement that is not there', error: ofServer('26000'), kind: 'permanent', reason: 'prepared' },
  { name: 'a statement that is there already', error: ofServer('42P05'), kind: 'permanent', reason: 'prepared' },
  { name: 'NUL in a text', error: ofServer('22021'), kind: 'invalid', reason: 'unstorable' },
  { name: 'a division by zero', error: ofServer('22012'), kind: 'invalid', reason: 'broken' },
  { name: 'a missing value', error: failure({ code: '23502' }), kind: 'invalid', reason: 'broken' },
] as const

/** What callers hear of each kind. */
const ANSWERS = {
  transient: 'storage_unavailable',
  exhausted: 'storage_unavailable',
  permanent: 'other',
  invalid: 'other',
}

describe('a failure', () => {
  test.each([...TABLE])('by $name is $kind: $reason, also inside of wrappers', ({ error, kind, reason }) => {
    const wrapped = new DrizzleQueryError('insert …', [], error)
    for (const each of [error, wrapped]) expect(failureOf(each)).toMatchObject({ kind, reason })
    const answer = translateError(wrapped)
    const code = answer instanceof MachineAuthError ? answer.code : 'other'
    expect(code).toBe(reason === 'unstorable' ? 'validation_failed' : ANSWERS[kind])
    if (code === 'storage_unavailable') {
      expect(failureOf(answer)).toMatchObject({ kind, reason })
      expect(answer).toMatchObject({ extras: { retryable: true, retryAfter: 1 } })
    }
  })

  test.each(['26000', '42P05'])('by %s tells which option to change, and keeps the cause', (state) => {
    const cause = ofServer(state)
    expect(translateError(cause)).toMatchObject({
      message: expect.stringContaining('postgres.prepare to false'),
      cause,
    })
  })

  test('is not seen in what is none', () => {
    const others = [new Error('else'), new MachineAuthError('not_found'), 'text', null, undefined]
    expect(others.map(failureOf)).toEqual(others.map(() => null))
  })
})
