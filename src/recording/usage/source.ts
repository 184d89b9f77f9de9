/** Where requests are counted from: memory, or a file that holds them. */
import type { UsageCheckpoint } from '../../storage/ports/usage.ts'
import type { Tally } from './tally.ts'

/** Requests from a position of a journal up to another. */
export interface SourceSpan {
  /** What follows begins here. */
  readonly target: number
  readonly tally: Tally
}

export interface UsageSource {
  /** What its checkpoint is stored by. */
  readonly sourceId: string
  /** As far as it is counted when it is made; null where the database must be asked. */
  readonly start: UsageCheckpoint | null
  /** Settles how far `read` goes until the next call: what comes meanwhile waits for it. */
  begin(): void | Promise<void>
  /**
   * Reads on from a checkpoint. Between the same two positions there are always the same counters in the same order.
   *
   * @returns null when there is nothing more
   */
  read(from: UsageCheckpoint): SourceSpan | null | Promise<SourceSpan | null>
  /** Hears that all before `position` is counted for good. */
  onCounted(position: number): void
}
