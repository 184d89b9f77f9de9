/** Counts a source into the database, each request once, whatever fails or races. */
import { breathe } from '../../lib/breathe.ts'
import type { Clock } from '../../lib/clock.ts'
import { HOUR } from '../../lib/time-units.ts'
import { START_OF_JOURNAL, type UsageCheckpoint, type UsageStore } from '../../storage/ports/usage.ts'
import type { UsageRecord } from '../../storage/records.ts'
import { rollUp } from './rollup.ts'
import type { SourceSpan, UsageSource } from './source.ts'

export interface AdvanceOptions {
  readonly store: Pick<UsageStore, 'record' | 'checkpoint'>
  readonly clock: Clock
  /** Counters in one transaction. */
  readonly batchSize: number
  readonly isStopped: () => boolean
}

/** ms after which a checkpoint that does not move is written anew; see `SourceProgress.keep`. */
const KEPT_EVERY = HOUR

export class SourceProgress {
  readonly source: UsageSource
  readonly #options: AdvanceOptions
  /** Null where it is not known: another process moved it, or a write failed and may have taken effect. */
  #checkpoint: UsageCheckpoint | null
  /** What #checkpoint was when it was known last. */
  #lastKnown: UsageCheckpoint
  /** Epoch ms at which it was written. */
  #writtenAt = Number.NEGATIVE_INFINITY

  constructor(source: UsageSource, options: AdvanceOptions) {
    this.source = source
    this.#options = options
    this.#checkpoint = source.start
    this.#lastKnown = source.start ?? START_OF_JOURNAL
  }

  /** Counts all that is there now; answers whether it came to its end. */
  async advance(): Promise<boolean> {
    const { isStopped } = this.#options
    await this.source.begin()
    if (Math.abs(this.#options.clock() - this.#writtenAt) >= KEPT_EVERY) await this.keep()
    while (!isStopped()) {
      this.#checkpoint ??= await this.#ask()
      const span = await this.source.read(this.#checkpoint)
      if (span === null) return true
      if (await this.#write(span, this.#checkpoint)) this.source.onCounted(span.target)
    }
    return false
  }

  /** Writes the checkpoint anew: one that nobody writes for long is deleted, and without it all would count again. */
  async keep(): Promise<void> {
    const known = this.#checkpoint
    if (known !== null && known !== START_OF_JOURNAL) await this.#move(known, known, [])
  }

  async #ask(): Promise<UsageCheckpoint> {
    const checkpoint = await this.#options.store.checkpoint(this.source.sourceId)
    if (checkpoint === null && this.#lastKnown !== START_OF_JOURNAL) {
      // It was deleted all the same, as where a clock went wrong. How far it was counted is known here.
      await this.#move(START_OF_JOURNAL, this.#lastKnown, [])
      return this.#checkpoint ?? (await this.#ask())
    }
    this.#lastKnown = checkpoint ?? START_OF_JOURNAL
    // By a try that seemed to fail, or by another process.
    this.source.onCounted(this.#lastKnown.position)
    return this.#lastKnown
  }

  /** Answers whether this call moved it. */
  async #move(from: UsageCheckpoint, to: UsageCheckpoint, rows: readonly UsageRecord[]): Promise<boolean> {
    const { store, clock } = this.#options
    const now = clock()
    this.#checkpoint = null
    if (!(await store.record({ journal: this.source.sourceId, from, to, rows, now }))) return false
    this.#checkpoint = to
    this.#lastKnown = to
    this.#writtenAt = now
    return true
  }

  /** Answers whether the span is written; if not, somebody else got ahead. */
  async #write({ target, tally }: SourceSpan, start: UsageCheckpoint): Promise<boolean> {
    const { batchSize, isStopped } = this.#options
    const { counters, overall } = tally
    let from = start
    while (!isStopped()) {
      const end = Math.min(from.written + batchSize, counters.length)
      const isLast = end === counters.length
      const to = isLast ? { position: target, target, written: 0 } : { position: from.position, target, written: end }
      const rows = rollUp(counters.slice(from.written, end), isLast ? overall : [])
      if (!(await this.#move(from, to, rows))) return false
      if (isLast) return true
      from = to
      await breathe()
    }
    return false
  }
}
