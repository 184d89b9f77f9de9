/** Looks for files that other processes left. */
import { readdir } from 'node:fs/promises'
import { MINUTE } from '../../../lib/time-units.ts'
import type { AdvanceOptions } from '../advance.ts'
import { codeOf, pathOf, sourceIdOf } from './files.ts'
import { Leftover } from './leftover.ts'

/** ms between looks. */
const INTERVAL = 10 * MINUTE

/** Names of this place are of no journal, or of one that this process may not read. */
const NOT_OURS = new Set(['ENOENT', 'EACCES', 'EPERM', 'EISDIR', 'ENOTDIR'])

export class Leftovers {
  readonly #directory: string
  /** Whether a file is of this process. */
  readonly #owns: (sourceId: string) => boolean
  readonly #options: AdvanceOptions
  #lookedAt = Number.NEGATIVE_INFINITY

  constructor(directory: string, owns: (sourceId: string) => boolean, options: AdvanceOptions) {
    this.#directory = directory
    this.#owns = owns
    this.#options = options
  }

  /** Counts what is there, at the first call and then from time to time. Rejects when the database does. */
  async count(): Promise<void> {
    const { clock, isStopped } = this.#options
    const now = clock()
    if (Math.abs(now - this.#lookedAt) < INTERVAL) return
    for (const name of await this.#names()) {
      const sourceId = sourceIdOf(name)
      if (isStopped()) return
      if (sourceId === null || this.#owns(sourceId)) continue
      await new Leftover(sourceId, pathOf(this.#directory, sourceId)).count(this.#options).catch(passByFiles)
    }
    this.#lookedAt = now
  }

  async #names(): Promise<readonly string[]> {
    try {
      return (await readdir(this.#directory)).sort()
    } catch {
      return []
    }
  }
}

/** Files come and go while one looks. */
function passByFiles(error: unknown): void {
  if (!NOT_OURS.has(codeOf(error))) throw error
}
