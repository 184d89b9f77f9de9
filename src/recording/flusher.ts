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
const LONGEST_PAUSE = 30_000

/** A locked database is nothing to speak of until it stays locked. */
const FAILURES_OF_OUTAGE = 3

/**
 * How long to wait after failures in a row: from one second, doubling, to half a minute, less up to a half of it so
 * that processes that failed together do not come back together.
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
  #running: Promise<boolean> | null = null
  #next: Promise<boolean> | null = null
  #isHurried = false
  #isStopped = false
  /** In a row. */
  #failuresInRow = 0
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
    if (this.#isHurried || this.isFailing || this.#running !== null) return
    this.#isHurried = true
    this.#schedule(0)
  }

  /**
   * Begins a round now, or after the one under way, which began before this call and may miss what is newer.
   *
   * @returns whether the round wrote all there was; never rejects
   */
  flush(): Promise<boolean> {
    if (this.#running === null) return this.#run()
    this.#next ??= this.#running.then(() => {
      this.#next = null
      return this.#run()
    })
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
    this.#timer = setTimeout(() => void this.flush(), pause)
    this.#timer.unref()
  }

  #run(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#isHurried = false
    this.#running = this.#attempt()
    return this.#running
  }

  async #attempt(): Promise<boolean> {
    const { round, interval, random, onOutage } = this.#options
    let pause = interval
    this.flushes += 1
    try {
      await round()
      this.#failuresInRow = 0
      return true
    } catch (reason) {
      this.failures += 1
      this.#failuresInRow += 1
      pause = Math.max(interval, pauseAfter(this.#failuresInRow, random))
      if (this.#failuresInRow === FAILURES_OF_OUTAGE) onOutage(this.#failuresInRow, reason)
      return false
    } finally {
      this.#running = null
      this.#schedule(pause)
    }
  }
}
