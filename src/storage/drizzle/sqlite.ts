import { Database as Client } from 'bun:sqlite'
import { and, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'
import type { SqliteHandle } from '../../options/types.ts'
import type { Database, DatabaseSettings } from './database.ts'
import { isLocked } from './errors.ts'
import type { Handle } from './handle.ts'
import * as ledger from './migrate/ledger.sqlite.ts'
import * as tables from './schema.sqlite.ts'
import { createSqliteFile, describeFileError } from './sqlite-file.ts'
import { createQueue, runAsync, runSync, type Transaction } from './transaction.ts'

/**
 * Bytes of the file that are read where the system keeps them, without a call for each page: a look-up among 100,000 keys
 * or more takes a quarter less. A larger `cache_size` adds nothing to that.
 */
const MAPPED = 1024 ** 3

/**
 * `busy_timeout` (milliseconds to wait for another process's lock) comes first, because changing the journal takes a
 * lock; it is for opening and migrating. `synchronous=FULL`: a revocation that was answered survives a power cut.
 */
const PRAGMAS = ['busy_timeout=5000', 'journal_mode=WAL', 'synchronous=FULL', 'foreign_keys=ON', `mmap_size=${MAPPED}`]

/**
 * Of what is recorded on the side. A call is synchronous, so waiting for a lock would hold up every request; a locked
 * file is a failure that its callers try again after. `synchronous=NORMAL` leaves it to the next checkpoint or commit of
 * the other connection to reach the disk: a power cut may take the last of it, which costs no revocation.
 *
 * The two connections never lock each other out: a transaction of either begins and ends within one call.
 */
const BACKGROUND_PRAGMAS = ['busy_timeout=0', 'synchronous=NORMAL']

/** ms that a verb waits for a lock once requests are served, as `busy_timeout` did before. */
const LOCK_PATIENCE = 5000

/** ms that one who opens a file waits for others who do, in steps of `BUSY_PAUSE`. */
const BUSY_PATIENCE = 5000
const BUSY_PAUSE = 10

/**
 * Of processes that turn a new file to WAL at the same moment SQLite refuses some at once: two who wait for each other
 * would wait for ever, so `busy_timeout` does not count there.
 */
function prepareClient(client: Client, pragmas: readonly string[]): void {
  for (let waited = 0; ; waited += BUSY_PAUSE) {
    try {
      for (const pragma of pragmas) client.run(`PRAGMA ${pragma}`)
      return
    } catch (error) {
      if (!isLocked(error) || waited >= BUSY_PATIENCE) throw error
      Bun.sleepSync(BUSY_PAUSE)
    }
  }
}

function createTransaction(handle: Handle, synchronous: boolean): Transaction {
  const behavior = 'immediate'
  if (synchronous) {
    // The other reading of `Handle`: of this driver we know that it is synchronous.
    const sync = handle as unknown as BaseSQLiteDatabase<'sync', unknown>
    return async (body) => sync.transaction((tx) => runSync(body(tx as unknown as Handle)), { behavior })
  }
  const queued = createQueue()
  return (body) => queued(() => handle.transaction((tx) => runAsync(body(tx as unknown as Handle)), { behavior }))
}

/**
 * Takes an app's own Drizzle database on SQLite, synchronous or not, and leaves its pragmas and its life alone.
 */
export function attachSqlite(db: SqliteHandle, { clock, timeout }: DatabaseSettings): Database {
  const handle: Handle = db as unknown as Handle
  // Drizzle keeps this private, but nothing else tells whether `transaction` may be given an async callback.
  const synchronous = Reflect.get(db, 'resultKind') === 'sync'
  const master = sql`sqlite_master`

  return {
    dialect: 'sqlite',
    handle,
    tables,
    ledger,
    transaction: createTransaction(handle, synchronous),
    synchronous,
    raw: (tx, text) => () => tx.run(sql.raw(text)),
    async tableExists(name) {
      const isTable = and(eq(sql`type`, 'table'), eq(sql`name`, name))
      const found = await handle.select({ name: sql<string>`name` }).from(master).where(isTable)
      return found.length > 0
    },
    // `data_version` is blind to what this very connection writes, and an app may write or share it elsewhere.
    version: () => null,
    close: async () => undefined,
    clock,
    timeout: synchronous ? null : timeout,
    lockPatience: 0,
  }
}

/** Opens a connection of our own and says what is wrong with the file when it cannot. */
function connect(file: string, pragmas: readonly string[]): Client {
  let client: Client | undefined
  try {
    client = new Client(file, { create: true, readwrite: true })
    prepareClient(client, pragmas)
    return client
  } catch (error) {
    client?.close()
    throw describeFileError(file, error)
  }
}

/**
 * Opens a SQLite file of our own, made with mode 0600 where there is none, or memory.
 *
 * @param file an absolute path, or `:memory:`
 * @throws Error that names the path and what to change when it cannot be written
 */
export function openSqlite(file: string, settings: DatabaseSettings): Database {
  if (file !== ':memory:') createSqliteFile(file)
  const opened = connect(file, PRAGMAS)
  // Memory is of one connection.
  const second = file === ':memory:' ? null : connect(file, BACKGROUND_PRAGMAS)
  const version = opened.query<{ data_version: number }, []>('PRAGMA data_version')
  let isOpen = true
  return {
    ...attachSqlite(drizzle(opened), settings),
    ...(second && {
      background: attachSqlite(drizzle(second), settings),
      lockPatience: LOCK_PATIENCE,
      serve: () => opened.run('PRAGMA busy_timeout=0'),
    }),
    version: () => (isOpen ? (version.get()?.data_version ?? null) : null),
    async close() {
      if (!isOpen) return
      isOpen = false
      second?.close()
      // SQLite keeps a closed file until its statements are collected: leave nothing in the journal meanwhile.
      opened.run('PRAGMA wal_checkpoint(TRUNCATE)')
      opened.close()
    },
  }
}
