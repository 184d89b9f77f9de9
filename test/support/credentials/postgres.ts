/** Looks through what a PostgreSQL database holds, before it is emptied or dropped. */
import { lookThroughText } from './report.ts'

const OUR_TABLES = "select tablename as name from pg_tables where tablename like 'machine\\_auth\\_%'"

/** Whoever can ask the database: `PGlite.query(…).rows`, or `unsafe` of Bun's driver. */
type Ask = (statement: string) => Promise<readonly unknown[]>

/** The name of a table, or a row of one as text; a row of any other shape is a mistake of this file. */
function textOf(row: unknown, column: string): string {
  const text = (row as Readonly<Record<string, unknown>>)[column]
  if (typeof text !== 'string') throw new TypeError(`no ${column} in a row`)
  return text
}

/** All columns of all tables of ours, in one pass. */
export async function lookThroughPostgres(place: string, ask: Ask): Promise<void> {
  const names = (await ask(OUR_TABLES)).map((row) => textOf(row, 'name'))
  if (names.length === 0) return
  const all = names.map((name) => `select each::text as row from ${name} each`).join(' union all ')
  const rows = (await ask(all)).map((row) => textOf(row, 'row'))
  lookThroughText(place, rows.join('\n'))
}
