/** The files of journals: made whole before they are used, so that a full disk is an error then, and no crash later. */
import { accessSync, closeSync, constants, mkdirSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const ENDING = '.journal'
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700

/** Real zeros: a hole in a file has no place on the disk yet. */
const ZEROS = new Uint8Array(262_144)

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EEXIST: 'a part of the path is a file, not a directory',
}

const FULL = new Set(['ENOSPC', 'EDQUOT'])

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** A journal cannot be kept where it should be. */
export class JournalError extends Error {
  override readonly name = 'JournalError'
  readonly reason: string
  /** What to do about it. */
  readonly advice: string

  constructor(directory: string, cause: unknown) {
    const code = codeOf(cause)
    const reason = `${REASONS[code] ?? 'it cannot be used'}${code === '' ? '' : ` (${code})`}`
    const place = FULL.has(code)
      ? 'Make room there, or name another directory'
      : 'Name a directory that this process may write'
    const advice = `${place} as usage.journal, or choose usage.durability: 'buffered'.`
    super(`usage: cannot keep the journal in "${directory}": ${reason}. ${advice}`, { cause })
    this.reason = reason
    this.advice = advice
  }
}

/**
 * Looks whether journals can be written, and makes nothing: a process that counts nothing leaves nothing.
 *
 * @throws JournalError that names the directory and the reason
 */
export function requireWritable(directory: string): void {
  for (let place = directory; ; place = dirname(place)) {
    try {
      // The dot asks for a directory: a file in its place is told here.
      accessSync(`${place}/.`, constants.W_OK | constants.X_OK)
      return
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || dirname(place) === place) throw new JournalError(directory, error)
    }
  }
}

export function pathOf(directory: string, sourceId: string): string {
  return join(directory, `${sourceId}${ENDING}`)
}

/** The source that a file's name says; null for a file that is no journal. */
export function sourceIdOf(name: string): string | null {
  const sourceId = name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : ''
  return /^[0-9A-Za-z]{1,64}$/.test(sourceId) ? sourceId : null
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** First of all a line: a process that is killed while it fills the file leaves one that says whose it was. */
function beginFile(path: string, head: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE })
  const file = openSync(path, 'wx', FILE_MODE)
  try {
    return writeSync(file, head)
  } catch (error) {
    removeFile(path)
    throw error
  } finally {
    closeSync(file)
  }
}

/**
 * Makes a file of zeros behind a first line, while everything waits. What was made of it is deleted when that fails.
 *
 * @param size bytes in all
 */
export function createFileNow(path: string, head: string, size: number): void {
  let left = size - beginFile(path, head)
  try {
    const file = openSync(path, 'a')
    try {
      while (left > 0) left -= writeSync(file, ZEROS, 0, Math.min(left, ZEROS.length))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    removeFile(path)
    throw error
  }
}

/** The same, while others have their turn. */
export async function createFile(path: string, head: string, size: number): Promise<void> {
  let left = size - beginFile(path, head)
  try {
    const file = await open(path, 'a')
    try {
      while (left > 0) left -= (await file.write(ZEROS, 0, Math.min(left, ZEROS.length))).bytesWritten
    } finally {
      await file.close()
    }
  } catch (error) {
    removeFile(path)
    throw error
  }
}
