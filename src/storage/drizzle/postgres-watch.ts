/** Tells dead connections from slow ones by looks at the log of changes, which are small and come all the time. */

/** ms that a look takes at most; what is revoked must be refused within a few seconds whatever its connection does. */
const LOOK = 1000
/** ms between two renewals at least: a server that is frozen must not be given connection after connection. */
const RENEWAL = 5000

export interface PostgresWatchOptions {
  /** ms that any other verb may take. */
  readonly timeout: number
  /** Puts new connections in the place of those there are. */
  readonly renew: () => void
  /** ms from any moment on, never backwards. */
  readonly stopwatch: () => number
}

export class PostgresWatch {
  readonly #options: PostgresWatchOptions
  #answeredAt = Number.NEGATIVE_INFINITY
  #renewedAt = Number.NEGATIVE_INFINITY
  #wasLate = false

  constructor(options: PostgresWatchOptions) {
    this.#options = options
  }

  /** ms for the next look. After one that ran into its time it is that of all verbs: a slow database is heard as well. */
  get patience(): number {
    const { timeout } = this.#options
    return this.#wasLate ? timeout : Math.min(LOOK, timeout)
  }

  /** Any call was answered. */
  onAnswer(): void {
    this.#answeredAt = this.#options.stopwatch()
  }

  onLook(): void {
    this.#wasLate = false
  }

  /**
   * A look got no answer in its time. While others are answered, the first one may have met a database that has much to
   * do, and whoever works there would lose his connection.
   *
   * @param begunAt by the stopwatch
   */
  onLateLook(begunAt: number): void {
    if (this.#wasLate || this.#answeredAt < begunAt) this.onStuck()
    this.#wasLate = true
  }

  /** Nothing comes by the connections there are. */
  onStuck(): void {
    const now = this.#options.stopwatch()
    if (now - this.#renewedAt < RENEWAL) return
    this.#renewedAt = now
    this.#options.renew()
  }
}
