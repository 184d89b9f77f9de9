/** Whom the counts of all processes have refused: he has nothing left in this one for a while. */
export class SpentSubjects {
  readonly #window: number
  readonly #capacity: number
  /** In the order of their ends. */
  readonly #ends = new Map<string, number>()

  /**
   * @param window ms that each is remembered for
   * @param capacity how many are remembered at most; the oldest leave first
   */
  constructor(window: number, capacity: number) {
    this.#window = window
    this.#capacity = capacity
  }

  get size(): number {
    return this.#ends.size
  }

  add(subject: string, now: number): void {
    this.#ends.delete(subject)
    for (const [oldest, end] of this.#ends) {
      if (end > now && this.#ends.size < this.#capacity) break
      this.#ends.delete(oldest)
    }
    this.#ends.set(subject, now + this.#window)
  }

  /** @returns ms that are left of it; 0 for whom it has not, or no more */
  wait(subject: string, now: number): number {
    const end = this.#ends.get(subject)
    // A clock that was set back makes nobody wait longer than it would have.
    return end === undefined ? 0 : Math.max(0, Math.min(this.#window, end - now))
  }

  delete(subject: string): void {
    this.#ends.delete(subject)
  }
}
