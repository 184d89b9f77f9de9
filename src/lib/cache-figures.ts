/** How often what was asked of a memory was there. */
export interface CacheFigures {
  readonly hits: number
  readonly misses: number
  /** Answers out of memory, hit or miss, that storage was asked to confirm and could not: it was away. */
  readonly stale: number
  /** Entries that had to make room for others. */
  readonly evictions: number
  readonly size: number
}
