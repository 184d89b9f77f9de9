import type { BaseSQLiteDatabase } from 'drizzle-orm/sqlite-core'

/**
 * The handle every repository is written against. `async` is the safe reading: awaiting a synchronous driver's
 * answer is harmless.
 *
 * On PostgreSQL it is a cast (in `postgres.ts`, nowhere else), and so are the tables. That holds because the
 * repositories use only what both query builders share (select, insert, update, delete, joins, `returning`,
 * `onConflict…`, `prepare().execute()`), `schema.pins.ts` holds the row types together, and one contract suite runs
 * against both. `all`, `get` and `run` exist on SQLite only: repositories do not use them.
 */
export type Handle = BaseSQLiteDatabase<'async', unknown>
