/** Two buckets, the previous one weighted by how much of it is still in the window: an estimate of constant size. */
import type { Algorithm } from './algorithm.ts'
import type { Rate } from './rate.ts'

export class CounterState {
  /** ms; when the current bucket began. Each subject has buckets of its own, so not all turn over at once. */
  start: number
  current = 0
  previous = 0

  constructor(now: number) {
    this.start = now
  }
}

function turn(state: CounterState, window: number, now: number): void {
  const elapsed = now - state.start
  if (elapsed < 0) {
    state.start = now
  } else if (elapsed >= 2 * window) {
    state.start = now
    state.current = 0
    state.previous = 0
  } else if (elapsed >= window) {
    state.start += window
    state.previous = state.current
    state.current = 0
  }
}

/** What is left of a turned state, which is less than nothing when a clock that jumped back made the past weigh more. */
function left(state: CounterState, rate: Rate, now: number): number {
  const weighted = Math.ceil((state.previous * (rate.window - (now - state.start))) / rate.window)
  return rate.limit - state.current - weighted
}

/** ms into a bucket from which on the weight of `previous` is at most `room` units; the whole window at most. */
function fitsAt(previous: number, room: number, window: number): number {
  return window - Math.floor((room * window) / previous)
}

/**
 * Estimates `previous * (1 - elapsed / window) + current`, as if the previous bucket had been filled evenly. A window
 * may thus see more than the limit when it was not. Exact arithmetic while limit * window is a safe integer.
 */
export const slidingWindowCounter: Algorithm<CounterState> = {
  start(_rate, now) {
    return new CounterState(now)
  },

  available(state, rate, now) {
    turn(state, rate.window, now)
    return Math.max(0, left(state, rate, now))
  },

  take(state, _rate, now, cost) {
    // Buckets begin with the first unit after a pause.
    if (state.current === 0 && state.previous === 0) state.start = now
    state.current += cost
  },

  waitFor(state, rate, now, cost) {
    if (cost > rate.limit) return Number.POSITIVE_INFINITY
    turn(state, rate.window, now)
    if (left(state, rate, now) >= cost) return 0
    const untilNext = state.start + rate.window - now
    const room = rate.limit - cost
    if (state.current > room) return untilNext + fitsAt(state.current, room, rate.window)
    return untilNext - rate.window + fitsAt(state.previous, room - state.current, rate.window)
  },

  resetAfter(state, rate, now) {
    turn(state, rate.window, now)
    if (state.current > 0) return state.start + 2 * rate.window - now
    return state.previous > 0 ? state.start + rate.window - now : 0
  },

  idleAfter(rate) {
    return 2 * rate.window
  },
}
