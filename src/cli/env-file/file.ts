/** Reads and replaces a file that holds secrets. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { CommandError } from '../errors.ts'

function statOf(path: string): Stats | null {
  return lstatSync(path, { throwIfNoEntry: false }) ?? null
}

/** A link could lead into a place where others write, and renaming would replace the link, not the file. */
function requireOwnFile(path: string, stats: Stats): void {
  if (stats.isSymbolicLink()) {
    throw new CommandError(`${path} is a symbolic link: name the file that it leads to. Nothing was changed.`)
  }
  if (!stats.isFile()) throw new CommandError(`${path} is no regular file. Nothing was changed.`)
}

/**
 * Reads a file byte for byte, each byte one character.
 *
 * @returns null when there is none
 * @throws CommandError for a symbolic link, and for what is no regular file
 */
export function readBytes(path: string): string | null {
  const stats = statOf(path)
  if (stats === null) return null
  requireOwnFile(path, stats)
  return readFileSync(path, 'latin1')
}

function syncDirectory(path: string): void {
  try {
    const directory = openSync(path, constants.O_RDONLY)
    try {
      fsyncSync(directory)
    } finally {
      closeSync(directory)
    }
  } catch {
    // Some systems cannot; the file itself is written.
  }
}

/**
 * Replaces a file in one step, with mode 0600: whoever reads it sees the old or the new one, whole.
 *
 * @param before what `readBytes` answered; a file that changed since is left alone
 * @throws CommandError when it changed meanwhile
 */
export function replaceBytes(path: string, before: string | null, content: string): void {
  const draft = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  const stats = statOf(path)
  const file = openSync(draft, 'wx', 0o600)
  try {
    try {
      writeSync(file, Buffer.from(content, 'latin1'))
      // Written by root, it still belongs to the app.
      if (stats !== null && process.getuid?.() === 0) fchownSync(file, stats.uid, stats.gid)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (readBytes(path) !== before) throw new CommandError(`${path} was changed by another program. Try again.`)
    renameSync(draft, path)
  } catch (error) {
    unlinkSync(draft)
    throw error
  }
  syncDirectory(dirname(path))
}
