/** A migrated SQLite database to copy: applying every migration anew takes a third of the start of a test app. */
import { Database } from 'bun:sqlite'
import { writeFileSync } from 'node:fs'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openStorage } from '../../src/storage/open.ts'
import { setDatabaseImage } from './credentials/report.ts'

async function createImage(): Promise<Uint8Array> {
  using client = new Database(':memory:')
  await openStorage({ db: drizzle(client) }, { migrate: 'auto' }).ready
  return client.serialize()
}

const IMAGE = await createImage()
setDatabaseImage(IMAGE)

/** A database of its own in memory, migrated and empty. */
export function openMigrated(): Database {
  return Database.deserialize(IMAGE)
}

/** Makes a database file, migrated and empty. */
export function writeMigrated(file: string): void {
  writeFileSync(file, IMAGE, { mode: 0o600, flag: 'wx' })
}
