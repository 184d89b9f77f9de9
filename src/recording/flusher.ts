/** Writes from time to time, one round at a time, less often while it fails. */

export interface FlusherOptions {
  /** Writes all there is; rejects when that fails. */
  readonly round: () => Promise<void>
  /** ms between rounds. */
  readonly interval: number
  /** From 0 to 1; a test gives its own. */
  readonly random: () => number
  /** Hears once of each outage. */
  readonly onOutage: (failures: number, reason: unknown) => void
}

/** ms */
const FIRST_PAUSE = 1000
/** Short enough for what waits to be written soon once it can be; a try costs next to nothing. */
const LONGEST_PAUSE = 5000

/** A locked database is nothing to speak of until it stays locked. */
const FAILURES_OF_OUTAGE = 3

/**
 * How long to wait after failures in a row: from one second, doubling, to five, less up to a half of it so that
 * processes that failed together do not come back together.
 *
 * @returns ms
 */
export function pauseAfter(failures: number, random: () => number): number {
  const longest = Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE)
  return longest * (1 - random() / 2)
}

export class Flusher {
  readonly #options: FlusherOptions
  #timer: ReturnType<typeof setTimeout> | undefined
  /** The last round that was asked for. */
  #tail: Promise<boolean> = Promise.resolve(true)
  /** The same while it has not begun: whoever comes now shares it. */
  #next: Promise<boolean> | null = null
  #isRunning = false
  /** Whether it was the timer that asked for the next round. */
  #isDue = false
  #isHurried = false
  #isStopped = false
  /** Rounds in a row that failed. */
  #failuresInRow = 0
  /** Of those, the ones that the timer asked for: how often others ask must not lengthen the pause. */
  #dueFailures = 0
  flushes = 0
  failures = 0

  constructor(options: FlusherOptions) {
    this.#options = options
  }

  get isFailing(): boolean {
    return this.#failuresInRow > 0
  }

  /** @param first ms until the first round */
  start(first = this.#options.interval): void {
    this.#schedule(first)
  }

  /** Has a round begin at once, unless rounds fail. */
  hurry(): void {
    if (this.#isHurried || this.isFailing || this.#isRunning || this.#next !== null) return
    this.#isHurried = true
    this.#schedule(0)
  }

  /**
   * Begins a round now, or after the one under way, which may have passed by what is newer. All who come before it has
   * begun share it. Answers whether it wrote all.
   */
  flush(): Promise<boolean> {
    if (this.#next !== null) return this.#next
    if (!this.#isRunning) {
      this.#tail = this.#attempt()
      return this.#tail
    }
    this.#next = this.#tail.then(() => {
      this.#next = null
      return this.#attempt()
    })
    this.#tail = this.#next
    return this.#next
  }

  /** No round begins of itself any more. */
  stop(): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #schedule(pause: number): void {
    clearTimeout(this.#timer)
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#isDue = true
      void this.flush()
    }, pause)
    this.#timer.unref()
  }

  async #attempt(): Promise<boolean> {
    const isDue = this.#isDue
    this.#isDue = false
    this.#isHurried = false
    this.#isRunning = true
    this.flushes += 1
    try {
      await this.#options.round()
      this.#onWritten()
      return true
    } catch (reason) {
      this.#onFailed(isDue, reason)
      return false
    } finally {
      this.#isRunning = false
    }
  }

  #onWritten(): void {
    this.#failuresInRow = 0
    this.#dueFailures = 0
    this.#schedule(this.#options.interval)
  }

  #onFailed(isDue: boolean, reason: unknown): void {
    const { interval, random, onOutage } = this.#options
    this.failures += 1
    this.#failuresInRow += 1
    if (isDue || this.#timer === undefined) {
      this.#dueFailures += 1
      this.#schedule(Math.max(interval, pauseAfter(this.#dueFailures, random)))
    }
    // Whoever has stopped it tells himself what came of it.
    if (this.#failuresInRow === FAILURES_OF_OUTAGE && !this.#isStopped) onOutage(this.#failuresInRow, reason)
  }
}
