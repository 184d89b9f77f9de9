/** Bounds attempts that cost something and may turn out wrong: those that did, and those under way. */
import type { Clock } from '../lib/clock.ts'
import { Limiter } from './limiter.ts'
import { createRate } from './rate.ts'

/** Wrong attempts of one subject in a minute. */
const RATE = createRate({ limit: 20, window: 60_000 })
/** Attempts of one subject under way at once. */
const MOST_RUNNING = 4
/** Attempts of one subject that wait for others of it. */
const MOST_WAITING = 256
/** ms that one has to wait for whom there is no room in the line. */
const NO_ROOM = 1000

/** The attempts of one subject; kept only while there are any. */
interface Lane {
  running: number
  /** Each hears how long it has to wait in ms: 0 when its turn has come. */
  readonly waiting: ((wait: number) => void)[]
}

/**
 * Lets a subject try while what it got wrong and what it has under way stay under a rate together: so no flood gets
 * more attempts than are allowed, however many come at once. What turns out right is not counted.
 */
export class AttemptGate {
  readonly #clock: Clock
  readonly #wrong: Limiter
  readonly #lanes = new Map<string, Lane>()

  /** @param options.capacity how many subjects are remembered at most */
  constructor(options: { readonly clock: Clock; readonly capacity: number }) {
    this.#clock = options.clock
    this.#wrong = new Limiter(RATE, options.capacity)
  }

  /**
   * Waits for a turn. Who gets one must `leave`.
   *
   * @returns ms to wait before the next attempt; 0 when this one may begin
   */
  async enter(subject: string): Promise<number> {
    const lane = this.#lanes.get(subject) ?? { running: 0, waiting: [] }
    const { remaining, retryAfter } = this.#wrong.read(subject, this.#clock())
    if (remaining === 0) return retryAfter
    if (lane.running < Math.min(MOST_RUNNING, remaining)) {
      lane.running += 1
      this.#lanes.set(subject, lane)
      return 0
    }
    if (lane.waiting.length >= MOST_WAITING) return NO_ROOM
    return new Promise((resolve) => lane.waiting.push(resolve))
  }

  /** Ends an attempt that was let in. */
  leave(subject: string, isWrong: boolean): void {
    const lane = this.#lanes.get(subject)
    if (lane === undefined) return
    lane.running -= 1
    const now = this.#clock()
    if (isWrong) this.#wrong.hit(subject, now)
    this.#advance(subject, lane, now)
    if (lane.running === 0) this.#lanes.delete(subject)
  }

  #advance(subject: string, lane: Lane, now: number): void {
    while (lane.waiting.length > 0) {
      const { remaining, retryAfter } = this.#wrong.read(subject, now)
      if (remaining > 0 && lane.running >= Math.min(MOST_RUNNING, remaining)) return
      const next = lane.waiting.shift()
      if (remaining > 0) lane.running += 1
      // Nothing is left: everybody who waits is sent away at once.
      next?.(remaining > 0 ? 0 : retryAfter)
    }
  }

  /** Lets a subject start anew. */
  forget(subject: string): void {
    this.#wrong.forget(subject)
  }
}
