/** One limit of the shared counts, asked about one subject at a time. */
import type { Clock } from '../lib/clock.ts'
import type { Limiter, Reading } from './limiter.ts'
import type { SharedClaim, SharedLimits } from './shared-limits.ts'

export interface SharedCountOptions {
  readonly shared: SharedLimits
  /** Names the limit: the same in every process of an app, different for every two limits. */
  readonly place: string
  /** Of the rate. */
  readonly limiter: Limiter
  readonly clock: Clock
}

type Standing = Pick<Reading, 'isAllowed' | 'remaining'>

/** ms by which the clocks of shared and local counts may disagree about when a unit is free again. */
const EDGE = 250
const NONE_LEFT: Standing = { isAllowed: false, remaining: 0 }

/** Everything here rejects where the app wants requests to be refused without shared counts. */
export class SharedCount {
  readonly #options: SharedCountOptions

  constructor(options: SharedCountOptions) {
    this.#options = options
  }

  /** Takes units, as many as there are; `isAllowed` says whether that was all. */
  async take(subject: string, units: number): Promise<Standing> {
    const { shared, clock } = this.#options
    const [reading = NONE_LEFT] = await shared.hitAll([this.#claim(subject, units)], clock())
    const { isAllowed, remaining } = reading
    if (isAllowed || remaining === 0 || remaining >= units) return reading
    // It was all or nothing: the rest is taken as well, or another process would give it away once more.
    await shared.hitAll([this.#claim(subject, remaining)], clock())
    return NONE_LEFT
  }

  /** How a subject stands; null when the shared counts are away. */
  read(subject: string): Promise<Reading | null> {
    return this.#options.shared.read(this.#claim(subject, 0))
  }

  /**
   * As `read`, for one who may wait: a unit that will be there in a moment is waited for.
   *
   * @param wanted answers how many units would be worth it
   */
  async readSettled(subject: string, wanted: () => number): Promise<Reading | null> {
    const standing = await this.read(subject)
    const units = wanted()
    if (standing === null || standing.remaining >= units) return standing
    const reading = await this.#options.shared.read(this.#claim(subject, units))
    if (reading === null || reading.retryAfter > EDGE) return standing
    await Bun.sleep(reading.retryAfter)
    return this.read(subject)
  }

  #claim(subject: string, cost: number): SharedClaim {
    const { place, limiter } = this.#options
    return { place, limiter, subject, cost }
  }
}
