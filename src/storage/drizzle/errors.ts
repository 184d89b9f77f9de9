import { MachineAuthError } from '../../errors.ts'
import { codesOf, driverError, type FailureReason, failureOf } from './failures.ts'

const LOCKED = /^SQLITE_(BUSY|LOCKED)/

/** What a caller can be in conflict over; SQLite names table and column, PostgreSQL the index. */
const UNIQUE: readonly { readonly name: RegExp; readonly field: string; readonly detail: string }[] = [
  { name: /machine_auth_users[._]email/, field: 'email', detail: 'email: another user has this address.' },
  { name: /machine_auth_organizations[._]name/, field: 'name', detail: 'name: another organization has this name.' },
  {
    name: /machine_auth_api_keys[._]rotated/,
    field: 'id',
    detail: 'This key was rotated already: rotate its successor, the key whose rotatedFrom it is.',
  },
  {
    name: /machine_auth_api_keys[._]lookup/,
    field: 'hash',
    detail: 'hash: a key with this hash was imported already.',
  },
  {
    name: /machine_auth_signing_keys[._](algorithm|current)/,
    field: 'kid',
    detail: 'Another process rotated the signing keys at the same moment.',
  },
]

/** Members in which drivers repeat the statement, its parameters or the row: hashes would reach a log by them. */
const TELLTALE = ['detail', 'where', 'query', 'params', 'parameters', 'args', 'internalQuery', 'internal_query']

/** The driver's own error, without what it repeats. */
function withoutValues(error: unknown): unknown {
  if (error instanceof MachineAuthError) return error
  const inner = driverError(error)
  if (!(inner instanceof Error)) return inner
  for (const name of TELLTALE) Reflect.deleteProperty(inner, name)
  return inner
}

/** Whether another connection holds the lock that a statement needed (SQLite). */
export function isLocked(error: unknown): boolean {
  return codesOf(driverError(error)).some((code) => LOCKED.test(code))
}

/** A database that does not answer: worth trying again in a second. */
export function storageUnavailable(detail: string, cause?: unknown): MachineAuthError {
  return new MachineAuthError('storage_unavailable', { detail, retryable: true, retryAfter: 1, cause })
}

/** What must be changed, for whoever reads the log: clients hear that something failed within. */
const ADVICE: Readonly<Partial<Record<FailureReason, string>>> = {
  prepared:
    'A prepared statement is not there, or is there already: a pooler such as PgBouncer gives each transaction another ' +
    'connection. Set postgres.prepare to false.',
  file:
    'The file of the database cannot be written or opened: see that it and its directory are where they were, that this ' +
    'process may write both, and how many files it may have open.',
}

const UNAVAILABLE: Readonly<Partial<Record<FailureReason, string>>> = {
  timeout: 'The database did not answer in time.',
  locked: 'The database is locked by another connection; try again.',
  full: 'The database has no room: too many connections, or no space left.',
}

/**
 * What a failed statement means to a caller: `conflict`, `storage_unavailable`, `validation_failed`, `internal_error`,
 * or the driver's error itself without the statement and its values.
 */
export function translateError(error: unknown): unknown {
  const cause = withoutValues(error)
  if (cause instanceof MachineAuthError) return cause
  const codes = codesOf(cause)
  const message = cause instanceof Error ? cause.message : ''
  if (codes.includes('23505') || message.includes('UNIQUE constraint failed')) {
    const taken = UNIQUE.find(({ name }) => name.test(message))
    if (taken === undefined) return new MachineAuthError('internal_error', { cause })
    const errors = [{ path: taken.field, message: 'is taken' }]
    return new MachineAuthError('conflict', { detail: taken.detail, errors, cause })
  }
  const failure = failureOf(cause)
  if (failure === null) return cause
  switch (failure.kind) {
    case 'transient':
    case 'exhausted':
      return storageUnavailable(UNAVAILABLE[failure.reason] ?? 'The database does not answer; try again.', cause)
    case 'permanent':
      return new Error(ADVICE[failure.reason], { cause })
    case 'invalid': {
      const detail = 'A value has a character or size that the database cannot store.'
      return new MachineAuthError('validation_failed', { detail, cause })
    }
  }
}
