/** Looks at the journals of usage, and changes nothing. */
import { readdirSync } from 'node:fs'
import type { ResolvedOptions } from '../../options/resolved.ts'
import { readDatabaseId } from '../../recording/usage/journal/database-id.ts'
import { JournalError, pathOf, requireWritable, sourceIdOf } from '../../recording/usage/journal/files.ts'
import { HEAD, readJournalFile } from '../../recording/usage/journal/journal-file.ts'
import { ABANDONED_AFTER } from '../../recording/usage/journal/leftover.ts'
import { NEWLINE } from '../../recording/usage/journal/lines.ts'
import { isGone } from '../../recording/usage/journal/owner.ts'
import { resolveJournalDirectory } from '../../recording/usage/journal/place.ts'
import { JournalReader } from '../../recording/usage/journal/reader.ts'
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

/** Asks the database how far each of its journals in a directory was counted. */
export async function readCheckpoints({ usage }: Storage, directory: string | null): Promise<Checkpoints> {
  const checkpoints = new Map<string, UsageCheckpoint>()
  const database = directory === null ? null : await readDatabaseId(usage)
  if (directory === null || database === null) return checkpoints
  for (const journal of journalsIn(directory)) {
    const file = await readJournalFile(pathOf(directory, journal), HEAD)
    if (file?.header.database !== database) continue
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
async function uncountedOf(path: string, checkpoint: UsageCheckpoint): Promise<Uncounted | null> {
  const file = await readJournalFile(path)
  if (file === null || new JournalReader(file.bytes).read(checkpoint, file.bytes.length) === null) return null
  const isLeft = isGone(file.header.owner) || file.modifiedAt < Date.now() - ABANDONED_AFTER
  return { bytes: file.bytes.lastIndexOf(NEWLINE) + 1 - checkpoint.position, isLeft }
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
export async function inspectJournals(
  directory: string,
  checkpoints: Checkpoints,
  isKept: boolean,
): Promise<JournalFact> {
  const uncounted: Uncounted[] = []
  for (const [journal, checkpoint] of checkpoints) {
    const found = await uncountedOf(pathOf(directory, journal), checkpoint)
    if (found !== null) uncounted.push(found)
  }
  return {
    directory,
    isKept,
    unwritable: isKept ? unwritable(directory) : null,
    left: sumOf(uncounted.filter(({ isLeft }) => isLeft)),
    inUse: sumOf(uncounted.filter(({ isLeft }) => !isLeft)),
  }
}
