/** Who is to start anew: what Redis could not be told is told before it is asked anything again. */
import type { Clock } from '../../lib/clock.ts'
import { dropOldest } from '../../lib/drop-oldest.ts'
import { isRedisAway } from './away.ts'

/** So many are remembered; beyond that the oldest are left to their windows. */
const MOST = 1000
/** ms after which Redis is not told any more: that would take with it what others have counted since. */
const LATEST = 60_000
/** ms between two attempts while Redis is away. */
const PAUSE = 1000

export interface ForgettingOptions {
  /** Takes what is counted of a subject out of Redis; sends the command before it returns. */
  readonly tell: (subject: string) => Promise<unknown>
  /** Hears what Redis answered that will not do it. */
  readonly onRefused: (error: unknown) => void
  /** False while Redis is known to be away. */
  readonly isUp: () => boolean
  /** Epoch ms of this process. */
  readonly clock: Clock
}

export class Forgetting {
  readonly #options: ForgettingOptions
  /** Whom Redis is still to be told of, and since when, epoch ms. */
  readonly #lost = new Map<string, number>()
  /** Since when, of those that Redis is being told of: an object, so that each is only equal to itself. */
  readonly #sent = new Map<string, { readonly since: number }>()
  #triedAt = Number.NEGATIVE_INFINITY

  constructor(options: ForgettingOptions) {
    this.#options = options
  }

  /** How many Redis is still to be told of. */
  get size(): number {
    return this.#lost.size
  }

  /** Waits for nothing. */
  forget(subject: string): void {
    this.#lost.delete(subject)
    void this.#send(subject, this.#options.clock())
  }

  /**
   * Tells what is still to be told, and waits for nothing: what is sent afterwards on the same connection comes after it.
   *
   * @returns whether Redis may be asked; false while it is away and would answer with what is to be forgotten
   */
  catchUp(): boolean {
    if (this.#lost.size === 0) return true
    const { isUp, clock } = this.#options
    const now = clock()
    if (isUp()) {
      this.#dropLate(now)
      const all = [...this.#lost]
      this.#lost.clear()
      for (const [subject, since] of all) void this.#send(subject, since)
      return true
    }
    if (now >= this.#triedAt && now - this.#triedAt < PAUSE) return false
    this.#triedAt = now
    this.#dropLate(now)
    // One alone finds out whether Redis is back.
    for (const [subject, since] of this.#lost) {
      this.#lost.delete(subject)
      void this.#send(subject, since)
      return false
    }
    return true
  }

  async #send(subject: string, since: number): Promise<void> {
    const sent = { since }
    this.#sent.set(subject, sent)
    let isLost = false
    try {
      await this.#options.tell(subject)
    } catch (error) {
      isLost = isRedisAway(error)
      if (!isLost) this.#options.onRefused(error)
    }
    // A newer one of the same subject, on its way, lost or done, is as good.
    if (this.#sent.get(subject) !== sent) return
    this.#sent.delete(subject)
    if (isLost) this.#remember(subject, since)
  }

  #remember(subject: string, since: number): void {
    this.#lost.set(subject, since)
    if (this.#lost.size > MOST) dropOldest(this.#lost)
  }

  #dropLate(now: number): void {
    for (const [subject, since] of this.#lost) if (Math.abs(now - since) > LATEST) this.#lost.delete(subject)
  }
}
