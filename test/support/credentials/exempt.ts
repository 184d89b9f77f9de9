/** Places that may hold credentials: for tests of the option that is named for this danger. */
import type { Database } from 'bun:sqlite'

const databases = new WeakSet<Database>()
const directories: string[] = []

/**
 * Lets a database in memory, or everything below a directory, hold credentials.
 *
 * @param reason why they belong there
 */
export function letHoldCredentials(place: Database | string, reason: string): void {
  if (reason === '') throw new TypeError('Say why')
  if (typeof place === 'string') directories.push(`${place}/`)
  else databases.add(place)
}

export function mayHoldCredentials(place: Database | string): boolean {
  if (typeof place === 'string') return directories.some((directory) => place.startsWith(directory))
  return databases.has(place) || mayHoldCredentials(place.filename)
}
