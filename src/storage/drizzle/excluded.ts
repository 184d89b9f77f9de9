import { type Column, type SQL, sql } from 'drizzle-orm'

/** The value that an insert brought along, inside its own `onConflictDoUpdate`. */
export function excluded(column: Column): SQL {
  return sql`excluded.${sql.identifier(column.name)}`
}
