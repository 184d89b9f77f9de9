/** Bounds attempts that cost something and may turn out wrong: those that did, and those under way. */
import type { Clock } from '../lib/clock.ts'
import { Limiter } from './limiter.ts'
import { createRate } from './rate.ts'
import { strangersRate } from './strangers.ts'

/** Wrong attempts of one subject in a minute. */
const RATE = createRate({ limit: 20, window: 60_000 })
/** Attempts of one subject under way at once. */
const MOST_RUNNING = 4
/** Attempts of one subject that wait for others of it. */
const MOST_WAITING = 256
/** ms that one has to wait for whom there is no room in the line. */
const NO_ROOM = 1000

/** What came of asking for a turn. */
export interface Turn {
  /** ms to wait before the next attempt; 0 when this one may begin. */
  readonly wait: number
  /** Ends an attempt that may begin, once. */
  leave(isWrong: boolean): void
}

/** The attempts that count together; kept only while there are any. */
interface Lane {
  readonly wrong: Limiter
  readonly subject: string
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
  readonly #strangers: Lane

  /** @param options.capacity how many subjects are remembered at most */
  constructor(options: { readonly clock: Clock; readonly capacity: number }) {
    this.#clock = options.clock
    this.#wrong = new Limiter(RATE, options.capacity)
    this.#strangers = createLane(new Limiter(strangersRate(RATE, options.capacity), 1), 'strangers')
  }

  /** Waits for a turn. */
  async enter(subject: string): Promise<Turn> {
    const own = this.#lanes.get(subject) ?? createLane(this.#wrong, subject)
    const wait = await this.#queue(own)
    const lane = wait > 0 && this.#isStranger(subject) ? this.#strangers : own
    return {
      wait: lane === own ? wait : await this.#queue(lane),
      leave: (isWrong) => this.#leave(lane, isWrong),
    }
  }

  /** Whether it has nothing left only since others took it: there was no room to tell them apart. */
  #isStranger(subject: string): boolean {
    return this.#wrong.read(subject, this.#clock()).remaining === 0 && !this.#wrong.isOwn(subject)
  }

  async #queue(lane: Lane): Promise<number> {
    const { remaining, retryAfter } = lane.wrong.read(lane.subject, this.#clock())
    if (remaining === 0) return retryAfter
    if (lane.running < Math.min(MOST_RUNNING, remaining)) {
      lane.running += 1
      if (lane !== this.#strangers) this.#lanes.set(lane.subject, lane)
      return 0
    }
    if (lane.waiting.length >= MOST_WAITING) return NO_ROOM
    return new Promise((resolve) => lane.waiting.push(resolve))
  }

  #leave(lane: Lane, isWrong: boolean): void {
    lane.running -= 1
    const now = this.#clock()
    if (isWrong) lane.wrong.hit(lane.subject, now)
    this.#advance(lane, now)
    if (lane.running === 0 && lane !== this.#strangers) this.#lanes.delete(lane.subject)
  }

  #advance(lane: Lane, now: number): void {
    while (lane.waiting.length > 0) {
      const { remaining, retryAfter } = lane.wrong.read(lane.subject, now)
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

function createLane(wrong: Limiter, subject: string): Lane {
  return { wrong, subject, running: 0, waiting: [] }
}
