import { type Database, once } from './database.ts'
import type { Handle } from './handle.ts'
import { type Prepared, type Steps, stepOf } from './transaction.ts'

/**
 * Answers what runs one statement inside of transactions: prepared once where these run on the connection of `handle`,
 * else for each of them.
 */
export function createPreparedStep<Answer>(
  { handle, synchronous }: Pick<Database, 'handle' | 'synchronous'>,
  prepare: (tx: Handle) => Prepared<Answer>,
): (tx: Handle, values: Record<string, unknown>) => Steps<Answer> {
  const prepared = once(() => prepare(handle))
  return (tx, values) => stepOf(synchronous ? prepared() : prepare(tx), values)
}
