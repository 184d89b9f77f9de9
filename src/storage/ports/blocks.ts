import type { BlockRecord } from '../records.ts'
import type { Page, PageRequest } from './page.ts'

export interface BlockStore {
  /**
   * Inserts a block, or merges it in one statement with the one of the same subject, scope and path. One that had
   * ended by `block.createdAt` is replaced whole. One that has not keeps its id and `createdAt`; the later of both
   * ends stands, with kind, reason and creator of the block it came from (of equal ends, the one that was there).
   * Answers the row that stands, and records a change of its id at `block.createdAt`. Racing callers leave one row
   * with the latest end.
   */
  put(block: BlockRecord): Promise<BlockRecord>
  /** The block, also when it has ended. */
  find(id: string): Promise<BlockRecord | null>
  /** Lifts a block; exactly one of racing callers receives the row. Records a change. */
  delete(id: string): Promise<BlockRecord | null>
  /** All that have not ended at `now` (ms), in no order: what a process keeps in memory. */
  listActive(now: number): Promise<readonly BlockRecord[]>
  /** Those that have not ended at `now` (ms). */
  list(page: PageRequest, now: number): Promise<Page<BlockRecord>>
  /** Deletes blocks that ended before `before` (ms), never one that was extended meanwhile; answers how many. */
  purge(before: number): Promise<number>
}
