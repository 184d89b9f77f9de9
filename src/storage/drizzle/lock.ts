import { sql } from 'drizzle-orm'
import type { Database } from './database.ts'
import type { Handle } from './handle.ts'
import type { Steps } from './transaction.ts'

/**
 * The step of a transaction that lets one at a time of those that name the same on, until it ends: on PostgreSQL two
 * transactions do not see each other's new rows. On SQLite the write lock is held already.
 *
 * The lock is the transaction's and not the connection's, so that it holds behind a pooler.
 */
export function* lockUntilEnd({ dialect }: Pick<Database, 'dialect'>, tx: Handle, name: string): Steps<void> {
  if (dialect === 'sqlite') return
  yield tx.select({ locked: sql`pg_advisory_xact_lock(hashtextextended(${name}, 0))` }).from(sql`(select 1) as one`)
}
