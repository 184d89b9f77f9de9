/** Limits that this process decides alone: up to its share of each. */
import { hitAll, type Limiter, type Reading } from '../limiter.ts'
import { Limiters } from '../limiters.ts'
import { createRate, type Rate } from '../rate.ts'
import type { SharedClaim, SharedReading } from '../shared-limits.ts'

/** ms: as long as any window may be. */
const LONGEST = 36_525 * 86_400_000

/** At least 1: somebody must be let through. */
export function shareOf(units: number, processes: number): number {
  return Math.max(1, Math.floor(units / processes))
}

function shareOfRate(rate: Rate, processes: number): Rate {
  const { strategy, window } = rate
  const limit = shareOf(rate.limit, processes)
  if (strategy !== 'token-bucket') return createRate({ strategy, limit, window })
  return createRate({ strategy, limit, window, burst: shareOf(rate.burst, processes) })
}

function nameOf({ strategy, limit, window, burst }: Rate, place: string): string {
  return `${strategy} ${limit}/${window}/${burst} ${place}`
}

/** One of few rates that no limit of another is looser than: units rounded down to a power of two, the window up. */
function classOf({ strategy, limit, window, burst }: Rate): Rate {
  const down = (units: number) => 2 ** Math.floor(Math.log2(units))
  const rounded = { strategy, limit: down(limit), window: Math.min(LONGEST, 2 ** Math.ceil(Math.log2(window))) }
  return strategy === 'token-bucket' ? createRate({ ...rounded, burst: down(burst) }) : createRate(rounded)
}

/** A claim of this process alone. */
interface Own {
  readonly limiter: Limiter
  readonly subject: string
  readonly cost: number
}

export class Shares {
  readonly #limiters: Limiters
  /** For limits that there is no room for: those of about the same rate count together. */
  readonly #crowd: Limiters
  /** What was tried, let in or not. */
  readonly #tried: Limiters

  /** @param maxSubjects how many each limiter remembers at most */
  constructor(maxSubjects: number) {
    this.#limiters = new Limiters(maxSubjects)
    this.#crowd = new Limiters(maxSubjects)
    this.#tried = new Limiters(maxSubjects)
  }

  /**
   * As `hitAll` of one process, with a share of each limit. However often the number of processes changes, no more is
   * let in than the whole limit. Readings are of the share, but for their `rate`.
   *
   * @param now epoch ms
   * @param processes how many share each limit
   */
  hitAll(claims: readonly SharedClaim[], now: number, processes: number): readonly SharedReading[] {
    const ofRate = (rateOf: (rate: Rate) => Rate) =>
      claims.map((claim) => this.#own(this.#limiters, claim, rateOf(claim.limiter.rate), now))
    const shares = ofRate((rate) => shareOfRate(rate, processes))
    const wholes = ofRate((rate) => rate)
    // One that is as large as the limit counts once.
    const others = wholes.filter(({ limiter }, index) => limiter !== shares[index]?.limiter)
    const readings = hitAll([...shares, ...others], now)
    const isGranted = readings.every(({ isAllowed }) => isAllowed)
    return claims.map((claim, index) => {
      const ofShare = readings[index] as Reading
      const other = others.indexOf(wholes[index] as Own)
      const ofWhole = other === -1 ? ofShare : (readings[claims.length + other] as Reading)
      const reading = ofWhole.isAllowed ? ofShare : ofWhole
      const { rate } = claim.limiter
      const isOver = (isGranted || !reading.isAllowed) && this.#hasTriedTooMuch(claim, now)
      if (reading.isAllowed) return { ...reading, rate }
      const refused = { ...reading, rate, isOfShare: !isOver }
      if (Number.isFinite(reading.retryAfter) || claim.cost > rate.burst) return refused
      // More than a share, but not more than the limit: it fits again when Redis is back.
      return { ...refused, resetAfter: rate.window, retryAfter: rate.window }
    })
  }

  /** Lets a subject start anew. */
  forget(subject: string): void {
    for (const limiters of [this.#limiters, this.#crowd, this.#tried]) limiters.forget(subject)
  }

  /** Whether a subject itself, and none of those without room, has tried more in this process than all may let in. */
  #hasTriedTooMuch(claim: SharedClaim, now: number): boolean {
    const { limiter, subject, cost } = this.#own(this.#tried, claim, claim.limiter.rate, now)
    return !limiter.hit(subject, now, cost).isAllowed && limiter.isOwn(subject)
  }

  #own(limiters: Limiters, { place, subject, cost }: SharedClaim, rate: Rate, now: number): Own {
    try {
      return { limiter: limiters.occasional(nameOf(rate, place), rate, now), subject, cost }
    } catch {
      const rounded = classOf(rate)
      const name = nameOf(rounded, limiters === this.#tried ? 'tried' : '')
      return { limiter: this.#crowd.occasional(name, rounded, now), subject, cost }
    }
  }
}
