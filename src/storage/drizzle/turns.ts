import { breathe } from '../../lib/breathe.ts'
import type { Database } from './database.ts'
import { createQueue } from './transaction.ts'

/** Runs a part of a long reading when it is its turn. */
export type Turns = <T>(part: () => Promise<T>) => Promise<T>

/**
 * Long readings go in parts. On SQLite, where nobody else has a turn while a part is read, each turn of the event loop
 * has one part, however many readings are under way; they take turns.
 */
export function createTurns({ dialect }: Pick<Database, 'dialect'>): Turns {
  if (dialect === 'postgres') return (part) => part()
  const queued = createQueue()
  return (part) =>
    queued(async () => {
      const answer = await part()
      await breathe()
      return answer
    })
}
