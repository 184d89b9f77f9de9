/** What a run of mixed load came to, out of what was seen every few seconds. */
import { Histogram } from './histogram.ts'
import type { Look } from './server.ts'
import type { Tally } from './tally.ts'
import { type Trend, trendOf } from './trend.ts'

export interface Sample {
  /** s since the run began, and how long this piece of it was. */
  readonly at: number
  readonly seconds: number
  readonly look: Look
  readonly tally: Tally
}

/** The part of the run from one fraction of it to another. */
export function partOf(samples: readonly Sample[], from: number, to: number): readonly Sample[] {
  return samples.slice(Math.round(samples.length * from), Math.round(samples.length * to))
}

/** Of the requests of one name, or of all. */
export function timesOf(samples: readonly Sample[], name: string | null): Histogram {
  const times = new Histogram()
  for (const { tally } of samples) {
    const own = name === null ? tally.all : tally.times.get(name)
    if (own !== undefined) times.merge(own)
  }
  return times
}

/** How much slower the slowest hundredth is in the last third than in the first; NaN where nobody asked. */
export function driftOf(samples: readonly Sample[], name: string | null): number {
  const p99 = (part: readonly Sample[]) => timesOf(part, name).quantile(0.99)
  return p99(partOf(samples, 2 / 3, 1)) / p99(partOf(samples, 0, 1 / 3))
}

/** How much the heap grows over the last two thirds, when all that is bounded is full. */
export interface Growth {
  /** Bytes for each request, and for each minute. */
  readonly perRequest: Trend
  readonly perMinute: Trend
}

/** Types of objects of which there are more at the end than after the first third, those that grew most first. */
export function grownTypes(samples: readonly Sample[], most: number): readonly (readonly [type: string, by: number])[] {
  const [first, last] = [samples[Math.round(samples.length / 3)], samples.at(-1)]
  if (first === undefined || last === undefined) return []
  return Object.entries(last.look.types)
    .map(([type, count]) => [type, count - (first.look.types[type] ?? 0)] as const)
    .filter(([, by]) => by > 0)
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, most)
}

export function growthOf(samples: readonly Sample[]): Growth {
  let requests = 0
  const seen = samples.map((sample) => {
    requests += sample.tally.total
    return { minutes: sample.at / 60, requests, heap: sample.look.heap }
  })
  const late = seen.slice(Math.round(seen.length / 3))
  return {
    perRequest: trendOf(late.map((each) => [each.requests, each.heap])),
    perMinute: trendOf(late.map((each) => [each.minutes, each.heap])),
  }
}
