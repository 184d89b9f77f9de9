/** Gathers the facts for doctor's checks. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseDatabase } from '../../options/database.ts'
import { isDevelopment } from '../../options/environment.ts'
import { type Mistake, OptionsError } from '../../options/mistakes.ts'
import { resolveOptions } from '../../options/resolve.ts'
import type { ResolvedOptions } from '../../options/resolved.ts'
import { makeSecret, SECRET_FILE } from '../../options/secret-file.ts'
import type { DatabaseOption } from '../../options/types.ts'
import { databaseOf, sourceOfOption } from '../given-options.ts'
import { isUsed } from '../known-secret.ts'
import { environmentOf, type GlobalSettings, optionsOf } from '../settings.ts'
import type { CliIo } from '../terminal/io.ts'
import { inspectDatabase } from './database.ts'
import type { DatabaseFact, Facts, FileFact, JournalFact } from './facts.ts'
import { directoryOf, inspectJournals } from './journal.ts'
import { askRedis } from './redis.ts'

interface Configured {
  readonly mistakes: readonly Mistake[]
  readonly options: ResolvedOptions | null
}

/** In development without a secret, resolving would make one: doctor looks, and changes nothing. */
function resolveWithoutWriting(io: CliIo, globals: GlobalSettings, secretSource: string | null): Configured {
  const mayMakeOne = secretSource === null && isDevelopment(io.env)
  const stand = mayMakeOne ? { secret: makeSecret() } : {}
  try {
    return { mistakes: [], options: resolveOptions({ ...optionsOf(globals), ...stand }, environmentOf(io)) }
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error
    return { mistakes: error.mistakes, options: null }
  }
}

function secretSourceOf(io: CliIo): string | null {
  const given = sourceOfOption(io, 'secret')
  if (given !== null) return given
  return isDevelopment(io.env) && existsSync(join(io.cwd, SECRET_FILE)) ? SECRET_FILE : null
}

/** The file of a SQLite database of ours; null for any other. */
function fileOf(database: DatabaseOption | undefined): string | null {
  if (typeof database !== 'string') return null
  const address = parseDatabase(database)
  return address.dialect === 'sqlite' && address.file !== ':memory:' ? address.file : null
}

/** Needs no secret: it is asked where none is given. */
async function findUse(io: CliIo, globals: GlobalSettings): Promise<boolean | null> {
  try {
    const given = databaseOf(io, globals)
    const file = fileOf(given.database)
    return file !== null && !existsSync(file) ? false : await isUsed(given)
  } catch {
    // What is wrong with them is told by the checks of the configuration and of the database.
    return null
  }
}

/** Windows has no such modes. */
function statFiles(names: readonly (readonly [name: string, path: string])[]): readonly FileFact[] {
  if (process.platform === 'win32') return []
  return names
    .filter(([, path]) => existsSync(path))
    .map(([name, path]) => ({ name, mode: statSync(path).mode & 0o777 }))
}

async function journalFact(options: ResolvedOptions | null, database: DatabaseFact): Promise<JournalFact | null> {
  const directory = options && directoryOf(options)
  if (options === null || directory === null || options.usage === false) return null
  const checkpoints = database.kind === 'open' ? database.checkpoints : new Map()
  return inspectJournals(directory, checkpoints, options.usage.durability === 'journaled')
}

export async function gatherFacts(io: CliIo, globals: GlobalSettings): Promise<Facts> {
  const secretSource = secretSourceOf(io)
  const { mistakes, options } = resolveWithoutWriting(io, globals, secretSource)
  const file = fileOf(options?.database)
  const isGiven = options !== null && secretSource !== null && secretSource !== SECRET_FILE
  const redis = options?.redis ?? null
  const now = io.clock()
  const database: DatabaseFact = options === null ? { kind: 'unknown' } : await inspectDatabase(options, file, now)
  return {
    mistakes,
    options,
    secretSource,
    isUsed: isGiven ? null : await findUse(io, globals),
    database,
    journal: await journalFact(options, database),
    files: statFiles([
      ['.env', join(io.cwd, '.env')],
      [SECRET_FILE, join(io.cwd, SECRET_FILE)],
      ...(file === null ? [] : [file, `${file}-wal`].map((path) => [path, path] as const)),
    ]),
    redis: redis === null ? null : await askRedis(redis),
    now,
  }
}
