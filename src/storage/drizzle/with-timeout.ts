import { DatabaseTimeoutError } from './failures.ts'

/** ms in which an answer that has arrived is read. */
const READING = 5

/**
 * Gives up after `timeout` ms; a statement that was sent may still take effect.
 *
 * @param work is told whether its time is over
 * @throws DatabaseTimeoutError
 */
export async function withTimeout<T>(work: (isOver: () => boolean) => Promise<T>, timeout: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  let isOver = false
  function giveUp(): void {
    isOver = true
    late.reject(new DatabaseTimeoutError('The database did not answer in time.'))
  }
  // A process that was held up reads what came meanwhile first: timers come before sockets.
  const timer = setTimeout(() => setTimeout(giveUp, READING), timeout)
  try {
    return await Promise.race([work(() => isOver), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
