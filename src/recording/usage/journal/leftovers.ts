/** Looks for files that other processes left. */
import { readdir } from 'node:fs/promises'
import { MINUTE } from '../../../lib/time-units.ts'
import type { AdvanceOptions } from '../advance.ts'
import type { DatabaseIdentity } from './database-id.ts'
import { pathOf, sourceIdOf } from './files.ts'
import { Leftover } from './leftover.ts'

/** ms between looks. */
const INTERVAL = 10 * MINUTE

/** Of one round; the next one goes on where it ended. */
const MOST_FILES = 100
const MOST_BYTES = 33_554_432

export class Leftovers {
  readonly #directory: string
  /** Whether a file is of this process. */
  readonly #owns: (sourceId: string) => boolean
  readonly #options: AdvanceOptions
  readonly #identity: DatabaseIdentity
  /** The file that was looked at last; empty between looks. */
  #last = ''
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(
    directory: string,
    owns: (sourceId: string) => boolean,
    identity: DatabaseIdentity,
    options: AdvanceOptions,
  ) {
    this.#directory = directory
    this.#identity = identity
    this.#owns = owns
    this.#options = options
  }

  /** Counts what is there, at the first call and then from time to time. Rejects when the database does. */
  async count(): Promise<void> {
    const { clock, isStopped } = this.#options
    const now = clock()
    if (Math.abs(now - this.#lookedAt) < INTERVAL) return
    const database = await this.#identity.find()
    let [files, bytes] = [0, 0]
    for (const sourceId of await this.#list()) {
      if (isStopped() || files === MOST_FILES || bytes >= MOST_BYTES) return
      bytes += await new Leftover(sourceId, pathOf(this.#directory, sourceId), database).count(this.#options)
      files += 1
      this.#last = sourceId
    }
    this.#last = ''
    this.#lookedAt = now
  }

  /** Files of others that this look did not come to yet, in order. */
  async #list(): Promise<readonly string[]> {
    try {
      const sourceIds = (await readdir(this.#directory)).flatMap((name) => sourceIdOf(name) ?? [])
      return sourceIds.filter((sourceId) => sourceId > this.#last && !this.#owns(sourceId)).sort()
    } catch {
      return []
    }
  }
}
