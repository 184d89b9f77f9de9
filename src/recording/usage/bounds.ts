/** How much is kept of what cannot be written; a test gives less. */
export interface UsageBounds {
  /** Counters in memory. */
  readonly counters: number
  /** Keys whose last use is not written yet. */
  readonly lastUsed: number
  /** Bytes of one file of the journal. */
  readonly segmentBytes: number
  /** Bytes of all files of one process. */
  readonly journalBytes: number
}

const MEBIBYTE = 1_048_576

export const USAGE_BOUNDS: UsageBounds = Object.freeze({
  counters: 20_000,
  lastUsed: 100_000,
  segmentBytes: 4 * MEBIBYTE,
  journalBytes: 256 * MEBIBYTE,
})
