/** Looks at the journals of usage, and changes nothing. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import type { ResolvedOptions } from '../../options/resolved.ts'
import { JournalError, pathOf, requireWritable, sourceIdOf } from '../../recording/usage/journal/files.ts'
import { ABANDONED_AFTER } from '../../recording/usage/journal/leftover.ts'
import { NEWLINE } from '../../recording/usage/journal/lines.ts'
import { isGone } from '../../recording/usage/journal/owner.ts'
import { resolveJournalDirectory } from '../../recording/usage/journal/place.ts'
import { JournalReader, readHeader } from '../../recording/usage/journal/reader.ts'
import { START_OF_JOURNAL, type UsageCheckpoint } from '../../storage/ports/usage.ts'
import type { Storage } from '../../storage/ports.ts'
import type { JournalFact, JournalPart } from './facts.ts'

/** As far as journals were counted, by their names. */
export type Checkpoints = ReadonlyMap<string, UsageCheckpoint>

/** Where journals are, or would be; null when nothing is counted. */
export function directoryOf({ usage, database }: ResolvedOptions): string | null {
  return usage === false ? null : resolveJournalDirectory(usage.journal, database)
}

function journalsIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).flatMap((name) => sourceIdOf(name) ?? [])
  } catch {
    return []
  }
}

/** Asks the database how far each journal of a directory was counted. */
export async function readCheckpoints({ usage }: Storage, directory: string | null): Promise<Checkpoints> {
  const checkpoints = new Map<string, UsageCheckpoint>()
  for (const journal of directory === null ? [] : journalsIn(directory)) {
    checkpoints.set(journal, (await usage.checkpoint(journal)) ?? START_OF_JOURNAL)
  }
  return checkpoints
}

interface Uncounted {
  readonly bytes: number
  /** Whether its process ended, so that another one must count it. */
  readonly isLeft: boolean
}

/** Null for one that is gone, was counted or may not be read. */
function uncountedOf(path: string, checkpoint: UsageCheckpoint): Uncounted | null {
  try {
    const bytes = readFileSync(path)
    const header = readHeader(bytes)
    if (header === null || new JournalReader(bytes).read(checkpoint, bytes.length) === null) return null
    const isLeft = isGone(header.owner) || statSync(path).mtimeMs < Date.now() - ABANDONED_AFTER
    return { bytes: bytes.lastIndexOf(NEWLINE) + 1 - checkpoint.position, isLeft }
  } catch {
    return null
  }
}

function sumOf(parts: readonly Uncounted[]): JournalPart {
  return { files: parts.length, bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0) }
}

function unwritable(directory: string): JournalFact['unwritable'] {
  try {
    requireWritable(directory)
    return null
  } catch (error) {
    if (!(error instanceof JournalError)) throw error
    return { reason: error.reason, advice: error.advice }
  }
}

/** @param checkpoints empty where the database was not opened: then nothing is said of files */
export function inspectJournals(directory: string, checkpoints: Checkpoints, isKept: boolean): JournalFact {
  const uncounted = [...checkpoints].flatMap(
    ([journal, checkpoint]) => uncountedOf(pathOf(directory, journal), checkpoint) ?? [],
  )
  return {
    directory,
    isKept,
    unwritable: isKept ? unwritable(directory) : null,
    left: sumOf(uncounted.filter(({ isLeft }) => isLeft)),
    inUse: sumOf(uncounted.filter(({ isLeft }) => !isLeft)),
  }
}
