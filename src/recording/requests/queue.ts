/** Writes what comes one by one in batches, off the way of whoever brings it; what there is no room for is dropped. */
import { breathe } from '../../lib/breathe.ts'
import { within } from '../../lib/within.ts'
import { Flusher } from '../flusher.ts'

export interface BatchQueueOptions<T> {
  /** Called with one batch at a time, oldest first; one that fails is given again. */
  readonly write: (batch: readonly T[]) => unknown
  /** Characters that an item holds, roughly. */
  readonly weigh: (item: T) => number
  /** Names in warnings what is written. */
  readonly name: string
  readonly warn: (message: string) => void
  /** Items that wait at most. */
  readonly capacity?: number
  /** Characters that wait at most. */
  readonly mostWeight?: number
  readonly batchSize?: number
  /** ms until an item is written. */
  readonly interval?: number
  /** From 0 to 1, for pauses after failures. */
  readonly random?: () => number
}

export interface QueueFigures {
  /** Items in memory that are still to be written. */
  readonly queued: number
  readonly written: number
  /** Items that were not written, since there was no room or no time. */
  readonly dropped: number
  readonly failures: number
  /** Whether the last attempt failed. */
  readonly isFailing: boolean
}

/** ms that stopping waits. */
const PATIENCE = 2000
/** ms between tries of it: a moment in which another process writes must cost nothing. */
const PAUSE = 50

export class BatchQueue<T> {
  readonly #options: Required<BatchQueueOptions<T>>
  readonly #flusher: Flusher
  readonly #items: T[] = []
  #weight = 0
  #written = 0
  #dropped = 0
  /** Whether it was told of what this outage dropped. */
  #hasWarned = false
  #isStopped = false
  /** Whether stopping has told what is lost. */
  #isOver = false

  constructor(options: BatchQueueOptions<T>) {
    this.#options = {
      capacity: 10_000,
      mostWeight: 32 * 1024 * 1024,
      batchSize: 100,
      interval: 1000,
      random: Math.random,
      ...options,
    }
    const { interval, random, name, warn } = this.#options
    this.#flusher = new Flusher({
      interval,
      random,
      round: () => this.#round(),
      onOutage: (failures) =>
        warn(
          `${name} could not be written ${failures} times in a row. It is kept, as far as there is room, and tried again`,
        ),
    })
  }

  start(): void {
    this.#flusher.start()
  }

  /** Never waits. @returns whether there was room */
  add(item: T): boolean {
    const { capacity, mostWeight, weigh, batchSize } = this.#options
    const weight = weigh(item)
    if (this.#isStopped || this.#items.length >= capacity || this.#weight + weight > mostWeight) {
      this.drop()
      return false
    }
    this.#items.push(item)
    this.#weight += weight
    if (this.#items.length >= batchSize) this.#flusher.hurry()
    return true
  }

  /** Counts an item that did not even get here. */
  drop(): void {
    this.#dropped += 1
    if (this.#hasWarned || this.#isStopped) return
    this.#hasWarned = true
    const { name, warn } = this.#options
    warn(
      `${name} cannot be written as fast as it comes: entries are dropped. See that the database, or the sink, answers and is fast enough`,
    )
  }

  get figures(): QueueFigures {
    const { failures, isFailing } = this.#flusher
    return { queued: this.#items.length, written: this.#written, dropped: this.#dropped, failures, isFailing }
  }

  /** Writes what there is now; answers whether all of it is written. Never rejects. */
  flush(): Promise<boolean> {
    return this.#flusher.flush()
  }

  async #round(): Promise<void> {
    const { write, weigh, batchSize } = this.#options
    // What comes meanwhile is for the next round: somebody may wait for this one.
    let left = this.#items.length
    while (left > 0 && !this.#isOver) {
      const batch = this.#items.slice(0, Math.min(batchSize, left))
      await write(batch)
      // It has been told of as lost.
      if (this.#isOver) return
      this.#items.splice(0, batch.length)
      for (const item of batch) this.#weight -= weigh(item)
      left -= batch.length
      this.#written += batch.length
      await breathe()
    }
    this.#hasWarned = false
  }

  /**
   * Writes what is left, and takes nothing more. While that fails it is tried again.
   *
   * @param patience ms that it takes at most; never more than two seconds
   * @param lost entries that did not even get here for want of time: told of with those that are lost here
   */
  async stop(patience = PATIENCE, lost = 0): Promise<void> {
    this.#isStopped = true
    this.#flusher.stop()
    await within(Math.min(patience, PATIENCE), this.#flushAtLast())
    this.#isOver = true
    const all = lost + this.#items.splice(0).length
    if (all === 0) return
    this.#dropped += all
    this.#options.warn(`${this.#options.name} could not be written before the end: ${all} entries are lost`)
  }

  async #flushAtLast(): Promise<void> {
    while (!this.#isOver && !(await this.#flusher.flush())) await Bun.sleep(PAUSE)
  }
}
