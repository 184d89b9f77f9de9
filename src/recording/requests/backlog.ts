/** Holds what is still to be worked on, and works on it beside requests, in the order in which it came. */
import { within } from '../../lib/within.ts'
import { Flusher } from '../flusher.ts'
import { Turn } from './turn.ts'

export interface BacklogOptions<T> {
  /** Never throws or rejects. Rests between its own steps if it has long ones. */
  readonly work: (item: T, turn: Turn) => Promise<void> | void
  /** Hears of each item that will not be worked on: there was no room, or no time. */
  readonly onDropped: (item: T) => void
  /** Items that wait at most. */
  readonly capacity?: number
  /** Bytes that wait at most. */
  readonly mostBytes?: number
  /** Items that are enough to begin at once. */
  readonly enough?: number
  /** ms that an item waits for others. */
  readonly interval?: number
}

interface Waiting<T> {
  readonly item: T
  readonly bytes: number
}

/** ms that stopping waits. */
const PATIENCE = 1000

export class Backlog<T> {
  readonly #options: Required<BacklogOptions<T>>
  readonly #flusher: Flusher
  #waiting: Waiting<T>[] = []
  /** Of the round under way, what it has not begun. */
  #round: Waiting<T>[] = []
  #count = 0
  #bytes = 0
  #isStopped = false

  constructor(options: BacklogOptions<T>) {
    this.#options = { capacity: 10_000, mostBytes: 16 * 1024 * 1024, enough: 100, interval: 500, ...options }
    this.#flusher = new Flusher({
      interval: this.#options.interval,
      random: Math.random,
      round: () => this.#workOnAll(),
      // Work never fails.
      onOutage: () => undefined,
    })
  }

  start(): void {
    this.#flusher.start()
  }

  /** Items that are not done yet. */
  get count(): number {
    return this.#count
  }

  /**
   * Never waits.
   *
   * @param bytes that the item keeps in memory, roughly
   */
  add(item: T, bytes: number): void {
    const { capacity, mostBytes, enough, onDropped } = this.#options
    if (this.#isStopped || this.#count >= capacity || this.#bytes + bytes > mostBytes) {
      onDropped(item)
      return
    }
    this.#waiting.push({ item, bytes })
    this.#count += 1
    this.#bytes += bytes
    if (this.#waiting.length === enough) this.#flusher.hurry()
  }

  /** Works on what there is now. Never rejects. */
  async flush(): Promise<void> {
    await this.#flusher.flush()
  }

  async #workOnAll(): Promise<void> {
    const { work } = this.#options
    // What comes meanwhile is for the next round: somebody may wait for this one.
    this.#round = this.#waiting
    this.#waiting = []
    const turn = new Turn()
    for (let next = this.#round.shift(); next !== undefined; next = this.#round.shift()) {
      const working = work(next.item, turn)
      if (working !== undefined) await working
      if (turn.isOver) await turn.rest()
      this.#forget(next)
    }
  }

  #forget({ bytes }: Waiting<T>): void {
    this.#count -= 1
    this.#bytes -= bytes
  }

  /**
   * Works on what is left, and takes nothing more.
   *
   * @param patience ms that it takes at most; never more than a second
   */
  async stop(patience = PATIENCE): Promise<void> {
    this.#isStopped = true
    this.#flusher.stop()
    if (await within(Math.min(patience, PATIENCE), this.#flusher.flush())) return
    for (const late of [...this.#round.splice(0), ...this.#waiting.splice(0)]) {
      this.#forget(late)
      this.#options.onDropped(late.item)
    }
  }
}
