import { existsSync } from 'node:fs'
import { is } from 'drizzle-orm'
import { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import { parseDatabase } from '../options/database.ts'
import type { DatabaseOption, SqliteHandle } from '../options/types.ts'
import { tellingChanges } from './drizzle/changes.ts'
import type { Database, DatabaseSettings, PostgresSettings } from './drizzle/database.ts'
import { translateError } from './drizzle/errors.ts'
import { listPending, migrate, requireMigrated } from './drizzle/migrate/runner.ts'
import { readMigrations } from './drizzle/migrate/shipped.ts'
import { attachSqlite, openSqlite } from './drizzle/sqlite.ts'
import { createStorage } from './drizzle/storage.ts'
import { withTimeout } from './drizzle/with-timeout.ts'
import type { Listen } from './listen.ts'
import type { Storage } from './ports.ts'
import type { ChangeRecord } from './records.ts'

export interface OpenOptions {
  /** `auto` applies pending migrations, `check` refuses to start with any. */
  readonly migrate: 'auto' | 'check'
  /** Epoch ms. */
  readonly clock?: () => number
  /** Milliseconds after which a verb gives up on a database that does not answer. Default `postgres.timeout`, or 10 000. */
  readonly timeout?: number
  /** As the options say it. Default: as behind a pooler, which is right everywhere and slower. */
  readonly postgres?: PostgresSettings & { readonly timeout: number }
  /** Whether writes tell other processes of changes by PostgreSQL's `pg_notify`. Default false. */
  readonly notify?: boolean
  /** Hears of each change once its transaction has committed; what it throws harms nothing. */
  readonly onCommitted?: (change: Pick<ChangeRecord, 'kind' | 'subject'>) => void
  /** ms that the start waits for PostgreSQL at most: a minute, or ten where it migrates. */
  readonly patience?: number
  /** Hears that PostgreSQL is away, and why, and that it is back: one line each. */
  readonly warn?: (message: string) => void
}

export interface OpenedStorage {
  readonly storage: Storage
  /** Resolves when it may be used: migrated, or checked to be. */
  readonly ready: Promise<void>
  /** Hears what `notify` tells, where there is a PostgreSQL by its URL; else null. */
  readonly listen: Listen | null
}

const TIMEOUT = 10_000

const isSqlite = (db: unknown): db is SqliteHandle => is(db, BaseSQLiteDatabase)

/** Synchronous `require`, so that opening stays synchronous and SQLite users never load PostgreSQL's modules. */
const loadPostgres = () => require('./drizzle/postgres.ts') as typeof import('./drizzle/postgres.ts')

/** A store that the app makes. */
type OwnStore = Extract<DatabaseOption, { readonly storage: unknown }>
/** A database of ours. */
type Connectable = Exclude<DatabaseOption, OwnStore>

function connect(option: Connectable, settings: DatabaseSettings): Database {
  if (typeof option === 'string') {
    const address = parseDatabase(option)
    return address.dialect === 'sqlite'
      ? openSqlite(address.file, settings)
      : loadPostgres().openPostgres(address.url, settings)
  }
  const { db } = option
  if (isSqlite(db)) return attachSqlite(db, settings)
  const { isPostgres, attachPostgres } = loadPostgres()
  if (isPostgres(db)) return attachPostgres(db, settings)
  throw new TypeError('database: { db } must be a Drizzle database on SQLite or PostgreSQL, as drizzle(…) returns it')
}

function isOwnStore(option: DatabaseOption): option is OwnStore {
  return typeof option === 'object' && 'storage' in option
}

/** What every store must have; what its verbs must do is said where they are declared. */
const PORTS = [
  ...['keys', 'organizations', 'users', 'roles', 'permissions', 'signingKeys', 'refreshFamilies', 'bearerTokens'],
  ...['sessions', 'audit', 'idempotency', 'blocks', 'quotas', 'loginAddresses', 'changes'],
  ...['usage', 'requestLog'],
] as const satisfies readonly (keyof Storage)[]

/** @throws TypeError naming the ports that are missing */
function requireStorage(store: Storage | null): Storage {
  const given: Partial<Storage> = store ?? {}
  const missing = PORTS.filter((port) => typeof given[port] !== 'object' || given[port] === null)
  if (store !== null && missing.length === 0) return store
  throw new TypeError(`database: { storage } must make a store with ${missing.join(', ')}`)
}

/** ms: a large table takes its time to be changed, and other processes wait for the one that does it. */
const START_PATIENCE: Readonly<Record<OpenOptions['migrate'], number>> = { auto: 600_000, check: 60_000 }

/** Nothing of a start is tried again: it ends in time, and says why. */
function inTime<T>({ dialect }: Database, work: () => Promise<T>, patience: number): Promise<T> {
  return dialect === 'postgres' ? withTimeout(work, patience) : work()
}

async function prepare(database: Database, mode: OpenOptions['migrate'], patience?: number): Promise<void> {
  const start = (): Promise<unknown> => (mode === 'auto' ? migrate(database) : requireMigrated(database))
  try {
    await inTime(database, start, patience ?? START_PATIENCE[mode])
    database.serve?.()
  } catch (error) {
    throw await explain(database, error)
  }
}

async function explain(database: Database, error: unknown): Promise<unknown> {
  return database.explain === undefined ? translateError(error) : database.explain(error)
}

/**
 * Opens the storage that the `database` option names.
 *
 * @returns the storage at once; it may be used when `ready` has resolved: migrated, or checked to be
 * @throws TypeError for a malformed option, or a store that lacks a port
 * @throws Error for a SQLite file that cannot be written
 * @example
 * const { storage, ready } = openStorage('sqlite:machine-auth.db', { migrate: 'auto' })
 * await ready
 */
export function openStorage(option: DatabaseOption, options: OpenOptions): OpenedStorage {
  if (isOwnStore(option)) return { storage: requireStorage(option.storage()), ready: Promise.resolve(), listen: null }
  const { migrate: mode, clock = Date.now, postgres, onCommitted, notify = false, warn } = options
  const timeout = options.timeout ?? postgres?.timeout ?? TIMEOUT
  const database = connect(option, { clock, timeout, notify, warn, ...(postgres && { postgres }) })
  const told = onCommitted === undefined ? database : tellingChanges(database, onCommitted)
  return {
    storage: createStorage(told),
    ready: prepare(database, mode, options.patience),
    listen: database.listen ?? null,
  }
}

/**
 * Names the migrations that opening with `migrate: 'auto'` would apply, oldest first; applies nothing and makes no file.
 *
 * @throws Error when the database was migrated by a newer version or with other files
 */
export async function listPendingMigrations(
  option: DatabaseOption,
  { postgres }: Pick<OpenOptions, 'postgres'> = {},
): Promise<readonly string[]> {
  if (typeof option === 'string') {
    const address = parseDatabase(option)
    if (address.dialect === 'sqlite' && !existsSync(address.file))
      return readMigrations('sqlite').map(({ name }) => name)
  }
  if (isOwnStore(option)) return []
  const timeout = postgres?.timeout ?? TIMEOUT
  const database = connect(option, { clock: Date.now, timeout, ...(postgres && { postgres }) })
  try {
    return await inTime(database, () => listPending(database), timeout)
  } catch (error) {
    throw await explain(database, error)
  } finally {
    await database.close()
  }
}
