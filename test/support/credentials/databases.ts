/** Looks through every SQLite database of the process when it is closed. */
import { Database } from 'bun:sqlite'
import { existsSync, readFileSync } from 'node:fs'
import { mayHoldCredentials } from './exempt.ts'
import { lookThrough } from './report.ts'

const seen = new WeakSet<Database>()

function lookThroughDatabase(client: Database): void {
  const { filename } = client
  if (filename === ':memory:' || filename === '') {
    lookThrough('a database in memory', client.serialize())
    return
  }
  // The file itself is looked through with its directory; what is in its journal now is gone by then.
  const journal = `${filename}-wal`
  if (existsSync(journal)) lookThrough(journal, readFileSync(journal))
}

/** To be called once. */
export function watchDatabases(): void {
  const { close } = Database.prototype
  Database.prototype.close = function lookAndClose(...input) {
    if (!seen.has(this) && !mayHoldCredentials(this)) {
      seen.add(this)
      lookThroughDatabase(this)
    }
    return close.apply(this, input)
  }
}
