/** Reads files of a directory in which others may have put anything. */
import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { USAGE_BOUNDS } from '../bounds.ts'
import type { Header } from './lines.ts'
import { readHeader } from './reader.ts'

/** Links are not followed, and a pipe that nobody writes to is not waited for. */
const CAREFULLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Bytes in which the first line ends. */
export const HEAD = 1024

export interface JournalFile {
  readonly header: Header
  /** Epoch ms, by the system's clock. */
  readonly modifiedAt: number
  /** Of the whole file, however much of it was read. */
  readonly size: number
  readonly bytes: Uint8Array
}

/** Whether a user may have written a journal of ours: this one, or the one whose directory it is. */
async function isTrusted(uid: number, path: string): Promise<boolean> {
  return process.getuid === undefined || uid === process.getuid() || uid === (await stat(dirname(path))).uid
}

async function readBytes(file: FileHandle, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const { bytesRead } = await file.read(bytes, 0, length, 0)
  return bytes.subarray(0, bytesRead)
}

async function readOpened(file: FileHandle, path: string, most: number): Promise<JournalFile | null> {
  const stats = await file.stat()
  const { size, mtimeMs: modifiedAt } = stats
  if (!stats.isFile() || size > USAGE_BOUNDS.segmentBytes || !(await isTrusted(stats.uid, path))) return null
  const bytes = await readBytes(file, Math.min(size, most))
  const header = readHeader(bytes)
  return header && { header, modifiedAt, size, bytes }
}

/**
 * Reads a file of a journal.
 *
 * @param most bytes that are read of it
 * @returns null for everything else: a link, a pipe, a larger file, one of another user, one that is gone
 */
export async function readJournalFile(path: string, most = USAGE_BOUNDS.segmentBytes): Promise<JournalFile | null> {
  try {
    const file = await open(path, CAREFULLY)
    try {
      return await readOpened(file, path, most)
    } finally {
      await file.close()
    }
  } catch {
    return null
  }
}
