import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Limiter } from '../../src/limits/limiter.ts'
import { createRate } from '../../src/limits/rate.ts'
import { START, schedules } from './schedules.ts'

interface Admitted {
  readonly time: number
  readonly cost: number
}

/** The most units in any window of time: it begins at one of the hits. */
function fullestWindow(hits: readonly Admitted[], window: number): number {
  let fullest = 0
  for (const [index, { time }] of hits.entries()) {
    let units = 0
    for (const hit of hits.slice(index)) if (hit.time < time + window) units += hit.cost
    fullest = Math.max(fullest, units)
  }
  return fullest
}

const WINDOWS = [1, 10, 64, 1000, 60_007] as const
const LIMITS = [1, 5, 1000, 1001, 5000, 1e9] as const
const rates = LIMITS.flatMap((limit) => WINDOWS.map((window) => ({ limit, window })))

describe('the sliding window', () => {
  test.each(rates)('never admits more than $limit in any $window ms', ({ limit, window }) => {
    const rate = createRate({ limit, window })
    fc.assert(
      fc.property(schedules(rate), (steps) => {
        const limiter = new Limiter(rate, 1)
        const admitted: Admitted[] = []
        let time = START
        for (const { advance, cost } of steps) {
          time += advance
          if (limiter.hit('subject', time, cost).isAllowed) admitted.push({ time, cost })
        }
        expect(fullestWindow(admitted, window)).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 60 },
    )
  })

  test.each([
    { limit: 1, window: 1000, perHit: 1, least: 1 },
    { limit: 5, window: 1000, perHit: 1, least: 1 },
    { limit: 1000, window: 1000, perHit: 1, least: 1 },
    { limit: 1001, window: 1000, perHit: 1, least: 0.98 },
    { limit: 5000, window: 1000, perHit: 1, least: 0.98 },
    { limit: 5000, window: 64, perHit: 10, least: 0.98 },
    { limit: 1e9, window: 60_000, perHit: 1e6, least: 0.98 },
  ])('admits $least of $limit per $window ms to who comes twice as often', ({ limit, window, perHit, least }) => {
    const limiter = new Limiter(createRate({ limit, window }), 1)
    const hitsPerWindow = (2 * limit) / perHit
    const windows = 40
    let units = 0
    for (let hit = 0; hit < windows * hitsPerWindow; hit++) {
      const now = START + Math.floor((hit * window) / hitsPerWindow)
      if (limiter.hit('subject', now, perHit).isAllowed) units += perHit
    }
    expect(units).toBeGreaterThanOrEqual(least * limit * windows)
    expect(units).toBeLessThanOrEqual(limit * windows)
  })

  test.each([5, 1000])('a hit at t has left at exactly t + window (limit %p)', (limit) => {
    const limiter = new Limiter(createRate({ limit, window: 1000 }), 1)
    for (let hit = 0; hit < limit; hit++) limiter.hit('subject', START + Math.floor((hit * 10) / limit))
    expect(limiter.read('subject', START + 999).isAllowed).toBe(false)
    expect(limiter.read('subject', START + 1000).isAllowed).toBe(true)
    expect(limiter.read('subject', START + 1009)).toMatchObject({ remaining: limit, resetAfter: 0 })
  })

  test('above 1,000 a hit leaves within a sixty-fourth of the window after t + window', () => {
    const limiter = new Limiter(createRate({ limit: 5000, window: 64_000 }), 1)
    limiter.hit('subject', START, 5000)
    const { retryAfter } = limiter.hit('subject', START)
    expect(retryAfter).toBeGreaterThanOrEqual(64_000)
    expect(retryAfter).toBeLessThan(65_000)
    expect(limiter.hit('subject', START + retryAfter - 1).isAllowed).toBe(false)
    expect(limiter.hit('subject', START + retryAfter).isAllowed).toBe(true)
  })
})
