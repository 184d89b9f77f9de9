/** The bounded memory of who has taken how much, for one rate. */
import type { Algorithm } from './algorithm.ts'
import type { Rate } from './rate.ts'

/** How many old subjects are looked at to make room for one newcomer. */
const LOOKS = 8

/** How often per generation these looks may begin again at the first one; each beginning may skip many gaps. */
const PASSES = 8

/**
 * Two generations: whoever is touched moves to the young one, and once they are as long as a state can matter, the old
 * one is dropped whole, since its subjects are as good as new. No timers, nothing per subject but a Map entry.
 *
 * When it is full, idle subjects of the old generation leave first. When none is found there, newcomers share one state:
 * nobody active is forgotten, nobody is let through unseen. Once there is room they begin on their own again, charged
 * with what was taken of the shared state: whose it was is not known, and nobody has the limit twice.
 *
 * The number of subjects is bounded, not the length of their names.
 */
export class SubjectStore<S> {
  readonly #algorithm: Algorithm<S>
  readonly #rate: Rate
  readonly #capacity: number
  /** ms. */
  readonly #generation: number
  #young = new Map<string, S>()
  #old = new Map<string, S>()
  /** ms; when the young generation began. */
  #since = Number.NEGATIVE_INFINITY
  /** ms; when any subject was last touched. */
  #touched = Number.NEGATIVE_INFINITY
  #overflow: S | undefined
  /** States that began with what was taken of the shared one. */
  readonly #charged = new WeakSet<object>()
  #pass: MapIterator<[string, S]> | undefined
  /** ms; when `#pass` began. */
  #passSince = Number.NEGATIVE_INFINITY

  /** @param capacity how many subjects at most, at least 1 */
  constructor(algorithm: Algorithm<S>, rate: Rate, capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`capacity must be a whole number from 1 on, not ${capacity}`)
    }
    this.#algorithm = algorithm
    this.#rate = rate
    this.#capacity = capacity
    this.#generation = algorithm.idleAfter(rate)
  }

  /** Subjects held, without those that share; idle ones count until they are dropped. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Whether all that is counted for a subject was its own: nothing of a state that it shared with others. */
  isOwn(subject: string): boolean {
    const state = this.#young.get(subject) ?? this.#old.get(subject)
    return typeof state === 'object' && state !== null && !this.#charged.has(state)
  }

  /** The subject's own state, when it has one. */
  get(subject: string, now: number): S | undefined {
    const age = now - this.#since
    if (age >= this.#generation || age < -this.#generation) this.#turn(now, age)
    this.#touched = now
    const state = this.#young.get(subject)
    if (state !== undefined || this.#old.size === 0) return state
    const old = this.#old.get(subject)
    if (old === undefined) return undefined
    this.#old.delete(subject)
    this.#young.set(subject, old)
    return old
  }

  /** A new state for a subject that `get` has just not found: its own, or the shared one when there is no room. */
  create(subject: string, now: number): S {
    if (!this.#hasRoom(now)) return this.#shared(now)
    const state = this.#begin(now)
    this.#young.set(subject, state)
    return state
  }

  /** The state that would count for a subject; nothing is kept of a newcomer. */
  peek(subject: string, now: number): S {
    const state = this.get(subject, now)
    if (state !== undefined) return state
    return this.#hasRoom(now) ? this.#begin(now) : this.#shared(now)
  }

  /** Forgets a subject's own state; what it took of the shared one stays taken. */
  delete(subject: string): void {
    if (!this.#young.delete(subject)) this.#old.delete(subject)
  }

  /** Whether everything held is as good as new. */
  isIdle(now: number): boolean {
    if (this.size === 0 && this.#overflow === undefined) return true
    this.#touched = Math.min(this.#touched, now)
    return now - this.#touched >= this.#generation
  }

  #begin(now: number): S {
    const state = this.#algorithm.start(this.#rate, now)
    if (this.#overflow === undefined) return state
    const taken = this.#rate.burst - this.#algorithm.available(this.#overflow, this.#rate, now)
    if (taken <= 0) {
      this.#overflow = undefined
      return state
    }
    this.#algorithm.take(state, this.#rate, now, taken)
    if (typeof state === 'object' && state !== null) this.#charged.add(state)
    return state
  }

  #shared(now: number): S {
    this.#overflow ??= this.#algorithm.start(this.#rate, now)
    return this.#overflow
  }

  #turn(now: number, age: number): void {
    this.#since = now
    this.#passSince = Math.min(this.#passSince, now)
    // The clock has jumped back by more than a generation: it begins again, and nobody is dropped for that.
    if (age < 0) return
    this.#old = age >= 2 * this.#generation ? new Map() : this.#young
    this.#young = new Map()
    this.#pass = undefined
  }

  #hasRoom(now: number): boolean {
    return this.size < this.#capacity || this.#dropIdle(now)
  }

  /** Looks at the next few old subjects and drops the idle ones; a pass goes on where the last look ended. */
  #dropIdle(now: number): boolean {
    if (this.#pass === undefined) {
      if (this.#old.size === 0 || now - this.#passSince < this.#generation / PASSES) return false
      this.#pass = this.#old.entries()
      this.#passSince = now
    }
    for (let looks = 0; looks < LOOKS; looks++) {
      const { done, value } = this.#pass.next()
      if (done === true) {
        this.#pass = undefined
        break
      }
      if (this.#algorithm.resetAfter(value[1], this.#rate, now) === 0) this.#old.delete(value[0])
    }
    return this.size < this.#capacity
  }
}
