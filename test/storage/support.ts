import { Database } from 'bun:sqlite'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import type { DatabaseSettings } from '../../src/storage/drizzle/database.ts'
import { attachSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'

export const SETTINGS: DatabaseSettings = { clock: Date.now, timeout: 1000 }

/** Runs with a directory that is gone afterwards. */
export async function inDirectory(work: (directory: string) => Promise<unknown>): Promise<void> {
  const directory = createDatabaseDirectory('machine-auth')
  try {
    await work(directory)
  } finally {
    removeDirectory(directory)
  }
}

/** An attached database and its client. */
export function attach(file = ':memory:') {
  const client = new Database(file)
  return { client, database: attachSqlite(drizzle(client), SETTINGS) }
}

/** One value of one row. */
export function cellOf(client: Database, statement: string): unknown {
  return client.query<unknown[], []>(statement).values()[0]?.[0]
}
