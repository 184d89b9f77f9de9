/** Looks at the database without changing it. */
import { existsSync } from 'node:fs'
import { createSecretHasher } from '../../authentication/hasher.ts'
import type { ResolvedOptions } from '../../options/types.ts'
import { listPendingMigrations, openStorage } from '../../storage/open.ts'
import type { Storage } from '../../storage/ports.ts'
import type { DatabaseFact } from './facts.ts'

/** ms. */
const PATIENCE = 5000

async function newestOf({ keys, users, organizations, audit }: Storage): Promise<number | null> {
  const page = { limit: 1 }
  const lists = await Promise.all([keys.list({}, page, Date.now()), users.list({}, page), organizations.list({}, page)])
  const made = lists.flatMap(({ items }) => items.map(({ createdAt }) => createdAt))
  const written = (await audit.list({}, page)).items.map(({ at }) => at)
  const times = [...made, ...written]
  return times.length === 0 ? null : Math.max(...times)
}

/** How many rows no secret opens any more. */
async function countLost({ keys, bearerTokens }: Storage, secrets: readonly string[]): Promise<number> {
  const known = (purpose: 'api-key-pepper' | 'bearer-token-pepper') => createSecretHasher(secrets, purpose).known
  return (
    (await keys.countUnknownPeppers(known('api-key-pepper'))) +
    (await bearerTokens.countUnknownPeppers(known('bearer-token-pepper')))
  )
}

async function look(options: ResolvedOptions): Promise<DatabaseFact> {
  const { database, secrets } = options
  const migrations = await listPendingMigrations(database)
  if (migrations.length > 0) return { kind: 'pending', migrations }
  const { storage, ready } = openStorage(database, { migrate: 'check', timeout: PATIENCE })
  try {
    await ready
    await storage.ping()
    return { kind: 'open', lost: await countLost(storage, secrets), newestAt: await newestOf(storage) }
  } finally {
    await storage.close()
  }
}

/** @param file of a SQLite database of ours, which looking would make; null for any other database */
export async function inspectDatabase(options: ResolvedOptions, file: string | null): Promise<DatabaseFact> {
  if (file !== null && !existsSync(file)) return { kind: 'missing' }
  try {
    return await look(options)
  } catch (error) {
    return { kind: 'broken', reason: error instanceof Error ? error.message : String(error) }
  }
}
