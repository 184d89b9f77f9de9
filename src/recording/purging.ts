/** Deletes for their age, a batch at a time: requests have their turn in between, and other writers wait for no more. */
import { breathe } from '../lib/breathe.ts'

/** Rows in one statement. */
const BATCH = 1000

/**
 * Deletes until there is nothing left to delete.
 *
 * @param purge deletes so many rows at most, and answers how many
 * @param onBatch hears how many each batch deleted
 * @returns how many rows in all
 * @example await purgeAll((limit) => store.purge('hour', before, limit))
 */
export async function purgeAll(
  purge: (limit: number) => Promise<number>,
  onBatch: (deleted: number) => void = () => undefined,
): Promise<number> {
  for (let deleted = 0; ; await breathe()) {
    const purged = await purge(BATCH)
    deleted += purged
    onBatch(purged)
    if (purged < BATCH) return deleted
  }
}
