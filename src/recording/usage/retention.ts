/** Deletes counts for their age. */
import { DAY, HOUR } from '../../lib/time-units.ts'
import type { UsageStore } from '../../storage/ports/usage.ts'
import { purgeAll } from '../purging.ts'

export interface UsageRetention {
  readonly store: Pick<UsageStore, 'purge' | 'purgeReceipts' | 'purgeCheckpoints'>
  /** ms that hourly counts are kept. */
  readonly retention: number
  /** ms that daily counts are kept. */
  readonly dailyRetention: number
}

/** Minutes only tell how the last one and the last hour went. */
const MINUTES_KEPT = 2 * HOUR
/** Longer than a reported event may be old. */
const RECEIPTS_KEPT = 31 * DAY
/** Longer than a journal may wait for a process to read it. */
const CHECKPOINTS_KEPT = 90 * DAY

/**
 * Deletes what is older than it is kept, in batches, so that requests have their turn in between.
 *
 * @param now epoch ms
 * @param onProgress hears how many rows are deleted so far
 * @returns how many rows
 */
export async function purgeUsage(
  { store, retention, dailyRetention }: UsageRetention,
  now: number,
  onProgress: (deleted: number) => void = () => undefined,
): Promise<number> {
  let deleted = 0
  const onBatch = (purged: number) => {
    deleted += purged
    onProgress(deleted)
  }
  await purgeAll((limit) => store.purge('minute', now - MINUTES_KEPT, limit), onBatch)
  await purgeAll((limit) => store.purge('hour', now - retention, limit), onBatch)
  await purgeAll((limit) => store.purge('day', now - dailyRetention, limit), onBatch)
  await purgeAll((limit) => store.purgeReceipts(now - RECEIPTS_KEPT, limit), onBatch)
  return deleted + (await store.purgeCheckpoints(now - CHECKPOINTS_KEPT))
}
