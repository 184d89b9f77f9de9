import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Limiter } from '../../src/limits/limiter.ts'
import { createRate, type Rate, STRATEGIES } from '../../src/limits/rate.ts'
import { algorithmOf } from '../../src/limits/strategies.ts'
import { START, schedules } from './schedules.ts'

const WINDOW = 60_000
/** Each strategy, and the default one on both sides of where it counts differently. */
const RATES = [
  ...STRATEGIES.map((strategy) => createRate({ limit: 10, window: WINDOW, strategy })),
  createRate({ limit: 5000, window: WINDOW }),
  createRate({ limit: 1e9, window: WINDOW }),
  createRate({ limit: 10, window: WINDOW, strategy: 'token-bucket', burst: 50 }),
].map((rate) => ({ rate, strategy: rate.strategy, limit: rate.limit, burst: rate.burst }))

/** A limiter whose only subject has nothing left at `now`. */
function exhausted(rate: Rate, now: number): Limiter {
  const limiter = new Limiter(rate, 1)
  expect(limiter.hit('subject', now, rate.burst)).toMatchObject({ isAllowed: true, remaining: 0 })
  return limiter
}

describe('every strategy', () => {
  test.each(RATES)('$strategy of $limit never refuses who comes every 0.9 windows', ({ rate }) => {
    const limiter = new Limiter(rate, 1)
    for (let hit = 0; hit < 200; hit++) {
      expect(limiter.hit('subject', START + hit * 0.9 * WINDOW).isAllowed).toBe(true)
    }
  })

  test.each(RATES)('$strategy of $limit, burst $burst: refused calls extend nothing', ({ rate, burst }) => {
    fc.assert(
      fc.property(schedules(rate), (steps) => {
        const [calm, hammered] = [new Limiter(rate, 1), new Limiter(rate, 1)]
        let now = START
        for (const { advance, cost } of steps) {
          now += advance
          for (const tooMuch of [burst + 1, hammered.read('subject', now).remaining + 1]) {
            expect(hammered.hit('subject', now, tooMuch).isAllowed).toBe(false)
          }
          expect(hammered.hit('subject', now, cost)).toEqual(calm.hit('subject', now, cost))
        }
      }),
      { numRuns: 50 },
    )
  })

  test.each(RATES)('$strategy of $limit, burst $burst lets who hammers for three windows go on', ({ rate, limit }) => {
    const limiter = exhausted(rate, START)
    let admitted = 0
    for (let now = START; now <= START + 3 * WINDOW; now += 50) {
      if (limiter.hit('subject', now, Math.ceil(limit / 100)).isAllowed) admitted += Math.ceil(limit / 100)
    }
    expect(admitted).toBeGreaterThanOrEqual(1.9 * limit)
  })

  test.each(RATES)('$strategy of $limit, burst $burst: retryAfter is exact', ({ rate, burst }) => {
    fc.assert(
      fc.property(schedules(rate), (steps) => {
        const limiter = new Limiter(rate, 1)
        let now = START
        for (const { advance, cost } of steps) {
          now += advance
          const { isAllowed, retryAfter, resetAfter } = limiter.hit('subject', now, cost)
          if (isAllowed) expect(retryAfter).toBe(0)
          else expect(resetAfter).toBe(retryAfter)
          if (isAllowed || cost > burst) continue
          expect(limiter.read('subject', now + retryAfter - 1, cost).isAllowed).toBe(false)
          now += retryAfter
          expect(limiter.hit('subject', now, cost).isAllowed).toBe(true)
        }
      }),
      { numRuns: 50 },
    )
  })

  test.each(RATES)('$strategy of $limit, burst $burst limits each of many subjects as if alone', ({ rate }) => {
    const subjects = ['a', 'b', 'c', 'd']
    const algorithm = algorithmOf(rate)
    const chosen = fc.array(fc.constantFrom(...subjects), { minLength: 100, maxLength: 100 })
    fc.assert(
      fc.property(schedules(rate), chosen, (steps, order) => {
        const together = new Limiter(rate, subjects.length)
        // States that are never dropped.
        const alone = new Map(subjects.map((subject) => [subject, algorithm.start(rate, START)]))
        let now = START
        for (const [index, { advance, cost }] of steps.entries()) {
          now += advance
          const subject = order[index] as string
          const state = alone.get(subject) ?? algorithm.start(rate, now)
          const available = algorithm.available(state, rate, now)
          const isAllowed = cost <= available
          if (isAllowed) algorithm.take(state, rate, now, cost)
          const remaining = isAllowed ? available - cost : available
          expect(together.hit(subject, now, cost)).toMatchObject({ isAllowed, remaining })
        }
      }),
      { numRuns: 100 },
    )
  })

  test.each(RATES)('$strategy of $limit, burst $burst refuses forever what costs more than that', ({ rate, burst }) => {
    const limiter = new Limiter(rate, 1)
    const never = { isAllowed: false, remaining: burst, retryAfter: Number.POSITIVE_INFINITY }
    expect(limiter.hit('subject', START, burst + 1)).toMatchObject(never)
    expect(limiter.size).toBe(0)
    expect(limiter.hit('subject', START, burst)).toMatchObject({ isAllowed: true, remaining: 0 })
    expect(limiter.hit('subject', START, burst + 1)).toMatchObject({ ...never, remaining: 0 })
  })
})

describe('a clock that jumps back', () => {
  const jumps = RATES.flatMap((given) => [1, 999, WINDOW, 30 * WINDOW, 1e9].map((jump) => ({ ...given, jump })))

  test.each(jumps)('by $jump ms gives $strategy of $limit, burst $burst nothing back', ({ rate, jump }) => {
    const limiter = exhausted(rate, START)
    expect(limiter.hit('subject', START - jump).isAllowed).toBe(false)
  })

  test.each(jumps)('by $jump ms blocks $strategy of $limit, burst $burst no longer than usual', ({ rate, jump }) => {
    const longest = algorithmOf(rate).idleAfter(rate)
    const limiter = exhausted(rate, START)
    const now = START - jump
    expect(limiter.hit('subject', now, rate.burst).retryAfter).toBeLessThanOrEqual(longest)
    const { retryAfter } = limiter.hit('subject', now)
    expect(retryAfter).toBeLessThanOrEqual(WINDOW + WINDOW / 10)
    expect(limiter.hit('subject', now + retryAfter - 1).isAllowed).toBe(false)
    expect(limiter.hit('subject', now + retryAfter).isAllowed).toBe(true)
    expect(limiter.read('subject', now + retryAfter + longest).remaining).toBe(rate.burst)
  })

  test.each(RATES)('never raises what is available of $strategy of $limit, burst $burst', ({ rate }) => {
    fc.assert(
      fc.property(schedules(rate, true), (steps) => {
        const limiter = new Limiter(rate, 1)
        let now = START
        for (const { advance, cost } of steps) {
          const before = limiter.read('subject', now).remaining
          now += advance
          const { remaining } = limiter.read('subject', now)
          if (advance <= 0) expect(remaining).toBeLessThanOrEqual(before)
          expect(remaining).toBeGreaterThanOrEqual(0)
          limiter.hit('subject', now, cost)
        }
      }),
      { numRuns: 100 },
    )
  })
})
