/** Requests that are kept in memory alone until they are written. */
import { randomBase62 } from '../../lib/base62.ts'
import { START_OF_JOURNAL, type UsageCheckpoint } from '../../storage/ports/usage.ts'
import type { SourceSpan, UsageSource } from './source.ts'
import { Tally } from './tally.ts'

export class UsageBuffer implements UsageSource {
  readonly sourceId = randomBase62(22)
  readonly start = START_OF_JOURNAL
  readonly #limit: number
  readonly #onOver: (tally: Tally) => void
  /** Being counted. */
  #live: Tally
  #isDue = false
  /** Being written, the same until it is. */
  #frozen: SourceSpan | null = null

  /**
   * @param limit counters that are being counted at most; as many again may be being written
   * @param onOver hears of a tally that nothing is counted in any more
   */
  constructor(limit: number, onOver: (tally: Tally) => void) {
    this.#limit = limit
    this.#onOver = onOver
    this.#live = new Tally(limit)
  }

  /** What requests are counted in; another one from time to time. */
  get tally(): Tally {
    return this.#live
  }

  /** Counters that are not written yet. */
  get size(): number {
    return this.#live.size + (this.#frozen?.tally.size ?? 0)
  }

  /** Requests that are not written yet. */
  get requests(): number {
    return this.#live.requests + (this.#frozen?.tally.requests ?? 0)
  }

  begin(): void {
    this.#isDue = true
  }

  /** Positions are numbers of requests. */
  read({ position }: UsageCheckpoint): SourceSpan | null {
    if (this.#frozen === null && this.#isDue && this.#live.requests > 0) {
      this.#isDue = false
      this.#onOver(this.#live)
      this.#frozen = { target: position + this.#live.requests, tally: this.#live }
      this.#live = new Tally(this.#limit)
    }
    return this.#frozen
  }

  onCounted(position: number): void {
    if (this.#frozen !== null && position >= this.#frozen.target) this.#frozen = null
  }
}
