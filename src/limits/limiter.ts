/** Decides who may go on: one rate, many subjects. */
import type { Algorithm } from './algorithm.ts'
import type { Rate } from './rate.ts'
import { algorithmOf, type State } from './strategies.ts'
import { SubjectStore } from './subject-store.ts'

/** How a subject stands to a rate. */
export interface Reading {
  readonly rate: Rate
  isAllowed: boolean
  /** Whole units that are left. */
  remaining: number
  /** ms until everything is available again; when refused, the same as `retryAfter`. */
  resetAfter: number
  /** ms until the same would be allowed; 0 when it is, Infinity when it costs more than can ever be available. */
  retryAfter: number
}

/** One of the limits that one request comes under. */
export interface Claim {
  readonly limiter: Limiter
  readonly subject: string
  /** Units, whole; 0 takes nothing. */
  readonly cost: number
}

function requireCost(cost: number): void {
  if (Number.isSafeInteger(cost) && cost >= 0) return
  throw new RangeError(`a cost must be a whole number from 0 on, not ${cost}`)
}

export class Limiter {
  readonly rate: Rate
  /** Whether it was thrown away: another one counts in its place, and it must not be asked any more. */
  isRetired = false
  readonly #algorithm: Algorithm<State>
  readonly #subjects: SubjectStore<State>

  /**
   * @param rate made by `createRate`
   * @param capacity how many subjects are remembered at most; when all are active, newcomers share one state
   * @throws RangeError when `capacity` is not a whole number from 1 on
   */
  constructor(rate: Rate, capacity: number) {
    this.rate = rate
    this.#algorithm = algorithmOf(rate)
    this.#subjects = new SubjectStore(this.#algorithm, rate, capacity)
  }

  /** How many subjects are remembered. */
  get size(): number {
    return this.#subjects.size
  }

  /** Whether all that is counted for a subject was its own: not so for one that came when there was no room. */
  isOwn(subject: string): boolean {
    return this.#subjects.isOwn(subject)
  }

  /**
   * Takes `cost` when it fits, else nothing, and says how it stands.
   *
   * @param subject any text, told apart from every other
   * @param now ms, whole; the time of this call, not of an earlier one before something was awaited
   * @param cost units, whole, from 0 on
   * @throws RangeError when `cost` is anything else
   */
  hit(subject: string, now: number, cost = 1): Reading {
    requireCost(cost)
    const known = this.#subjects.get(subject, now)
    // What takes nothing leaves nothing in memory.
    if (known === undefined && (cost === 0 || cost > this.rate.burst)) return this.read(subject, now, cost)
    const state = known ?? this.#subjects.create(subject, now)
    const remaining = this.#algorithm.available(state, this.rate, now)
    if (cost > remaining) return this.#refuse(state, now, cost, remaining)
    if (cost > 0) this.#algorithm.take(state, this.rate, now, cost)
    return this.#allow(state, now, remaining - cost)
  }

  /** How it stands, taking nothing: `isAllowed` says whether `cost` would fit. Parameters as for `hit`. */
  read(subject: string, now: number, cost = 1): Reading {
    requireCost(cost)
    return this.#judge(this.#subjects.peek(subject, now), now, cost)
  }

  /** Forgets what a subject took, but not what it took while it shared a state with others. */
  forget(subject: string): void {
    this.#subjects.delete(subject)
  }

  /** Whether nobody has come for so long that this limiter is as good as a new one. */
  isIdle(now: number): boolean {
    return this.#subjects.isIdle(now)
  }

  #judge(state: State, now: number, cost: number): Reading {
    const remaining = this.#algorithm.available(state, this.rate, now)
    return cost > remaining ? this.#refuse(state, now, cost, remaining) : this.#allow(state, now, remaining)
  }

  #allow(state: State, now: number, remaining: number): Reading {
    const resetAfter = this.#algorithm.resetAfter(state, this.rate, now)
    return { rate: this.rate, isAllowed: true, remaining, resetAfter, retryAfter: 0 }
  }

  #refuse(state: State, now: number, cost: number, remaining: number): Reading {
    const retryAfter = this.#algorithm.waitFor(state, this.rate, now, cost)
    return { rate: this.rate, isAllowed: false, remaining, resetAfter: retryAfter, retryAfter }
  }

  /** `hitAll`, in here since it needs the states themselves. Plain loops: it is on the way of every request. */
  static hitAll(claims: readonly Claim[], now: number): readonly Reading[] {
    const only = claims[0]
    if (only !== undefined && claims.length === 1) return [only.limiter.hit(only.subject, now, only.cost)]
    for (const { cost } of claims) requireCost(cost)
    const charges: Charge[] = []
    let isGranted = true
    for (const claim of claims) {
      const charge = claim.limiter.#charge(claim, charges, now)
      charges.push(charge)
      isGranted &&= charge.reading.isAllowed
    }
    if (isGranted) for (const charge of charges) charge.claim.limiter.#take(charge, now)
    const readings: Reading[] = []
    for (const charge of charges) {
      charge.claim.limiter.#conclude(charge, isGranted, now)
      readings.push(charge.reading)
    }
    return readings
  }

  #charge(claim: Claim, earlier: readonly Charge[], now: number): Charge {
    const state = this.#subjects.get(claim.subject, now) ?? this.#subjects.create(claim.subject, now)
    let total = claim.cost
    // By state, not by subject: subjects that share one share what is left of it.
    for (const charge of earlier) if (charge.state === state) total += charge.claim.cost
    return { claim, state, reading: this.#judge(state, now, total) }
  }

  #take({ claim, state }: Charge, now: number): void {
    if (claim.cost > 0) this.#algorithm.take(state, this.rate, now, claim.cost)
  }

  #conclude({ claim, state, reading }: Charge, isGranted: boolean, now: number): void {
    const resetAfter = this.#algorithm.resetAfter(state, this.rate, now)
    // What took nothing leaves nothing in memory; of a shared state nothing is deleted by this.
    if (resetAfter === 0) this.#subjects.delete(claim.subject)
    if (!isGranted) return
    reading.remaining = this.#algorithm.available(state, this.rate, now)
    reading.resetAfter = resetAfter
  }
}

interface Charge {
  readonly claim: Claim
  readonly state: State
  /** How it stood before anything was taken, the costs of earlier claims on the same state included. */
  readonly reading: Reading
}

/**
 * Takes every claim when all fit, else none; the readings are in the order of the claims.
 *
 * Claims of the same limiter and subject add up. Of a refused call, the readings that are not to blame say `isAllowed`
 * and what remains untouched; of a granted one, `remaining` is after taking.
 *
 * @param now ms, whole; as for `hit`
 * @throws RangeError when a cost is not a whole number from 0 on
 */
export function hitAll(claims: readonly Claim[], now: number): readonly Reading[] {
  return Limiter.hitAll(claims, now)
}
