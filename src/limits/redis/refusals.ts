/** Who was over a limit, until he may come back: a hammer must not reach Redis. */

import { dropOldest } from '../../lib/drop-oldest.ts'
import type { Reading } from '../limiter.ts'

interface Refusal {
  /** Units that were refused: as many, or more, are refused until the end. */
  readonly cost: number
  /** ms of this process; before it, as when the clock was set back, nothing is known. */
  readonly from: number
  readonly until: number
  readonly reading: Reading
}

export class Refusals {
  readonly #capacity: number
  readonly #refusals = new Map<string, Refusal>()
  /** How often something was forgotten. */
  #generation = 0

  /** @param capacity how many are remembered at most; the oldest leave first, and are asked about again */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#refusals.size
  }

  /** To be taken before Redis is asked, and given to `remember`. */
  get generation(): number {
    return this.#generation
  }

  /**
   * @param key where it counts
   * @param cost units, all claims of the list on this key so far together
   * @param now epoch ms, of when it was asked
   * @param generation as it was then: what was forgotten meanwhile is not remembered by an answer from before
   */
  remember(key: string, cost: number, reading: Reading, now: number, generation: number): void {
    if (generation !== this.#generation) return
    const { retryAfter, rate } = reading
    const until = now + (Number.isFinite(retryAfter) ? retryAfter : rate.window)
    this.#refusals.delete(key)
    if (until <= now) return
    if (this.#refusals.size >= this.#capacity) dropOldest(this.#refusals)
    this.#refusals.set(key, { cost, from: now, until, reading })
  }

  /** How a claim stands that is known to be refused; undefined when it is not known. */
  find(key: string, cost: number, now: number): Reading | undefined {
    const refusal = this.#refusals.get(key)
    if (refusal === undefined) return undefined
    if (now < refusal.from || now >= refusal.until) {
      this.#refusals.delete(key)
      return undefined
    }
    if (cost < refusal.cost) return undefined
    const { rate, remaining, retryAfter } = refusal.reading
    const left = cost > rate.burst ? Number.POSITIVE_INFINITY : Math.max(1, retryAfter - (now - refusal.from))
    return { rate, isAllowed: false, remaining, resetAfter: left, retryAfter: left }
  }

  /** What is on its way from Redis is not remembered either. */
  forget(keys: Iterable<string>): void {
    this.#generation += 1
    for (const key of keys) this.#refusals.delete(key)
  }
}
