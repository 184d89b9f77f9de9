import type { UsageCheckpointRecord, UsageReceiptRecord, UsageRecord } from '../records.ts'

/** How far a journal is counted; see `UsageCheckpointRecord`. */
export type UsageCheckpoint = Pick<UsageCheckpointRecord, 'position' | 'target' | 'written'>

/** Rows to add, and the step that their journal makes with them. */
export interface UsageWrite {
  readonly journal: string
  /** As far as it was counted before; `START_OF_JOURNAL` where it never was. */
  readonly from: UsageCheckpoint
  readonly to: UsageCheckpoint
  /** Several of one counter are added up. */
  readonly rows: readonly UsageRecord[]
  /** Epoch ms. */
  readonly now: number
}

/** The key of rows where all requests are counted together. */
export const ALL_KEYS = '*'
/** The key of requests that came by none. */
export const NO_KEY = ''

export const START_OF_JOURNAL: UsageCheckpoint = Object.freeze({ position: 0, target: 0, written: 0 })

export interface KeyUsageQuery {
  readonly keyId: string
  readonly period: 'hour' | 'day'
  /** Epoch ms of the first period's start, inclusive. */
  readonly from: number
  /** Epoch ms, exclusive. */
  readonly to: number
}

/** What requests of one key came to; each list is added up by the member that names it. */
export interface KeyUsageSums {
  readonly statuses: readonly { readonly status: number; readonly requests: number }[]
  /** The most used first, at most 200. */
  readonly endpoints: readonly { readonly method: string; readonly route: string; readonly requests: number }[]
  /** Periods with requests, in order. */
  readonly series: readonly { readonly start: number; readonly requests: number; readonly errors: number }[]
  /** Counts by bucket of `lib/latency.ts`. */
  readonly latencies: readonly number[]
  /** µs */
  readonly duration: number
}

/** When a key was last used, epoch ms. */
export interface KeyTouch {
  readonly keyId: string
  readonly at: number
}

/** Counters of requests. Errors are answers of status 400 and above. */
export interface UsageStore {
  /**
   * Adds rows to the counters and moves the journal's checkpoint from `from` to `to`, in one transaction. Answers
   * whether this call did it: of racing callers that start from the same checkpoint exactly one does, the others change
   * nothing; so what was written is never counted twice, however often it is tried.
   */
  record(write: UsageWrite): Promise<boolean>
  /** Null for a journal of which nothing was counted. */
  checkpoint(journal: string): Promise<UsageCheckpoint | null>
  /**
   * Counts events that somebody reports, in one transaction: those of which no receipt is there get one, and the rows
   * that `toRows` makes of them are added. Answers the receipts that are new. Of racing callers with the same receipt
   * one counts it. Moves `lastUsedAt` of their keys first, as `touch` does but never beyond `now` (epoch ms), which
   * clocks that differ could say: also where all of them are there already, since what failed in between comes again.
   */
  accept<R extends UsageReceiptRecord>(
    receipts: readonly R[],
    toRows: (accepted: readonly R[]) => readonly UsageRecord[],
    now: number,
  ): Promise<readonly R[]>
  /** Moves `lastUsedAt` of the keys there are forward, never back; no other process hears of it. */
  touch(uses: readonly KeyTouch[]): Promise<void>
  /** What a whole day (UTC) came to may be taken from the rows of its day, whichever period is asked for. */
  sumsOfKey(query: KeyUsageQuery): Promise<KeyUsageSums>
  /** All requests together, by period (and status). In order of time. */
  overall(
    period: UsageRecord['period'],
    from: number,
  ): Promise<readonly Pick<UsageRecord, 'start' | 'status' | 'requests'>[]>
  /** The keys with most requests in days from `from` (epoch ms) on, the busiest first. */
  busiestKeys(
    from: number,
    limit: number,
  ): Promise<readonly { readonly keyId: string; readonly requests: number; readonly errors: number }[]>
  /** Deletes rows of a period that began before `before` (epoch ms), at most `limit`; answers how many. */
  purge(period: UsageRecord['period'], before: number, limit: number): Promise<number>
  /** Deletes receipts of events from before `before` (epoch ms), at most `limit`; answers how many. */
  purgeReceipts(before: number, limit: number): Promise<number>
  /** Deletes checkpoints that were not moved since `before` (epoch ms); answers how many. */
  purgeCheckpoints(before: number): Promise<number>
}
