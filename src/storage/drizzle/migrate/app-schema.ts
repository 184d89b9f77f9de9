import { getTableColumns, getTableName, sql } from 'drizzle-orm'
import { MachineAuthError } from '../../../errors.ts'
import type { Database } from '../database.ts'
import { translateError } from '../errors.ts'

/**
 * Verifies tables that an app's own migrations made from the exported schema: every column is there. Does not look
 * at indexes.
 *
 * @throws Error that names the table to migrate
 */
export async function requireAppSchema({ handle, tables, dialect }: Database): Promise<void> {
  for (const table of Object.values(tables)) {
    try {
      // Joined, so that columns are qualified: SQLite reads an unknown "column" alone as a text.
      await handle
        .select({ row: getTableColumns(table) })
        .from(sql`(select 1) as one`)
        .leftJoin(table, sql`1 = 0`)
    } catch (error) {
      const cause = translateError(error)
      if (cause instanceof MachineAuthError) throw cause
      throw new Error(
        `The table ${getTableName(table)}, made by the app's own migrations, is not as this version needs it: ` +
          `generate a migration from the schema of elysia-machine-auth/schema/${dialect} and apply it.`,
        { cause },
      )
    }
  }
}
