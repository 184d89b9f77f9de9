/** Whether the database answers: asked seldom, however often somebody wants to know. */
import { within } from '../lib/within.ts'

export interface DatabaseHealth {
  readonly status: 'up' | 'down'
  /** ms that it took to answer; null when it did not. */
  readonly latencyMs: number | null
}

const DOWN: DatabaseHealth = Object.freeze({ status: 'down', latencyMs: null })

/** ms after which no answer is one. */
const PATIENCE = 1000
/** ms for which an answer is given to others too. */
const SHARED = 1000

export class DatabaseProbe {
  readonly #ping: () => Promise<void>
  readonly #stopwatch: () => number
  readonly #patience: number
  /** The one question under way; null when there is none. */
  #asking: Promise<void> | null = null
  #askedAt = 0
  #last: DatabaseHealth = DOWN
  #answeredAt = Number.NEGATIVE_INFINITY

  /**
   * @param ping one trivial statement; rejects when the database does not answer
   * @param stopwatch ms from any moment on, never backwards
   * @param patience ms after which no answer is one
   */
  constructor(ping: () => Promise<void>, stopwatch = () => performance.now(), patience = PATIENCE) {
    this.#ping = ping
    this.#stopwatch = stopwatch
    this.#patience = patience
  }

  /** Never rejects. At most one statement is under way, and at most one is sent in a second. */
  async look(): Promise<DatabaseHealth> {
    if (this.#asking === null) {
      if (this.#stopwatch() - this.#answeredAt < SHARED) return this.#last
      this.#asking = this.#ask()
    }
    const left = this.#askedAt + this.#patience - this.#stopwatch()
    return (await within(left, this.#asking)) ? this.#last : DOWN
  }

  async #ask(): Promise<void> {
    this.#askedAt = this.#stopwatch()
    try {
      await Promise.try(this.#ping)
      this.#last = { status: 'up', latencyMs: Math.round((this.#stopwatch() - this.#askedAt) * 1000) / 1000 }
    } catch {
      this.#last = DOWN
    }
    this.#answeredAt = this.#stopwatch()
    this.#asking = null
  }
}
