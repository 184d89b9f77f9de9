import type { ChangeRecord } from '../records.ts'

/** The log of revocations and blocks by which processes on one database hear of each other. */
export interface ChangeStore {
  /**
   * Another number when somebody else wrote, cheap and synchronous (SQLite `data_version`). Null where the database
   * cannot tell, or where numbers may commit out of their order.
   */
  version(): number | null
  /** The newest sequence number, 0 when the log is empty. */
  latest(): Promise<number>
  /**
   * Changes after `sequence` that are committed, in order. On PostgreSQL a smaller number can commit after a larger one:
   * who reads must ask again from before those that are missing. `complete` is false when rows after `sequence` were
   * pruned, or when the log ends before it: forget everything.
   */
  since(sequence: number): Promise<{ changes: readonly ChangeRecord[]; complete: boolean }>
  /** Deletes changes older than `before` (ms), from the oldest number to the first that is not; the newest row stays. */
  prune(before: number): Promise<void>
}
