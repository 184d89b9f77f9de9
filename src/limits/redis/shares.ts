/** Limits while Redis is away: each process counts for itself, up to its share of each. */
import { hitAll, type Reading } from '../limiter.ts'
import { Limiters } from '../limiters.ts'
import { createRate, type Rate } from '../rate.ts'
import type { SharedClaim } from '../shared-limits.ts'

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

export class Shares {
  readonly #limiters: Limiters

  /** @param maxSubjects how many each limiter remembers at most */
  constructor(maxSubjects: number) {
    this.#limiters = new Limiters(maxSubjects)
  }

  /**
   * As `hitAll` of one process; readings are of the share, but for their `rate`.
   *
   * @param now epoch ms
   * @param processes how many share each limit
   * @throws RangeError when there are as many limits as requests
   */
  hitAll(claims: readonly SharedClaim[], now: number, processes: number): readonly Reading[] {
    const shares = claims.map(({ place, limiter, subject, cost }) => {
      const rate = shareOfRate(limiter.rate, processes)
      // Shares of another size are counted apart.
      const name = `${rate.strategy} ${rate.limit}/${rate.window}/${rate.burst} ${place}`
      return { limiter: this.#limiters.occasional(name, rate, now), subject, cost }
    })
    return hitAll(shares, now).map((reading, index) => {
      const { limiter, cost } = claims[index] as SharedClaim
      const { rate } = limiter
      if (Number.isFinite(reading.retryAfter) || cost > rate.burst) return { ...reading, rate }
      // More than a share, but not more than the limit: it fits again when Redis is back.
      return { ...reading, rate, resetAfter: rate.window, retryAfter: rate.window }
    })
  }

  /** Lets a subject start anew. */
  forget(subject: string): void {
    this.#limiters.forget(subject)
  }
}
