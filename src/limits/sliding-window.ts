/** The default strategy: no window of time ever has more than the limit. */
import type { Algorithm } from './algorithm.ts'
import { type ExactLogState, exactLog } from './exact-log.ts'
import type { Rate } from './rate.ts'
import { type SubWindowsState, subWindows } from './sub-windows.ts'

/** Up to here a log of every unit is affordable: 8 bytes each. */
const EXACT_UNTIL = 1000

export function slidingWindow(rate: Rate): Algorithm<ExactLogState> | Algorithm<SubWindowsState> {
  return rate.limit <= EXACT_UNTIL ? exactLog : subWindows
}
