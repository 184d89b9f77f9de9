/** Counts the journals of this process, and those that others left. */
import { type AdvanceOptions, SourceProgress } from '../advance.ts'
import type { UsageBounds } from '../bounds.ts'
import type { DatabaseIdentity } from './database-id.ts'
import { requireWritable } from './files.ts'
import { Journal } from './journal.ts'
import { Leftovers } from './leftovers.ts'
import type { Segment } from './segment.ts'

export interface JournalRoundsOptions {
  readonly bounds: UsageBounds
  readonly advance: AdvanceOptions
  readonly identity: DatabaseIdentity
  /** Whether journals of others are left to others from now on. */
  readonly isStopping: () => boolean
  readonly warn: (message: string) => void
}

export class JournalRounds {
  readonly journal: Journal
  readonly #directory: string
  readonly #advance: AdvanceOptions
  readonly #identity: DatabaseIdentity
  readonly #leftovers: Leftovers
  readonly #progress = new WeakMap<Segment, SourceProgress>()

  constructor(directory: string, options: JournalRoundsOptions) {
    const { bounds, advance, identity, isStopping, warn } = options
    const { segmentBytes, journalBytes } = bounds
    const { clock } = advance
    this.#directory = directory
    this.#advance = advance
    this.#identity = identity
    this.journal = new Journal({ directory, segmentBytes, mostBytes: journalBytes, identity, clock, warn })
    const owns = (sourceId: string) => this.journal.owns(sourceId)
    this.#leftovers = new Leftovers(directory, owns, identity, { ...advance, isStopped: isStopping })
  }

  /** @throws JournalError */
  requireWritable(): void {
    requireWritable(this.#directory)
  }

  /** Finds out which database it is, which files are told apart by; rejects when the database does. */
  async identify(): Promise<void> {
    await this.#identity.find()
  }

  /** Counts what this process noted; rejects when the database does. */
  async count(): Promise<void> {
    await this.identify()
    this.journal.keep(this.#advance.clock())
    for (const segment of this.journal.segments) {
      const { isClosed } = segment
      const isAtEnd = await this.#progressOf(segment).advance()
      if (isAtEnd && isClosed) this.journal.retire(segment)
    }
    await this.journal.prepare()
  }

  #progressOf(segment: Segment): SourceProgress {
    const known = this.#progress.get(segment)
    if (known !== undefined) return known
    const made = new SourceProgress(segment, this.#advance)
    this.#progress.set(segment, made)
    return made
  }

  /** Counts what other processes noted and did not count; rejects when the database does. */
  countLeftovers(): Promise<void> {
    return this.#leftovers.count()
  }
}
