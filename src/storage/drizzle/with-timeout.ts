import { DatabaseTimeoutError } from './failures.ts'

/**
 * Gives up after `timeout` ms; a statement that was sent may still take effect.
 *
 * @param work is told whether its time is over
 * @throws DatabaseTimeoutError
 */
export async function withTimeout<T>(work: (isOver: () => boolean) => Promise<T>, timeout: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    late.reject(new DatabaseTimeoutError('The database did not answer in time.'))
  }, timeout)
  try {
    return await Promise.race([work(() => isOver), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
