import { within } from '../../lib/within.ts'
import { DatabaseTimeoutError } from './failures.ts'

/**
 * Gives up after `timeout` ms; a statement that was sent may still take effect.
 *
 * @param work is told whether its time is over
 * @throws DatabaseTimeoutError
 */
export async function withTimeout<T>(work: (isOver: () => boolean) => Promise<T>, timeout: number): Promise<T> {
  let isOver = false
  const working = work(() => isOver)
  if (await within(timeout, working)) return working
  isOver = true
  throw new DatabaseTimeoutError('The database did not answer in time.')
}
