/** How often what was asked of a memory was there. */
export interface CacheFigures {
  readonly hits: number
  readonly misses: number
  /** Entries that had to make room for others. */
  readonly evictions: number
  readonly size: number
}
