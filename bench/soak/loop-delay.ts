/** How late the event loop is: what a request waits before anybody looks at it. */

/** ms */
const INTERVAL = 5

export class LoopDelay {
  #latest = 0
  #due = performance.now() + INTERVAL

  constructor() {
    setInterval(() => {
      const now = performance.now()
      this.#latest = Math.max(this.#latest, now - this.#due)
      this.#due = now + INTERVAL
    }, INTERVAL).unref()
  }

  /** ms by which it was late at most since this was last called. */
  take(): number {
    const now = performance.now()
    const latest = Math.max(this.#latest, now - this.#due)
    this.#latest = 0
    this.#due = now + INTERVAL
    return Math.max(0, latest)
  }
}
