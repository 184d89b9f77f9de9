/** How long requests took, counted by bounds: what can be added up, and still tells percentiles. */

/** ms; one more count than bounds, of those that took longer than the last. */
const LATENCY_BOUNDS = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000] as const

/** How many counts there are. */
export const LATENCY_BUCKETS = 12

/** @param elapsed ms */
export function latencyBucket(elapsed: number): number {
  let bucket = 0
  // Most requests are fast: the first bounds are met at once.
  for (const bound of LATENCY_BOUNDS) {
    if (elapsed <= bound) return bucket
    bucket += 1
  }
  return bucket
}

/**
 * Reads a percentile off counts, as if requests were spread evenly between two bounds.
 *
 * @param counts by bucket
 * @param fraction such as 0.99
 * @returns ms; null without any request. Above the last bound nothing is known but that it took longer: the bound.
 * @example latencyPercentile([10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0.5) // 0.25
 */
export function latencyPercentile(counts: readonly number[], fraction: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  const wanted = fraction * all
  let passed = 0
  for (const [bucket, count] of counts.entries()) {
    const from = LATENCY_BOUNDS[bucket - 1] ?? 0
    const to = LATENCY_BOUNDS[bucket] ?? from
    if (count > 0 && passed + count >= wanted) return from + ((wanted - passed) / count) * (to - from)
    passed += count
  }
  return LATENCY_BOUNDS.at(-1) ?? null
}
