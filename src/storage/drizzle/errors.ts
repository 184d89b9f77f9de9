import { MachineAuthError } from '../../errors.ts'

/** Connection, resource and lock failures by SQLSTATE: classes 08 and 53, shutdown, cancel, lock, deadlock, read-only. */
const UNAVAILABLE_SQLSTATE = /^(08...|53...|57P0[1-5]|57014|55P03|40001|40P01|25006)$/
const UNAVAILABLE_SQLITE = /^SQLITE_(BUSY|LOCKED|FULL|IOERR|CANTOPEN|READONLY|PROTOCOL)/
const UNAVAILABLE_DRIVER =
  /^(ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)|ECONN|ETIMEDOUT|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|CONNECTION_|CONNECT_TIMEOUT)/
/** `bun:sqlite` has no code for it. */
const CLOSED = /^Cannot use a closed database/
const LOCKED = /^SQLITE_(BUSY|LOCKED)/
/** Characters or numbers that PostgreSQL cannot store: NUL in text or JSON, integers beyond 64 bits. */
const UNSTORABLE_SQLSTATE = /^(22021|22P05|22003)$/

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

/** Drizzle's wrappers, by their message: an app's database may come from another copy of drizzle-orm. */
const WRAPPER = /^Failed (query:|to run the query )/

/** The driver's own error: the wrappers carry the statement and its parameters in their message. */
function driverError(error: unknown): unknown {
  let inner = error
  while (inner instanceof Error && WRAPPER.test(inner.message) && inner.cause != null) inner = inner.cause
  // What is ours tells nothing, and its `detail` is meant to be read.
  if (!(inner instanceof Error) || inner instanceof MachineAuthError) return inner
  for (const name of TELLTALE) Reflect.deleteProperty(inner, name)
  return inner
}

function codesOf(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return []
  // Bun.SQL keeps the SQLSTATE in `errno`, everyone else in `code`.
  return [Reflect.get(error, 'code'), Reflect.get(error, 'errno')].filter((code) => typeof code === 'string')
}

/** Whether another connection holds the lock that a statement needed (SQLite). */
export function isLocked(error: unknown): boolean {
  const cause = error instanceof MachineAuthError ? error.cause : driverError(error)
  return codesOf(cause).some((code) => LOCKED.test(code))
}

/** A database that does not answer: worth trying again in a second. */
export function storageUnavailable(detail: string, cause?: unknown): MachineAuthError {
  return new MachineAuthError('storage_unavailable', { detail, retryable: true, retryAfter: 1, cause })
}

/**
 * What a failed statement means to a caller: `conflict`, `storage_unavailable`, `validation_failed`, `internal_error`,
 * or the driver's error itself without the statement and its values.
 */
export function translateError(error: unknown): unknown {
  const cause = driverError(error)
  if (cause instanceof MachineAuthError) return cause
  const codes = codesOf(cause)
  const message = cause instanceof Error ? cause.message : ''
  if (codes.includes('23505') || message.includes('UNIQUE constraint failed')) {
    const taken = UNIQUE.find(({ name }) => name.test(message))
    if (taken === undefined) return new MachineAuthError('internal_error', { cause })
    const errors = [{ path: taken.field, message: 'is taken' }]
    return new MachineAuthError('conflict', { detail: taken.detail, errors, cause })
  }
  const unavailable = [UNAVAILABLE_SQLSTATE, UNAVAILABLE_SQLITE, UNAVAILABLE_DRIVER]
  if (CLOSED.test(message) || codes.some((code) => unavailable.some((pattern) => pattern.test(code)))) {
    return storageUnavailable('The database does not answer or is locked; try again.', cause)
  }
  if (codes.some((code) => UNSTORABLE_SQLSTATE.test(code))) {
    const detail = 'A value has a character or size that the database cannot store.'
    return new MachineAuthError('validation_failed', { detail, cause })
  }
  return cause
}
