/** Deletes what was counted and is older than it is kept. */
import { breathe } from '../../lib/breathe.ts'
import type { UsageStore } from '../../storage/ports/usage.ts'
import { DAY, HOUR } from './tally.ts'

/** How long counts are kept, ms. */
export interface UsageRetention {
  /** By the hour. */
  readonly retention: number
  /** By the day. */
  readonly dailyRetention: number
}

/** Of use for the last hour alone. */
const MINUTES_KEPT = 2 * HOUR
/** A day longer than a use may be reported, so that it never counts twice. */
const RECEIPTS_KEPT = 31 * DAY
/** Of journals that nobody reads any more. */
const CHECKPOINTS_KEPT = 90 * DAY

/** Rows in one statement, for which everybody else waits. */
const BATCH = 1000

/**
 * @param now epoch ms
 * @param onProgress hears how many rows are deleted so far
 * @returns how many rows
 */
export async function purgeUsage(
  store: Pick<UsageStore, 'purge' | 'purgeReceipts' | 'purgeCheckpoints'>,
  { retention, dailyRetention }: UsageRetention,
  now: number,
  onProgress: (deleted: number) => void = () => undefined,
): Promise<number> {
  let deleted = 0
  const deletions = [
    () => store.purge('minute', now - MINUTES_KEPT, BATCH),
    () => store.purge('hour', now - retention, BATCH),
    () => store.purge('day', now - dailyRetention, BATCH),
    () => store.purgeReceipts(now - RECEIPTS_KEPT, BATCH),
  ]
  for (const deleteSome of deletions) {
    let count = BATCH
    while (count === BATCH) {
      count = await deleteSome()
      deleted += count
      onProgress(deleted)
      await breathe()
    }
  }
  return deleted + (await store.purgeCheckpoints(now - CHECKPOINTS_KEPT))
}
