/**
 * Which numbers of the log of changes were read, by order alone: no clock of a writer says anything here.
 *
 * On PostgreSQL a number is taken before its transaction commits, so that a smaller one can become visible after a
 * larger one. A number that is missing below the highest is open: it comes later, or never, since a transaction that
 * is rolled back gives no number back.
 */
import type { ChangeRecord } from '../storage/records.ts'

/**
 * ms after which a number that was not seen is given up, by this process's stopwatch. A number is taken by one of the
 * last statements of a transaction, and 60 s are longer than any that is not hung: drivers, poolers and
 * `idle_in_transaction_session_timeout` end those sooner. Longer would have one rollback read the log anew for longer.
 */
const PATIENCE = 60_000
/** Numbers before the newest among which those that are missing at the start count as open. */
export const DEPTH = 1_000
/** Open numbers at most, so that what is kept and what is read again are bounded. */
const MOST_OPEN = 5_000

export class ReadNumbers {
  #highest = 0
  /** When each open number was missed first, in ms; rising in both. */
  readonly #open = new Map<number, number>()

  /** What comes after this number is yet to be read, or to be read again. */
  get from(): number {
    for (const oldest of this.#open.keys()) return oldest - 1
    return this.#highest
  }

  /**
   * Starts from the present, all that is visible being known.
   *
   * @param sequences visible ones, rising, of at least the last `DEPTH` numbers
   * @param now ms; null where numbers become visible in their order, so that none is open
   */
  start(sequences: readonly number[], now: number | null): void {
    this.#open.clear()
    this.#highest = Math.max(0, (sequences.at(-1) ?? 0) - DEPTH)
    for (const sequence of sequences) this.add(sequence, now)
  }

  /**
   * Whether the log goes on from what was read: no change was pruned unread, it is not an older log (a restored backup),
   * and not more numbers are open than can be kept.
   *
   * @param complete what the log says of `from`
   */
  isContinuedBy({ changes, complete }: { readonly changes: readonly ChangeRecord[]; readonly complete: boolean }) {
    const first = changes[0]?.sequence ?? Number.POSITIVE_INFINITY
    const last = changes.at(-1)?.sequence ?? 0
    // Below an open number all may be pruned. The newest row never is, so that the log must reach what was read.
    const isWhole = this.#open.size === 0 ? complete : first <= this.#highest + 1 && last >= this.#highest
    const unread = changes.reduce((count, { sequence }) => count + Number(sequence > this.#highest), 0)
    return isWhole && this.#open.size + (last - this.#highest - unread) <= MOST_OPEN
  }

  /**
   * Takes a number that was seen; each of a look in rising order.
   *
   * @param now ms, after the look; null where none is open
   * @returns whether it is new
   */
  add(sequence: number, now: number | null): boolean {
    if (sequence <= this.#highest) return this.#open.delete(sequence)
    if (now !== null) for (let missing = this.#highest + 1; missing < sequence; missing++) this.#open.set(missing, now)
    this.#highest = sequence
    return true
  }

  /** @param begun ms at which a look that read from `from` began: only what it did not find is given up */
  giveUp(begun: number): void {
    for (const [sequence, missedAt] of this.#open) {
      if (begun - missedAt < PATIENCE) return
      this.#open.delete(sequence)
    }
  }
}
