import type { ChangeRecord } from '../records.ts'

/** The log of revocations and blocks by which processes on one database hear of each other. */
export interface ChangeStore {
  /** Cheap and synchronous where the database can tell (SQLite `data_version`); null where it cannot. */
  version(): number | null
  /** The newest sequence number, 0 when the log is empty. */
  latest(): Promise<number>
  /**
   * Changes after `sequence`, and again those of the last `overlap` ms before `now`: on PostgreSQL a smaller number
   * can commit after a larger one. `complete` is false when older rows were pruned: forget everything.
   */
  since(
    sequence: number,
    now: number,
    overlap: number,
  ): Promise<{ changes: readonly ChangeRecord[]; complete: boolean }>
  /** Deletes changes older than `before` (ms). */
  prune(before: number): Promise<void>
}
