/** What a way of counting must answer, from nothing but a subject's state, the rate and the time. */
import type { Rate } from './rate.ts'

/**
 * Times are whole milliseconds, costs whole units, at least 1.
 *
 * The state is changed in place, since an allocation per request is what a limiter can least afford; nothing else is.
 * A clock may jump back: what then lies in the future counts as happening now. So nothing taken is forgotten early,
 * and nobody waits for the length of the jump.
 */
export interface Algorithm<S> {
  /** The state of a subject that has taken nothing. */
  start(rate: Rate, now: number): S
  /** Whole units that may be taken at `now`; may forget what has left the window. */
  available(state: S, rate: Rate, now: number): number
  /** Takes units that `available` has just promised at the same `now`. */
  take(state: S, rate: Rate, now: number, cost: number): void
  /** ms until `cost` units are available if nothing else is taken; 0 when they are, Infinity when they never can be. */
  waitFor(state: S, rate: Rate, now: number, cost: number): number
  /** ms until everything is available again. */
  resetAfter(state: S, rate: Rate, now: number): number
  /** ms after the last units were taken from which on any state is as good as a new one. */
  idleAfter(rate: Rate): number
}
