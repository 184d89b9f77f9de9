/** Durations counted by size: as much memory for a million of them as for one. */

/** Ends of buckets are this far apart: a percentile is right within 2 %. */
const STEP = Math.log(1.02)
/** µs; all below it are one. */
const LEAST = 10
const BUCKETS = 800

const bucketOf = (value: number) =>
  Math.min(BUCKETS - 1, Math.max(0, Math.ceil(Math.log(Math.max(value, LEAST) / LEAST) / STEP)))

export class Histogram {
  readonly #counts: number[]

  /** @param counts of another one, as `toJSON` gave them */
  constructor(counts: readonly number[] = []) {
    this.#counts = Array.from({ length: BUCKETS }, (_, bucket) => counts[bucket] ?? 0)
  }

  /** @param duration µs */
  add(duration: number): void {
    const bucket = bucketOf(duration)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
  }

  merge(other: Histogram): void {
    for (const [bucket, count] of other.#counts.entries()) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
  }

  get total(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  /**
   * @param fraction such as 0.99
   * @returns µs that so many take at most; NaN when there is none
   */
  quantile(fraction: number): number {
    let left = Math.max(1, Math.ceil(this.total * fraction))
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count
      if (left <= 0) return LEAST * Math.exp(bucket * STEP)
    }
    return Number.NaN
  }

  toJSON(): readonly number[] {
    return this.#counts.slice(0, this.#counts.findLastIndex((count) => count > 0) + 1)
  }
}
