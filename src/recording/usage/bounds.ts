/** How much is kept of what cannot be written; a test gives less. */
export interface UsageBounds {
  /** Counters in memory. */
  readonly counters: number
  /** Keys whose last use is not written yet. */
  readonly lastUsed: number
}

export const USAGE_BOUNDS: UsageBounds = Object.freeze({ counters: 20_000, lastUsed: 100_000 })
