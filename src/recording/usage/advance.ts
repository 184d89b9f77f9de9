/** Counts a source into the database, each request once, whatever fails or races. */
import { breathe } from '../../lib/breathe.ts'
import type { Clock } from '../../lib/clock.ts'
import { START_OF_JOURNAL, type UsageCheckpoint, type UsageStore } from '../../storage/ports/usage.ts'
import { rollUp } from './rollup.ts'
import type { SourceSpan, UsageSource } from './source.ts'

export interface AdvanceOptions {
  readonly store: Pick<UsageStore, 'record' | 'checkpoint'>
  readonly clock: Clock
  /** Counters in one transaction. */
  readonly batchSize: number
  readonly isStopped: () => boolean
}

export class SourceProgress {
  readonly source: UsageSource
  readonly #options: AdvanceOptions
  /** Null where it is not known: another process moved it, or a write failed and may have taken effect. */
  #checkpoint: UsageCheckpoint | null

  constructor(source: UsageSource, options: AdvanceOptions) {
    this.source = source
    this.#options = options
    this.#checkpoint = source.start
  }

  /** Counts all that is there now; answers whether it came to its end. */
  async advance(): Promise<boolean> {
    const { isStopped } = this.#options
    await this.source.begin()
    while (!isStopped()) {
      this.#checkpoint ??= await this.#ask()
      const span = await this.source.read(this.#checkpoint)
      if (span === null) return true
      if (await this.#write(span, this.#checkpoint)) this.source.onCounted(span.target)
    }
    return false
  }

  async #ask(): Promise<UsageCheckpoint> {
    const checkpoint = (await this.#options.store.checkpoint(this.source.sourceId)) ?? START_OF_JOURNAL
    // By a try that seemed to fail, or by another process.
    this.source.onCounted(checkpoint.position)
    return checkpoint
  }

  /** Answers whether the span is written; if not, somebody else got ahead. */
  async #write({ target, tally }: SourceSpan, start: UsageCheckpoint): Promise<boolean> {
    const { store, clock, batchSize, isStopped } = this.#options
    const { counters, overall } = tally
    let from = start
    while (!isStopped()) {
      const end = Math.min(from.written + batchSize, counters.length)
      const isLast = end === counters.length
      const to = isLast ? { position: target, target, written: 0 } : { position: from.position, target, written: end }
      const rows = rollUp(counters.slice(from.written, end), isLast ? overall : [])
      this.#checkpoint = null
      if (!(await store.record({ journal: this.source.sourceId, from, to, rows, now: clock() }))) return false
      this.#checkpoint = to
      if (isLast) return true
      from = to
      await breathe()
    }
    return false
  }
}
