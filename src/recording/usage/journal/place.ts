/** Where journals are kept. */
import { resolve } from 'node:path'
import { parseDatabase } from '../../../options/database.ts'
import type { DatabaseOption } from '../../../options/types.ts'

const ELSEWHERE = '.machine-auth/usage'

/**
 * Where the options say; else beside the file of a SQLite database, or below the working directory.
 *
 * @returns an absolute path
 */
export function resolveJournalDirectory(given: string | null, database: DatabaseOption): string {
  if (given !== null) return resolve(given)
  const address = typeof database === 'string' ? parseDatabase(database) : null
  const isFile = address?.dialect === 'sqlite' && address.file !== ':memory:'
  return resolve(isFile ? `${address.file}.usage` : ELSEWHERE)
}
