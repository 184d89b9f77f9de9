/** Where journals are kept, when nobody says. */
import { resolve } from 'node:path'
import { parseDatabase } from '../../../options/database.ts'
import type { DatabaseOption } from '../../../options/types.ts'

const ELSEWHERE = '.machine-auth/usage'

/**
 * Beside the file of a SQLite database, else below the working directory.
 *
 * @returns an absolute path
 */
export function journalDirectory(database: DatabaseOption): string {
  const address = typeof database === 'string' ? parseDatabase(database) : null
  const isFile = address?.dialect === 'sqlite' && address.file !== ':memory:'
  return resolve(isFile ? `${address.file}.usage` : ELSEWHERE)
}
