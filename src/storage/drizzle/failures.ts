/** What the codes of databases and drivers mean, in one table. */
import { MachineAuthError } from '../../errors.ts'

/**
 * `transient` passes by itself; `exhausted` when somebody makes room; `permanent` when somebody changes a setting or a
 * right; `invalid` is what was asked for.
 */
export type FailureKind = 'transient' | 'exhausted' | 'permanent' | 'invalid'

export type FailureReason =
  | 'timeout'
  | 'lost'
  | 'locked'
  /** Of two transactions in each other's way this one was certainly undone. */
  | 'rolled_back'
  | 'read_only'
  | 'disk'
  | 'full'
  | 'prepared'
  | 'file'
  | 'unstorable'

export interface Failure {
  readonly kind: FailureKind
  readonly reason: FailureReason
}

/** A database that did not answer in the time of a verb. */
export class DatabaseTimeoutError extends Error {
  override readonly name = 'DatabaseTimeoutError'
  readonly code = 'DATABASE_TIMEOUT'
}

/**
 * SQLSTATEs, codes of SQLite and codes of drivers; the first row that matches counts. What no row names (a password that
 * is refused, a table that is missing) is a mistake that no caller can help: it is passed on as it came.
 */
const FAILURES: readonly (Failure & { readonly code: RegExp })[] = [
  // Ours; `statement_timeout` of the server; a connection that did not come about in time.
  {
    code: /^(DATABASE_TIMEOUT|57014|ERR_POSTGRES_CONNECTION_TIMEOUT|ETIMEDOUT|CONNECT_TIMEOUT)$/,
    kind: 'transient',
    reason: 'timeout',
  },
  // Classes of connections, and a server that ends or starts.
  { code: /^(08...|57P0[1-5])$/, kind: 'transient', reason: 'lost' },
  { code: /^ERR_POSTGRES_(CONNECTION|IDLE|LIFETIME)/, kind: 'transient', reason: 'lost' },
  {
    code: /^(ECONN|EPIPE|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|CONNECTION_)/,
    kind: 'transient',
    reason: 'lost',
  },
  { code: /^(40001|40P01)$/, kind: 'transient', reason: 'rolled_back' },
  { code: /^(55P03$|SQLITE_(BUSY|LOCKED))/, kind: 'transient', reason: 'locked' },
  // What was the primary takes no writes any more until the change to another one is over.
  { code: /^25006$/, kind: 'transient', reason: 'read_only' },
  { code: /^SQLITE_(IOERR|PROTOCOL)/, kind: 'transient', reason: 'disk' },
  // Too many connections, no memory, no disk.
  { code: /^(53...$|SQLITE_FULL)/, kind: 'exhausted', reason: 'full' },
  // A statement that another connection prepared, or has prepared already.
  { code: /^(26000|42P05)$/, kind: 'permanent', reason: 'prepared' },
  // Rights of a file, a file that was taken away, a limit of open files: nothing of it passes by itself.
  { code: /^SQLITE_(READONLY|CANTOPEN)/, kind: 'permanent', reason: 'file' },
  // Characters or numbers that PostgreSQL cannot store: NUL in text or JSON, integers beyond 64 bits.
  { code: /^(22021|22P05|22003)$/, kind: 'invalid', reason: 'unstorable' },
]
/** `bun:sqlite` has no code for it. */
const CLOSED = /^Cannot use a closed database/

/** Bun.SQL keeps the SQLSTATE in `errno`, everyone else in `code`. */
export function codesOf(error: unknown): readonly string[] {
  if (typeof error !== 'object' || error === null) return []
  const codes = [Reflect.get(error, 'errno'), Reflect.get(error, 'code')]
  return codes.filter((code) => typeof code === 'string')
}

/** Drizzle's wrappers, by their message: an app's database may come from another copy of drizzle-orm. */
const WRAPPER = /^Failed (query:|to run the query )/

/** The driver's own error: the wrappers carry the statement and its parameters in their message. */
export function driverError(error: unknown): unknown {
  let inner = error instanceof MachineAuthError && error.code === 'storage_unavailable' ? error.cause : error
  while (inner instanceof Error && WRAPPER.test(inner.message) && inner.cause != null) inner = inner.cause
  return inner
}

/** What failed, translated to a refusal or not; null for what is no failure of a database that is known here. */
export function failureOf(error: unknown): Failure | null {
  const cause = driverError(error)
  if (cause instanceof Error && CLOSED.test(cause.message)) return { kind: 'transient', reason: 'lost' }
  const codes = codesOf(cause)
  return FAILURES.find(({ code }) => codes.some((given) => code.test(given))) ?? null
}
