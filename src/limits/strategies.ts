/** Which algorithm counts for which strategy. */
import type { Algorithm } from './algorithm.ts'
import type { ExactLogState } from './exact-log.ts'
import type { Rate, Strategy } from './rate.ts'
import { slidingWindow } from './sliding-window.ts'
import { type CounterState, slidingWindowCounter } from './sliding-window-counter.ts'
import type { SubWindowsState } from './sub-windows.ts'
import { type BucketState, tokenBucket } from './token-bucket.ts'

/** An algorithm must be given only what it started itself; a limiter never mixes them, having one rate. */
export type State = ExactLogState | SubWindowsState | CounterState | BucketState

const ALGORITHMS: Readonly<Record<Strategy, (rate: Rate) => Algorithm<State>>> = {
  'sliding-window': slidingWindow,
  'sliding-window-counter': () => slidingWindowCounter,
  'token-bucket': () => tokenBucket,
}

export function algorithmOf(rate: Rate): Algorithm<State> {
  return ALGORITHMS[rate.strategy](rate)
}
