/** A limit in words of numbers: so many units per window, counted by a strategy. */

export const STRATEGIES = ['sliding-window', 'sliding-window-counter', 'token-bucket'] as const

export type Strategy = (typeof STRATEGIES)[number]

/** A compiled limit, frozen. */
export interface Rate {
  readonly strategy: Strategy
  /** Units per window, 1 to 1e9. */
  readonly limit: number
  /** ms, whole. */
  readonly window: number
  /** The most that can be taken at once: the capacity of a token bucket, for the others the limit. */
  readonly burst: number
}

const MOST_UNITS = 1e9

/** 100 years in ms, as for durations. With it every product of times stays a safe integer. */
const LONGEST_WINDOW = 36_525 * 86_400_000

function requireWhole(name: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new RangeError(`${name} of a rate must be a whole number from 1 to ${most}, not ${value}`)
}

/**
 * Compiles a limit.
 *
 * @param given `limit` in units, `window` in ms, `strategy` (sliding-window when not given), `burst` in units (for the
 * token bucket only; its limit when not given)
 * @throws RangeError when a number is out of range, the strategy is unknown, or a `burst` would have no effect
 * @example createRate({ limit: 60, window: 60_000 })
 */
export function createRate(given: { limit: number; window: number; strategy?: Strategy; burst?: number }): Rate {
  const strategy = given.strategy ?? 'sliding-window'
  if (!STRATEGIES.includes(strategy)) {
    throw new RangeError(`strategy of a rate must be one of ${STRATEGIES.join(', ')}`)
  }
  if (given.burst !== undefined && strategy !== 'token-bucket') {
    throw new RangeError(`burst of a rate is for the strategy token-bucket, not ${strategy}`)
  }
  const limit = requireWhole('limit', given.limit, MOST_UNITS)
  const window = requireWhole('window', given.window, LONGEST_WINDOW)
  const burst = given.burst === undefined ? limit : requireWhole('burst', given.burst, MOST_UNITS)
  return Object.freeze({ strategy, limit, window, burst })
}
