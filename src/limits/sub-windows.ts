/** The sliding window for high limits: units per sixty-fourth of the window, and never more than the limit. */
import type { Algorithm } from './algorithm.ts'

/** A power of two: a number's low bits are its slot, and dividing by it is exact. */
const SUB_WINDOWS = 64

const NO_COUNTS = new Uint32Array(0)

/** Sub-windows are numbered from the epoch on. */
export class SubWindowsState {
  /** The sub-window of the last units taken. */
  newest: number
  /** Units of `newest`; 0 when everything has left. */
  current = 0
  /** The lowest sub-window that `counts` may have units of. */
  oldest: number
  /** Units in `counts`. */
  older = 0
  /** Units per sub-window before `newest`; no slots at all until there are any. */
  counts = NO_COUNTS

  constructor(newest: number) {
    this.newest = newest
    this.oldest = newest
  }
}

/** Floor of a quotient of safe integers is exact. */
function subWindowOf(time: number, window: number): number {
  return Math.floor((time * SUB_WINDOWS) / window)
}

/** ms until the last millisecond of a sub-window has left the window: until then it counts whole. */
function leavesAfter(index: number, window: number, now: number): number {
  return Math.ceil(((index + 1) * window) / SUB_WINDOWS) - 1 + window - now
}

function countAt(state: SubWindowsState, index: number): number {
  return state.older === 0 ? 0 : (state.counts[index & (SUB_WINDOWS - 1)] as number)
}

/** Takes a sub-window's units out of `counts`. */
function remove(state: SubWindowsState, index: number): number {
  const units = countAt(state, index)
  if (units === 0) return 0
  state.counts[index & (SUB_WINDOWS - 1)] = 0
  state.older -= units
  return units
}

function forget(state: SubWindowsState, window: number, now: number): void {
  // The next millisecond after now - window is the first that counts.
  const first = subWindowOf(now + 1, window) - SUB_WINDOWS
  if (first > state.oldest) {
    const end = Math.min(first, state.newest)
    for (let index = state.oldest; index < end && state.older > 0; index++) remove(state, index)
    if (state.newest < first) state.current = 0
    state.oldest = first
  }
  if (now * SUB_WINDOWS < state.newest * window) pullBack(state, subWindowOf(now, window))
}

/** The clock has jumped back: units of later sub-windows become units of this one. */
function pullBack(state: SubWindowsState, index: number): void {
  const from = Math.max(index, state.oldest)
  for (let later = from; later < state.newest && state.older > 0; later++) state.current += remove(state, later)
  state.newest = index
  state.oldest = Math.min(state.oldest, index)
}

/** Moves the units of `newest` among the others; its slot is free, as 64 sub-windows earlier nothing counts any more. */
function push(state: SubWindowsState): void {
  if (state.counts.length === 0) state.counts = new Uint32Array(SUB_WINDOWS)
  state.counts[state.newest & (SUB_WINDOWS - 1)] = state.current
  state.older += state.current
  state.current = 0
}

/**
 * Every sub-window that overlaps the window counts whole: 64 of them and the one partly left. So there are never more
 * than `limit` units in any window, and at least 64/65 of them are admitted under load.
 */
export const subWindows: Algorithm<SubWindowsState> = {
  start(rate, now) {
    return new SubWindowsState(subWindowOf(now, rate.window))
  },

  available(state, rate, now) {
    forget(state, rate.window, now)
    return rate.limit - state.older - state.current
  },

  take(state, rate, now, cost) {
    const index = subWindowOf(now, rate.window)
    if (state.current === 0) {
      state.newest = index
      state.oldest = index
    } else if (index !== state.newest) {
      push(state)
      state.newest = index
    }
    state.current += cost
  },

  waitFor(state, rate, now, cost) {
    if (cost > rate.limit) return Number.POSITIVE_INFINITY
    forget(state, rate.window, now)
    let missing = cost - (rate.limit - state.older - state.current)
    if (missing <= 0) return 0
    let index = state.oldest
    for (; index < state.newest; index++) {
      missing -= countAt(state, index)
      if (missing <= 0) break
    }
    return leavesAfter(index, rate.window, now)
  },

  resetAfter(state, rate, now) {
    if (state.current === 0) return 0
    const newest = Math.min(state.newest, subWindowOf(now, rate.window))
    return Math.max(0, leavesAfter(newest, rate.window, now))
  },

  idleAfter(rate) {
    return rate.window + Math.ceil(rate.window / SUB_WINDOWS)
  },
}
