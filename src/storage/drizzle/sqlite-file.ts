import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EEXIST: 'a part of the path is a file, not a directory',
  ENOENT: 'its directory cannot be made',
  SQLITE_READONLY: 'the file or its directory is read-only',
  SQLITE_CANTOPEN: 'it cannot be opened for writing',
  SQLITE_NOTADB: 'it is not a SQLite database',
  SQLITE_CORRUPT: 'the file is damaged',
  SQLITE_BUSY: 'another process keeps it locked',
}

/** Says what is wrong with the path and what to do about it. */
export function describeFileError(file: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const known = Object.keys(REASONS).find((name) => code === name || code.startsWith(`${name}_`))
  const reason = known === undefined ? 'it cannot be opened' : REASONS[known]
  const advice = 'Name a file that this process may write, for example MACHINE_AUTH_DATABASE=sqlite:./data/auth.db.'
  return new Error(
    `database: cannot use the SQLite file "${file}": ${reason}${code === '' ? '' : ` (${code})`}. ${advice}`,
    {
      cause: error,
    },
  )
}

/**
 * Makes the file, readable to its owner only, and its directory, where they do not exist. SQLite gives the files it
 * puts beside it (`-wal`, `-shm`) the same mode. An existing file keeps its mode.
 *
 * @throws Error that names the path and the reason when it cannot be written
 */
export function createSqliteFile(file: string): void {
  try {
    const directory = dirname(file)
    mkdirSync(directory, { recursive: true })
    // SQLite writes beside the file, too.
    accessSync(directory, constants.W_OK)
    // Opening for appending tells EISDIR, EACCES and EROFS apart, and changes nothing in a file that exists.
    closeSync(openSync(file, 'a', 0o600))
  } catch (error) {
    throw describeFileError(file, error)
  }
}
