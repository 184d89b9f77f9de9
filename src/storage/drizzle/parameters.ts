/** Named values of statements that are prepared once. */
import { type SQL, sql } from 'drizzle-orm'

/**
 * A text that a column must equal in a statement of several tables. In a cast, because SQLite compiles such a statement
 * anew for each value of a bare parameter, which takes ten times as long as running it.
 */
export function textParameter(name: string): SQL {
  return sql`cast(${sql.placeholder(name)} as text)`
}

/** An integer: some drivers (libSQL) send every number as a real, whose division does not truncate. */
export function wholeParameter(name: string): SQL {
  return sql`cast(${sql.placeholder(name)} as bigint)`
}
