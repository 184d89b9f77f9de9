/** Everything PostgreSQL: loaded only by those who use it. */
import { is, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sql'
import { PgDatabase } from 'drizzle-orm/pg-core'
import type { PostgresHandle } from '../../options/types.ts'
import type { Database, DatabaseSettings, PostgresSettings } from './database.ts'
import type { Handle } from './handle.ts'
import * as ledger from './migrate/ledger.postgres.ts'
import { PostgresCalls } from './postgres-calls.ts'
import { createOutageTeller } from './postgres-outage.ts'
import { createPostgresPool } from './postgres-pool.ts'
import { explainStart } from './postgres-start-error.ts'
import * as tables from './schema.postgres.ts'
import { runAsync } from './transaction.ts'

/** For commands that do little and were not told: right also behind a pooler. */
const DEFAULTS: PostgresSettings = { poolSize: 10, prepare: false, ca: null }

export function isPostgres(db: unknown): db is PostgresHandle {
  return is(db, PgDatabase)
}

/** What is known of a database that is opened by its URL. */
interface Own {
  readonly url: string
  /** See `PostgresCallsOptions`. */
  readonly onStuck: () => void
}

/**
 * Takes an app's own Drizzle database on PostgreSQL and leaves its settings and its life alone.
 *
 * @param own undefined for one of the app
 */
export function attachPostgres(db: PostgresHandle, settings: DatabaseSettings, own?: Own): Database {
  const { clock, timeout, notify = false, postgres = DEFAULTS, warn } = settings
  const url = own?.url ?? null
  // The one cast that lets repositories be written once; `Handle` says why it holds.
  const handle = db as unknown as Handle
  const one = sql`(select 1) as one`

  return {
    dialect: 'postgres',
    handle,
    tables: tables as unknown as Database['tables'],
    ledger: ledger as unknown as Database['ledger'],
    transaction: (body) => db.transaction((tx) => runAsync(body(tx as unknown as Handle))),
    synchronous: false,
    raw: (tx, text) => () => (tx as unknown as PostgresHandle).execute(sql.raw(text)),
    async tableExists(name) {
      const [row] = await handle.select({ found: sql<boolean>`to_regclass(${name}) is not null` }).from(one)
      return row?.found === true
    },
    version: () => null,
    close: async () => undefined,
    clock,
    timeout,
    lockPatience: 0,
    calls: new PostgresCalls({
      timeout,
      reports: Math.max(1, Math.floor(postgres.poolSize / 2)),
      onStuck: own?.onStuck,
      onCircuit: warn && createOutageTeller(url, warn),
    }),
    notify,
    explain: (error) => explainStart(error, url),
  }
}

/** Opens a pool of our own on `postgres://…` through Bun's driver. */
export function openPostgres(url: string, settings: DatabaseSettings): Database {
  const { client, renew, listen, close } = createPostgresPool(url, settings.postgres ?? DEFAULTS, settings.timeout)
  return { ...attachPostgres(drizzle({ client }), settings, { url, onStuck: renew }), listen, close }
}
