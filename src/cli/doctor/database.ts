/** Looks at the database without changing it. */
import { existsSync } from 'node:fs'
import { kindOfDatabase } from '../../options/database.ts'
import type { ResolvedOptions } from '../../options/resolved.ts'
import { AuditMacs } from '../../recording/audit/macs.ts'
import { DatabaseStartError } from '../../storage/drizzle/postgres-start-error.ts'
import { troubleOf } from '../../storage/drizzle/postgres-troubles.ts'
import { listPendingMigrations, openStorage } from '../../storage/open.ts'
import type { Storage } from '../../storage/ports.ts'
import type { DatabaseFact } from './facts.ts'
import { directoryOf, readCheckpoints } from './journal.ts'
import { findLost } from './lost.ts'

/** ms. */
const PATIENCE = 5000

async function newestOf({ keys, users, organizations, audit }: Storage, now: number): Promise<number | null> {
  const page = { limit: 1 }
  const lists = await Promise.all([keys.list({}, page, now), users.list({}, page), organizations.list({}, page)])
  const made = lists.flatMap(({ items }) => items.map(({ createdAt }) => createdAt))
  const written = (await audit.list({}, page)).items.map(({ at }) => at)
  const times = [...made, ...written]
  return times.length === 0 ? null : Math.max(...times)
}

/** Of the newest event's mark only: going through the log takes as long as the log is. */
async function isAuditUnknown({ audit }: Storage, { secrets }: ResolvedOptions): Promise<boolean> {
  const head = await audit.findMark('head')
  return head !== null && new AuditMacs(secrets).checkMark('head', head) === 'unknown'
}

async function look(options: ResolvedOptions, now: number): Promise<DatabaseFact> {
  const { database, postgres } = options
  const migrations = await listPendingMigrations(database, { postgres })
  if (migrations.length > 0) return { kind: 'pending', migrations }
  const { storage, ready } = openStorage(database, { migrate: 'check', timeout: PATIENCE, postgres })
  try {
    await ready
    await storage.ping()
    return {
      kind: 'open',
      lost: await findLost(storage, options, now),
      newestAt: await newestOf(storage, now),
      isAuditUnknown: await isAuditUnknown(storage, options),
      checkpoints: await readCheckpoints(storage, directoryOf(options)),
    }
  } finally {
    await storage.close()
  }
}

/**
 * @param file of a SQLite database of ours, which looking would make; null for any other database
 * @param now ms
 */
export async function inspectDatabase(
  options: ResolvedOptions,
  file: string | null,
  now: number,
): Promise<DatabaseFact> {
  if (file !== null && !existsSync(file)) return { kind: 'missing' }
  try {
    return await look(options, now)
  } catch (error) {
    if (error instanceof DatabaseStartError) return { kind: 'broken', reason: error.summary, trouble: error.trouble }
    const trouble = kindOfDatabase(options.database) === 'postgres' ? troubleOf(error) : null
    return { kind: 'broken', reason: error instanceof Error ? error.message : String(error), trouble }
  }
}
