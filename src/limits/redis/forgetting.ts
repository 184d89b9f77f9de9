/** Who is to start anew: what Redis could not be told is told before it is asked anything again. */

import { isRedisAway } from './away.ts'

/** So many are remembered; beyond that the oldest are left to their windows. */
const MOST = 1000
/** Told at once. */
const BATCH = 50

export class Forgetting {
  readonly #tell: (subject: string) => Promise<unknown>
  readonly #onRefused: (error: unknown) => void
  readonly #lost = new Set<string>()
  #retrying: Promise<void> | null = null

  /**
   * @param tell takes what is counted of a subject out of Redis
   * @param onRefused hears what Redis answered that will not do it
   */
  constructor(tell: (subject: string) => Promise<unknown>, onRefused: (error: unknown) => void) {
    this.#tell = tell
    this.#onRefused = onRefused
  }

  /** How many Redis is still to be told of. */
  get size(): number {
    return this.#lost.size
  }

  /** Waits for nothing. */
  forget(subject: string): void {
    void this.#try(subject).catch(() => undefined)
  }

  /**
   * Tells what is still to be told: whoever asks about a subject before would get what it counted.
   *
   * @returns null when there is nothing; rejects as `tell` does, when Redis is still away
   */
  retry(): Promise<void> | null {
    if (this.#lost.size === 0) return null
    this.#retrying ??= this.#retryAll().finally(() => {
      this.#retrying = null
    })
    return this.#retrying
  }

  async #retryAll(): Promise<void> {
    const [first, ...others] = this.#lost
    // One alone finds out whether Redis is back.
    if (first !== undefined) await this.#try(first)
    for (let at = 0; at < others.length; at += BATCH) {
      await Promise.all(others.slice(at, at + BATCH).map((subject) => this.#try(subject)))
    }
  }

  async #try(subject: string): Promise<void> {
    try {
      await this.#tell(subject)
    } catch (error) {
      if (isRedisAway(error)) {
        this.#remember(subject)
        throw error
      }
      this.#onRefused(error)
    }
    this.#lost.delete(subject)
  }

  #remember(subject: string): void {
    this.#lost.delete(subject)
    this.#lost.add(subject)
    if (this.#lost.size <= MOST) return
    for (const oldest of this.#lost) {
      this.#lost.delete(oldest)
      return
    }
  }
}
