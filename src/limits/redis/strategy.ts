/** How the script calls the strategies. */
import { exactLog } from '../exact-log.ts'
import type { Rate, Strategy } from '../rate.ts'
import { slidingWindow } from '../sliding-window.ts'

/** The exact log, sub-windows, the counter, the bucket. */
type Letter = 'e' | 's' | 'c' | 'b'

const LETTERS: Readonly<Record<Strategy, (rate: Rate) => Letter>> = {
  'sliding-window': (rate) => (slidingWindow(rate) === exactLog ? 'e' : 's'),
  'sliding-window-counter': () => 'c',
  'token-bucket': () => 'b',
}

export function letterOf(rate: Rate): Letter {
  return LETTERS[rate.strategy](rate)
}
