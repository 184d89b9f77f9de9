/** The exact sliding window: the time of every unit taken, in a ring that grows as far as it is needed. */
import type { Algorithm } from './algorithm.ts'

const NO_TIMES = new Float64Array(0)
const FIRST_CAPACITY = 4

/** Units of the newest time are a number only, so one burst, or a subject that came once, needs no ring. */
export class ExactLogState {
  /** ms. */
  newest: number
  /** Units taken at `newest`; 0 when the log is empty. */
  current = 0
  /** Where in `times` the oldest unit is. */
  head = 0
  /** Units in `times`, all taken before `newest`. */
  older = 0
  /** One slot a unit, in the order of time. */
  times = NO_TIMES

  constructor(now: number) {
    this.newest = now
  }
}

/** The time of a unit in the ring; 0 is the oldest. */
function timeAt(state: ExactLogState, index: number): number {
  const slot = state.head + index
  return state.times[slot < state.times.length ? slot : slot - state.times.length] as number
}

/** How many units of the ring were taken at `time` or before. Gallops first, since mostly few have left. */
function countUntil(state: ExactLogState, time: number): number {
  if (state.older === 0 || timeAt(state, 0) > time) return 0
  let low = 1
  let high = 1
  while (high < state.older && timeAt(state, high) <= time) {
    low = high + 1
    high *= 2
  }
  high = Math.min(high, state.older)
  while (low < high) {
    const middle = (low + high) >>> 1
    if (timeAt(state, middle) <= time) low = middle + 1
    else high = middle
  }
  return low
}

/** Drops what has left the window, which takes one comparison when nothing or everything has. */
function forget(state: ExactLogState, window: number, now: number): void {
  if (now < state.newest) pullBack(state, now)
  const horizon = now - window
  if (state.newest <= horizon) {
    state.current = 0
    state.older = 0
    return
  }
  const left = countUntil(state, horizon)
  if (left === 0) return
  state.older -= left
  state.head += left
  if (state.head >= state.times.length) state.head -= state.times.length
}

/** The clock has jumped back: units of the future become units of `now`. */
function pullBack(state: ExactLogState, now: number): void {
  const past = countUntil(state, now)
  state.current += state.older - past
  state.older = past
  state.newest = now
}

function grow(state: ExactLogState, needed: number, limit: number): void {
  let capacity = Math.max(FIRST_CAPACITY, state.times.length)
  while (capacity < needed) capacity *= 2
  const times = new Float64Array(Math.min(capacity, limit))
  for (let index = 0; index < state.older; index++) times[index] = timeAt(state, index)
  state.times = times
  state.head = 0
}

/** Moves the units of `newest` into the ring, since newer ones are about to follow. */
function push(state: ExactLogState, limit: number): void {
  const needed = state.older + state.current
  if (needed > state.times.length) grow(state, needed, limit)
  const length = state.times.length
  let slot = state.head + state.older
  for (let unit = state.current; unit > 0; unit--) {
    if (slot >= length) slot -= length
    state.times[slot] = state.newest
    slot += 1
  }
  state.older = needed
  state.current = 0
}

/** Never more than `limit` units in any [t, t + window): what was taken at t has left at exactly t + window. */
export const exactLog: Algorithm<ExactLogState> = {
  start(_rate, now) {
    return new ExactLogState(now)
  },

  available(state, rate, now) {
    forget(state, rate.window, now)
    return rate.limit - state.older - state.current
  },

  take(state, rate, now, cost) {
    if (now !== state.newest) {
      if (state.current > 0) push(state, rate.limit)
      state.newest = now
    }
    state.current += cost
  },

  waitFor(state, rate, now, cost) {
    if (cost > rate.limit) return Number.POSITIVE_INFINITY
    forget(state, rate.window, now)
    const missing = cost - (rate.limit - state.older - state.current)
    if (missing <= 0) return 0
    const leaving = missing <= state.older ? timeAt(state, missing - 1) : state.newest
    return leaving + rate.window - now
  },

  resetAfter(state, rate, now) {
    if (state.current === 0) return 0
    return Math.max(0, Math.min(rate.window, state.newest + rate.window - now))
  },

  idleAfter(rate) {
    return rate.window
  },
}
