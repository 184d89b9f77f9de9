/** Counts wrong credentials by address, and has an address blocked that presents too many. */
import type { Clock } from '../lib/clock.ts'
import { MirroredLimiter } from './mirrored-limiter.ts'
import { createRate } from './rate.ts'
import type { SharedLimits } from './shared-limits.ts'
import { addressSubject } from './subjects.ts'

export interface AbuseOptions {
  readonly threshold: number
  /** ms */
  readonly window: number
  /** How many addresses are counted at most. */
  readonly capacity: number
  /** Whether nothing may block an address. */
  readonly isExempt: (address: string | null) => boolean
  /** Blocks a subject, from the next request on. */
  readonly block: (subject: string, now: number) => void
  /** Null where each process counts alone. */
  readonly shared?: SharedLimits | null
  /** Says when others were heard of; the time of the system when not given. */
  readonly clock?: Clock
}

const UNKNOWN = addressSubject(null)

export class AbuseGuard {
  readonly #options: AbuseOptions
  readonly #limiter: MirroredLimiter

  constructor(options: AbuseOptions) {
    this.#options = options
    const { threshold, window, capacity, shared = null, clock = Date.now } = options
    const rate = createRate({ limit: threshold, window })
    this.#limiter = new MirroredLimiter({ rate, capacity, place: 'abuse', shared, clock })
  }

  /** The last of them was presented here, and most of the others elsewhere. */
  readonly #blockForAll = (subject: string, now: number): void => {
    if (subject !== UNKNOWN && this.#limiter.isOwn(subject)) this.#options.block(subject, now)
  }

  /**
   * Notes one credential that is unknown or forged.
   *
   * Where no address is known everybody would be blocked: there only the wrong credentials themselves are refused.
   *
   * @param now epoch ms
   * @returns ms that whoever presents one more has to wait, 0 while the threshold is not passed
   */
  note(address: string | null, now: number): number {
    const { isExempt, block } = this.#options
    if (isExempt(address)) return 0
    const subject = addressSubject(address)
    const { isAllowed, remaining, retryAfter } = this.#limiter.hit(subject, now, 1, this.#blockForAll)
    if (address === null) return isAllowed ? 0 : retryAfter
    if (remaining > 0) return 0
    // In a flood from more addresses than are remembered, newcomers are counted together: none is blocked for others.
    if (this.#limiter.isOwn(subject)) block(subject, now)
    else this.#limiter.forgetHere(subject)
    return 0
  }

  /** Lets an address start anew in this process, until it hears of the others. */
  forgetHere(subject: string): void {
    this.#limiter.forgetHere(subject)
  }
}
