/** A secret is made up for a new database only: what another one made cannot be read with it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { kindOfDatabase } from '../options/database.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import { SECRET_FILE } from '../options/secret-file.ts'
import { readMigrations } from '../storage/drizzle/migrate/shipped.ts'
import { listPendingMigrations, openStorage } from '../storage/open.ts'
import { CommandError } from './errors.ts'
import { databaseOf, sourceOfOption } from './given-options.ts'
import type { GlobalSettings } from './settings.ts'
import type { CliIo } from './terminal/io.ts'

/** ms. */
const PATIENCE = 5000

/** Whether anything is in a database; opening one of SQLite makes its file. */
export async function isUsed({ database, postgres }: Pick<ResolvedOptions, 'database' | 'postgres'>): Promise<boolean> {
  const kind = kindOfDatabase(database)
  if (kind !== 'sqlite' && kind !== 'postgres') return false
  const pending = await listPendingMigrations(database, { postgres })
  // An older version made it.
  if (pending.length > 0) return pending.length < readMigrations(kind).length
  const { storage, ready } = openStorage(database, { migrate: 'check', timeout: PATIENCE, postgres })
  try {
    await ready
    const [page, now] = [{ limit: 1 }, 0]
    const { keys, users, audit } = storage
    const found = await Promise.all([keys.list({}, page, now), users.list({}, page), audit.list({}, page)])
    return found.some(({ items }) => items.length > 0)
  } finally {
    await storage.close()
  }
}

/**
 * Keeps a command from making up a secret where one is missing.
 *
 * @throws CommandError when the database has rows, and no secret is given for them
 * @throws OptionsError with one line per mistake
 */
export async function requireKnownSecret(io: CliIo, globals: GlobalSettings): Promise<void> {
  const file = join(io.cwd, SECRET_FILE)
  if (sourceOfOption(io, 'secret') !== null || existsSync(file)) return
  const given = databaseOf(io, globals)
  // For others no secret is made up that outlives the process.
  if (kindOfDatabase(given.database) !== 'sqlite' || !(await isUsed(given))) return
  throw new CommandError(
    `The database is in use, and its secret is not given: there is none in ${file}. Set MACHINE_AUTH_SECRET, or run this in the directory of the app.`,
  )
}
