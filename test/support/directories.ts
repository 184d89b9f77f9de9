/** Directories of a test's own. */
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** In memory where the system has such a place: there SQLite does not wait for a disk at each commit. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Makes a directory for database files. Whoever makes it removes it. */
export function createDatabaseDirectory(name: string): string {
  return mkdtempSync(join(PLACE, `${name}-`))
}
