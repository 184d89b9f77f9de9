/** A bucket that holds up to `burst` tokens and gains `limit` of them per window. */
import type { Algorithm } from './algorithm.ts'
import type { Rate } from './rate.ts'

export class BucketState {
  /** Tokens times window, so that each ms adds exactly `limit`, and nothing is rounded while it is a safe integer. */
  level: number
  /** ms; when `level` was right. */
  at: number

  constructor(level: number, now: number) {
    this.level = level
    this.at = now
  }
}

function refill(state: BucketState, rate: Rate, now: number): void {
  if (now > state.at) state.level = Math.min(rate.burst * rate.window, state.level + (now - state.at) * rate.limit)
  state.at = now
}

/** Exact while burst * window is a safe integer; beyond, to one part in 1e15. */
export const tokenBucket: Algorithm<BucketState> = {
  start(rate, now) {
    return new BucketState(rate.burst * rate.window, now)
  },

  available(state, rate, now) {
    refill(state, rate, now)
    return Math.floor(state.level / rate.window)
  },

  take(state, rate, _now, cost) {
    // Below nothing only by what rounding has promised too much.
    state.level = Math.max(0, state.level - cost * rate.window)
  },

  waitFor(state, rate, now, cost) {
    if (cost > rate.burst) return Number.POSITIVE_INFINITY
    refill(state, rate, now)
    return Math.max(0, Math.ceil((cost * rate.window - state.level) / rate.limit))
  },

  resetAfter(state, rate, now) {
    refill(state, rate, now)
    return Math.ceil((rate.burst * rate.window - state.level) / rate.limit)
  },

  idleAfter(rate) {
    return Math.ceil((rate.burst * rate.window) / rate.limit)
  },
}
