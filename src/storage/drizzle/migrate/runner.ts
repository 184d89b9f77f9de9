/** Applies the shipped migrations: one process at a time, each in a transaction, each recorded with its hash. */
import type { Database } from '../database.ts'
import { isLocked, storageUnavailable } from '../errors.ts'
import { requireAppSchema } from './app-schema.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { type Migration, readMigrations } from './shipped.ts'

export interface MigrateOptions {
  /** Instead of the shipped ones. */
  readonly migrations?: readonly Migration[]
  /** Epoch ms. */
  readonly clock?: () => number
  readonly sleep?: (ms: number) => Promise<void>
  /** Milliseconds to wait for another process that is migrating. */
  readonly patience?: number
  /** Milliseconds after which a lease whose holder died may be taken; each migration renews it. */
  readonly leaseTime?: number
}

const POLL = 100

/** What is left to apply of `migrations`, after checking that what was applied is what they say. */
async function findPending(
  database: Database,
  ledger: Ledger,
  migrations: readonly Migration[],
): Promise<readonly Migration[]> {
  // In this order: a migration commits its tables and its record together, so tables without a record are the app's.
  const hasTables = await database.tableExists('machine_auth_api_keys')
  const applied = await ledger.applied()
  if (hasTables && applied.length === 0) {
    await requireAppSchema(database)
    return []
  }
  for (const [position, { name, hash }] of applied.entries()) {
    const shipped = migrations[position]
    if (shipped === undefined) {
      throw new Error(
        `The database has the migration ${name}, which this version of elysia-machine-auth does not know: ` +
          'it was migrated by a newer version. Start that version, or restore a backup from before it.',
      )
    }
    if (shipped.name !== name || shipped.hash !== hash) {
      throw new Error(
        `The migration ${name} in the database is not the ${shipped.name} that this version ships (their hashes ` +
          'differ). Nothing was changed. Reinstall the package; if the files were edited on purpose, undo that.',
      )
    }
  }
  return migrations.slice(applied.length)
}

/**
 * Names the migrations that `migrate` would apply, oldest first; changes nothing.
 *
 * @throws Error when the database was migrated by a newer version or with other files
 */
export async function listPending(
  database: Database,
  migrations: readonly Migration[] = readMigrations(database.dialect),
): Promise<readonly string[]> {
  return (await findPending(database, createLedger(database), migrations)).map(({ name }) => name)
}

/**
 * Verifies that nothing is left to migrate; changes nothing.
 *
 * @throws Error that names the pending migrations and the command that applies them
 */
export async function requireMigrated(database: Database, migrations?: readonly Migration[]): Promise<void> {
  const pending = await listPending(database, migrations)
  if (pending.length === 0) return
  throw new Error(
    `The database lacks ${pending.length === 1 ? 'a migration' : `${pending.length} migrations`}: ` +
      `${pending.join(', ')}. Start once with migrate: 'auto' to apply them.`,
  )
}

/** Takes the lease; a SQLite file that another process keeps locked counts as a lease that is held. */
async function tryAcquire(ledger: Ledger, holder: string, now: number, expiresAt: number): Promise<boolean> {
  try {
    await ledger.create()
    return await ledger.acquire(holder, now, expiresAt)
  } catch (error) {
    if (isLocked(error)) return false
    throw error
  }
}

/**
 * Applies what is pending; of processes starting at once one migrates, the others wait for it.
 *
 * @returns the names this call applied, oldest first
 * @throws MachineAuthError `storage_unavailable` when another process did not finish within `patience`
 * @throws Error when the database was migrated by a newer version or with other files
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<readonly string[]> {
  const { clock = Date.now, sleep = Bun.sleep, patience = 60_000, leaseTime = 30_000 } = options
  const migrations = options.migrations ?? readMigrations(database.dialect)
  const ledger = createLedger(database)
  const holder = crypto.randomUUID()
  const deadline = clock() + patience
  const applied: string[] = []

  for (;;) {
    const pending = await findPending(database, ledger, migrations)
    if (pending.length === 0) return applied
    if (await tryAcquire(ledger, holder, clock(), clock() + leaseTime)) {
      try {
        // Read again: the holder before may have applied some.
        for (const migration of await findPending(database, ledger, migrations)) {
          const position = migrations.indexOf(migration)
          // Lost to a process that thought this one dead: back to waiting for it.
          if (!(await ledger.apply(migration, position, holder, clock(), clock() + leaseTime))) break
          applied.push(migration.name)
        }
      } finally {
        await ledger.release(holder)
      }
    } else if (clock() < deadline) {
      await sleep(POLL)
    } else {
      throw storageUnavailable(
        `Another process has been migrating this database for ${Math.round(patience / 1000)} s: look at its log.`,
      )
    }
  }
}
