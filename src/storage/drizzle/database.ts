import type { Listen } from '../listen.ts'
import type { Handle } from './handle.ts'
import type * as ledgerTables from './migrate/ledger.sqlite.ts'
import type { Calls } from './postgres-calls.ts'
import type * as tables from './schema.sqlite.ts'
import type { Step, Transaction } from './transaction.ts'

/** The channel of `pg_notify` by which processes tell each other of changes. */
export const CHANGES_CHANNEL = 'machine_auth_changes'

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
  /** Runs verbs where a database may be away; it knows the timeout. */
  readonly calls?: Calls
  /** Whether writes tell other processes of changes by `pg_notify`. */
  readonly notify?: boolean
  /** What a start that failed is rejected with, for whoever runs the app. */
  explain?(error: unknown): Promise<unknown>
  /** Hears `pg_notify` of others by a connection of its own; see `openStorage`. */
  readonly listen?: Listen
}

/** How PostgreSQL is connected to. */
export interface PostgresSettings {
  /** Connections at most. */
  readonly poolSize: number
  /** Whether statements are prepared by name; not behind a pooler. */
  readonly prepare: boolean
  /** Path of a PEM file with the certificates that sign the server's; null for those of the system. */
  readonly ca: string | null
}

export interface DatabaseSettings {
  readonly clock: () => number
  /** Milliseconds; see `Database.timeout`. */
  readonly timeout: number
  readonly postgres?: PostgresSettings
  readonly notify?: boolean
  /** Hears that PostgreSQL is away, and why, and that it is back. */
  readonly warn?: ((message: string) => void) | undefined
}

/** Makes a value at its first use: a statement can be prepared only once the tables exist. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
