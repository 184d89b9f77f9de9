/** Slow, obvious twins of the algorithms: every hit in a list, BigInt for what would be fractions. */
import type { Rate } from '../../src/limits/rate.ts'

interface Hit {
  time: number
  readonly cost: number
}

/** What each model answers of its list of hits, at a time not before the last one. */
type Available = (hits: readonly Hit[], rate: Rate, now: number) => number

export class Model {
  readonly rate: Rate
  readonly #available: Available
  #hits: Hit[] = []

  constructor(rate: Rate, available: Available) {
    this.rate = rate
    this.#available = available
  }

  /** What lies in the future counts as happening now. */
  observe(now: number): void {
    for (const hit of this.#hits) hit.time = Math.min(hit.time, now)
  }

  /** What has left once does not come back when the clock jumps back. */
  forget(now: number): void {
    this.#hits = this.#hits.filter((hit) => this.#available([hit], this.rate, now) < this.rate.limit)
  }

  available(now: number): number {
    return this.#available(this.#hits, this.rate, now)
  }

  take(time: number, cost: number): void {
    this.#hits.push({ time, cost })
  }
}

function sum(hits: readonly Hit[]): number {
  return hits.reduce((total, { cost }) => total + cost, 0)
}

const exact: Available = (hits, { limit, window }, now) => limit - sum(hits.filter(({ time }) => time + window > now))

/** A hit counts until the last millisecond of its sixty-fourth has left. */
const subWindows: Available = (hits, { limit, window }, now) => {
  const subWindow = (time: number) => (BigInt(time) * 64n) / BigInt(window)
  return limit - sum(hits.filter(({ time }) => subWindow(time) >= subWindow(now - window + 1)))
}

/** Buckets follow each other from the first hit on; a hit that finds two of them empty begins anew. */
const counter: Available = (hits, { limit, window }, now) => {
  let start = hits[0]?.time ?? now
  for (const [index, { time }] of hits.entries()) {
    while (time >= start + window) start += window
    if (!hits.slice(0, index).some((earlier) => earlier.time >= start - window)) start = time
  }
  while (now >= start + window) start += window
  const within = (from: number) => sum(hits.filter(({ time }) => time >= from && time < from + window))
  const weighted = BigInt(within(start - window)) * BigInt(window - (now - start))
  const free = BigInt(limit - within(start)) * BigInt(window) - weighted
  return Number(free / BigInt(window))
}

/** Tokens times window. */
const bucket: Available = (hits, { limit, window, burst }, now) => {
  const capacity = BigInt(burst) * BigInt(window)
  const refilled = (level: bigint, ms: number) => {
    const more = level + BigInt(ms) * BigInt(limit)
    return more > capacity ? capacity : more
  }
  let level = capacity
  let at = now
  for (const [index, { time, cost }] of hits.entries()) {
    if (index > 0) level = refilled(level, time - at)
    level -= BigInt(cost) * BigInt(window)
    at = time
  }
  return Number(refilled(level, now - at) / BigInt(window))
}

export const MODELS = { exact, subWindows, counter, bucket } as const
