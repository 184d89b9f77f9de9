/** The limiters of a core: one for each limit and place where it counts. */
import { Limiter } from './limiter.ts'
import type { Rate } from './rate.ts'

/** So many may remember nobody before they are looked through. */
const MANY = 1000
/** More in use at once are no limits of an application any more. */
const MOST = 10_000

export class Limiters {
  readonly #capacity: number
  readonly #declared = new Map<string, Limiter>()
  readonly #occasional = new Map<string, Limiter>()
  /** As many as there were in use twice over: so a look at all of them is rare. */
  #sweepAt = MANY

  /** @param capacity how many subjects each remembers at most */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The limiter of a limit that a route declares; it may be held on to. */
  declared(place: string, rate: Rate): Limiter {
    const known = this.#declared.get(place)
    if (known !== undefined) return known
    // A handler may have asked for it before.
    const limiter = this.#occasional.get(place) ?? new Limiter(rate, this.#capacity)
    this.#occasional.delete(place)
    this.#declared.set(place, limiter)
    return limiter
  }

  /**
   * The limiter of a limit that only a request brings up (a key's own, one asked for in a handler). Ask for it again
   * once it is retired: it is thrown away when it is not in use.
   *
   * @param now epoch ms
   * @throws RangeError when there are as many limits as requests: they must not be made from what a request says
   */
  occasional(place: string, rate: Rate, now: number): Limiter {
    const known = this.#declared.get(place) ?? this.#occasional.get(place)
    if (known !== undefined) return known
    if (this.#occasional.size >= this.#sweepAt) this.#sweep(now)
    if (this.#occasional.size >= MOST) {
      throw new RangeError(`More than ${MOST} different limits are in use: do not make limits from what a request says`)
    }
    const limiter = new Limiter(rate, this.#capacity)
    this.#occasional.set(place, limiter)
    return limiter
  }

  #sweep(now: number): void {
    for (const [place, limiter] of this.#occasional) {
      if (!limiter.isIdle(now)) continue
      limiter.isRetired = true
      this.#occasional.delete(place)
    }
    this.#sweepAt = Math.min(MOST, Math.max(MANY, 2 * this.#occasional.size))
  }

  /** Lets a subject start anew everywhere. */
  forget(subject: string): void {
    for (const limiter of this.#declared.values()) limiter.forget(subject)
    for (const limiter of this.#occasional.values()) limiter.forget(subject)
  }
}
