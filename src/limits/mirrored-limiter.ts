/** A limiter of one process that learns what others counted: for guards that cannot wait for an answer. */
import type { Clock } from '../lib/clock.ts'
import { Limiter, type Reading } from './limiter.ts'
import type { Rate } from './rate.ts'
import { SharedCount } from './shared-count.ts'
import type { SharedLimits } from './shared-limits.ts'
import { SpentSubjects } from './spent-subjects.ts'

export interface MirroredLimiterOptions {
  readonly rate: Rate
  /** How many subjects are remembered at most. */
  readonly capacity: number
  /** Names the limit: the same in every process of an app, different for every two limits. */
  readonly place: string
  /** Null where each process counts alone. */
  readonly shared: SharedLimits | null
  readonly clock: Clock
}

/** Hears that others have taken what a subject had left here. */
export type OnExhausted = (subject: string, now: number) => void

/** What the shared counts are being told of one subject. */
interface Telling {
  /** Taken here since the last message. */
  units: number
  onExhausted: OnExhausted | undefined
}

/** What there is only where counts are shared. */
interface Others {
  readonly count: SharedCount
  /** Whom the shared counts have refused. */
  readonly spent: SpentSubjects
}

/** So many subjects may be told or asked about at once; what comes beyond that is counted here only. */
const MOST_IN_FLIGHT = 10_000
const NOTHING: Promise<Reading | null> = Promise.resolve(null)

/**
 * Counts here at once, and in all processes a moment later: what others took of a subject is taken here too as soon as
 * it is known.
 *
 * Nobody waits for an answer, so each process lets through what it has left until it has heard of the others: mostly
 * one unit, which is refused there and keeps the subject out of this process for a window. With several processes no
 * window has more than the limit, one unit for each process, and what is taken while an answer is under way. Who can
 * wait asks first (`refresh`), and then has no more than the limit, but for what is taken meanwhile.
 *
 * What others took counts here from the moment it is heard of, so it leaves the window later than where it was taken:
 * this may be too strict, by one window at most (a token bucket: by the time that those tokens take to come back), and
 * is never too lenient for it. Only differences are taken, so answers may come twice or late.
 *
 * Where the shared counts are away, and for newcomers while more subjects come than are remembered, it is the local
 * limiter. Without shared counts it is nothing else.
 */
export class MirroredLimiter {
  readonly #options: MirroredLimiterOptions
  readonly #local: Limiter
  readonly #others: Others | null
  readonly #telling = new Map<string, Telling>()
  readonly #asking = new Map<string, Promise<Reading | null>>()

  constructor(options: MirroredLimiterOptions) {
    this.#options = options
    const { rate, capacity, place, shared, clock } = options
    this.#local = new Limiter(rate, capacity)
    if (shared === null) {
      this.#others = null
      return
    }
    shared.declare(place, rate)
    // Another limiter, so that nothing is taken here twice should shared counts that are away take it of this one.
    const limiter = new Limiter(rate, capacity)
    const count = new SharedCount({ shared, place, limiter, clock })
    this.#others = { count, spent: new SpentSubjects(rate.window, capacity) }
  }

  /** Whether others are asked at all: without them nobody need wait for `refresh`. */
  get isShared(): boolean {
    return this.#others !== null
  }

  /** As `Limiter.isOwn`; what all processes have counted of a subject is its own. */
  isOwn(subject: string): boolean {
    return this.#local.isOwn(subject) || this.#waitOf(subject, this.#options.clock()) > 0
  }

