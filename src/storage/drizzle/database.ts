import type { Handle } from './handle.ts'
import type * as ledgerTables from './migrate/ledger.sqlite.ts'
import type * as tables from './schema.sqlite.ts'
import type { Step, Transaction } from './transaction.ts'

/** One connected database, of either dialect. */
export interface Database {
  readonly dialect: 'sqlite' | 'postgres'
  readonly handle: Handle
  readonly tables: typeof tables
  readonly ledger: typeof ledgerTables
  /** Runs all of it or nothing; on SQLite the write lock is taken at the start. */
  readonly transaction: Transaction
  /** Whether transactions run on the connection of `handle`, one after another: what is prepared on it serves them, too. */
  readonly synchronous: boolean
  /** A statement without a query builder (a migration's). */
  raw(tx: Handle, text: string): Step
  tableExists(name: string): Promise<boolean>
  /** As `ChangeStore.version`. */
  version(): number | null
  /**
   * The same database by a connection of its own, for what may fail and be tried again but must not hold up the event
   * loop: it never waits for a lock. Absent where this connection does not, or the app's must serve.
   */
  readonly background?: Database
  /**
   * Called when it is migrated. From then on no call waits for a lock: on a synchronous driver that would hold up every
   * request. Verbs wait instead; see `lockPatience`.
   */
  serve?(): void
  /** Milliseconds that a verb waits, without holding anything up, for a lock that another process holds; 0 for none. */
  readonly lockPatience: number
  /** Closes what `open…` opened; does nothing to an app's own database. */
  close(): Promise<void>
  /** Epoch ms, for the verbs that are not told the time. */
  readonly clock: () => number
  /** Milliseconds after which a verb gives up on a database that does not answer; null where calls cannot hang. */
  readonly timeout: number | null
}

export interface DatabaseSettings {
  readonly clock: () => number
  /** Milliseconds; see `Database.timeout`. */
  readonly timeout: number
}

/** Makes a value at its first use: a statement can be prepared only once the tables exist. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
