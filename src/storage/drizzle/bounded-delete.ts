import { type Column, type SQL, sql } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Database } from './database.ts'

/** Answers what deletes at most `limit` rows of a table for which a condition holds, the lowest `by` first, and counts them. */
export function createBoundedDelete({ handle, dialect }: Database) {
  // Where a row lies: what each dialect finds it by fastest, whatever its key is.
  const place = sql.raw(dialect === 'sqlite' ? 'rowid' : 'ctid')
  const isAmong = (rows: SQL) =>
    dialect === 'sqlite' ? sql`${place} in (${rows})` : sql`${place} = any(array(${rows}))`

  return async (table: SQLiteTable, by: Column, condition: SQL | undefined, limit: number): Promise<number> => {
    const rows = sql`select ${place} from ${table} where ${condition} order by ${by} limit ${limit}`
    const deleted = await handle.delete(table).where(isAmong(rows)).returning({ one: sql`1` })
    return deleted.length
  }
}