  /**
   * As `Limiter.hit`, for this process; the others hear of what was taken.
   *
   * @param onExhausted is called when the answer leaves the subject nothing that it still had here
   */
  hit(subject: string, now: number, cost = 1, onExhausted?: OnExhausted): Reading {
    const wait = this.#waitOf(subject, now)
    if (wait > 0) return this.#refusal(wait, cost)
    const reading = this.#local.hit(subject, now, cost)
    // Who is refused here takes nothing anywhere: a hammer does not reach the shared counts.
    if (this.#others !== null && reading.isAllowed && cost > 0) this.#tell(this.#others, subject, cost, onExhausted)
    return reading
  }

  /** As `Limiter.read`, for this process. */
  read(subject: string, now: number, cost = 1): Reading {
    const wait = this.#waitOf(subject, now)
    return wait > 0 ? this.#refusal(wait, cost) : this.#local.read(subject, now, cost)
  }

  /**
   * Learns what others took. Never rejects, and takes no longer than the shared counts may take to answer, and a
   * moment.
   *
   * @returns how the subject stands in all processes; null when nobody knows, or there is nothing to learn since it has
   * nothing left here
   */
  refresh(subject: string): Promise<Reading | null> {
    const remaining = () => this.#remaining(subject)
    if (this.#others === null || remaining() === 0) return NOTHING
    const asked = this.#asking.get(subject)
    if (asked !== undefined) return asked
    if (this.#asking.size >= MOST_IN_FLIGHT) return NOTHING
    const asking: Promise<Reading | null> = this.#others.count.readSettled(subject, remaining).then(
      (standing) => this.#learn(subject, asking, standing),
      () => this.#learn(subject, asking, null),
    )
    this.#asking.set(subject, asking)
    return asking
  }

  /** Lets a subject start anew in this process, until it hears of the others. */
  forgetHere(subject: string): void {
    this.#local.forget(subject)
    this.#others?.spent.delete(subject)
    this.#telling.delete(subject)
    this.#asking.delete(subject)
  }

  /** ms that the others keep a subject out. */
  #waitOf(subject: string, now: number): number {
    return this.#others === null ? 0 : this.#others.spent.wait(subject, now)
  }

  #refusal(wait: number, cost: number): Reading {
    const isAllowed = cost === 0
    return { rate: this.#options.rate, isAllowed, remaining: 0, resetAfter: wait, retryAfter: isAllowed ? 0 : wait }
  }

  #tell(others: Others, subject: string, cost: number, onExhausted: OnExhausted | undefined): void {
    const telling = this.#telling.get(subject)
    if (telling !== undefined) {
      telling.units += cost
      telling.onExhausted = onExhausted
      return
    }
    if (this.#telling.size >= MOST_IN_FLIGHT) return
    const begun = { units: cost, onExhausted }
    this.#telling.set(subject, begun)
    void this.#exchange(others, subject, begun)
  }

  /** One message of a subject at a time; what is taken meanwhile goes into the next one. */
  async #exchange({ count, spent }: Others, subject: string, telling: Telling): Promise<void> {
    const isCurrent = () => this.#telling.get(subject) === telling
    try {
      while (telling.units > 0 && isCurrent()) {
        const units = Math.min(telling.units, this.#options.rate.burst)
        telling.units = 0
        const { isAllowed, remaining } = await count.take(subject, units)
        if (!isCurrent() || (isAllowed && remaining >= this.#remaining(subject))) continue
        // Counts that are away may have been made here, with a share of the rate: this says whether they are.
        const standing = await count.read(subject)
        if (standing === null || !isCurrent()) continue
        const now = this.#options.clock()
        const isExhausted = this.#topUp(subject, standing, now)
        if (!isAllowed && standing.remaining === 0) spent.add(subject, now)
        if (isExhausted) telling.onExhausted?.(subject, now)
      }
    } catch {
      // It is counted here.
    } finally {
      if (isCurrent()) this.#telling.delete(subject)
    }
  }

  #learn(subject: string, asking: Promise<Reading | null>, standing: Reading | null): Reading | null {
    if (this.#asking.get(subject) !== asking) return null
    this.#asking.delete(subject)
    if (standing !== null) this.#topUp(subject, standing, this.#options.clock())
    return standing
  }

  /** Takes here what others took. @returns whether that left nothing */
  #topUp(subject: string, { remaining }: Reading, now: number): boolean {
    // A newcomer without a room of its own would take it of all who share one.
    if (!this.#local.isOwn(subject) && this.#local.size >= this.#options.capacity) return false
    const missing = this.#local.read(subject, now, 0).remaining - remaining
    if (missing <= 0) return false
    this.#local.hit(subject, now, missing)
    return remaining === 0
  }

  #remaining(subject: string): number {
    return this.read(subject, this.#options.clock(), 0).remaining
  }
}
