import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Algorithm } from '../../src/limits/algorithm.ts'
import { exactLog } from '../../src/limits/exact-log.ts'
import { createRate, type Rate } from '../../src/limits/rate.ts'
import { slidingWindowCounter } from '../../src/limits/sliding-window-counter.ts'
import { algorithmOf, type State } from '../../src/limits/strategies.ts'
import { subWindows } from '../../src/limits/sub-windows.ts'
import { tokenBucket } from '../../src/limits/token-bucket.ts'
import { MODELS, Model } from './models.ts'
import { START, type Step, schedules } from './schedules.ts'

type Kind = keyof typeof MODELS

const ALGORITHMS: Readonly<Record<Kind, Algorithm<State>>> = {
  exact: exactLog,
  subWindows,
  counter: slidingWindowCounter,
  bucket: tokenBucket,
}

const slidingWindow = (limit: number, window: number) => createRate({ limit, window })
const counter = (limit: number, window: number) => createRate({ limit, window, strategy: 'sliding-window-counter' })
const bucket = (limit: number, window: number, burst: number) =>
  createRate({ limit, window, burst, strategy: 'token-bucket' })

const CASES: readonly (readonly [Kind, Rate])[] = [
  ['exact', slidingWindow(1, 1)],
  ['exact', slidingWindow(1, 1000)],
  ['exact', slidingWindow(5, 7)],
  ['exact', slidingWindow(5, 60_000)],
  ['exact', slidingWindow(60, 60_000)],
  ['exact', slidingWindow(1000, 1000)],
  ['subWindows', slidingWindow(1001, 1)],
  ['subWindows', slidingWindow(1001, 63)],
  ['subWindows', slidingWindow(1001, 64)],
  ['subWindows', slidingWindow(1001, 60_000)],
  ['subWindows', slidingWindow(5000, 10)],
  ['subWindows', slidingWindow(5000, 60_007)],
  ['subWindows', slidingWindow(1e9, 100)],
  ['subWindows', slidingWindow(1e9, 86_400_000)],
  ['counter', counter(1, 1)],
  ['counter', counter(1, 1000)],
  ['counter', counter(5, 7)],
  ['counter', counter(10, 60_000)],
  ['counter', counter(5000, 60_007)],
  ['counter', counter(1e9, 60_000)],
  ['bucket', bucket(1, 1, 1)],
  ['bucket', bucket(1, 1000, 5)],
  ['bucket', bucket(7, 1000, 3)],
  ['bucket', bucket(60, 60_007, 60)],
  ['bucket', bucket(5000, 60_000, 10_000)],
  ['bucket', bucket(1e9, 60_000, 1e6)],
  ['bucket', bucket(1e6, 60_000, 1e9)],
]

const named = CASES.map(([kind, rate]) => ({ kind, rate, limit: rate.limit, window: rate.window, burst: rate.burst }))

/** Runs a schedule through an algorithm and its model, comparing every answer at every step. */
function compare(kind: Kind, rate: Rate, steps: readonly Step[], jumpsBack = false): void {
  const algorithm = ALGORITHMS[kind]
  const model = new Model(rate, MODELS[kind])
  let now = START
  const state = algorithm.start(rate, now)
  const expectExact = (wait: number, cost: number) => {
    expect(Number.isInteger(wait) && wait >= 0).toBe(true)
    expect(model.available(now + wait)).toBeGreaterThanOrEqual(cost)
    if (wait > 0) expect(model.available(now + wait - 1)).toBeLessThan(cost)
  }
  for (const { advance, cost } of steps) {
    now += advance
    model.observe(now)
    if (jumpsBack) model.forget(now)
    // Both are asked before `available` has had a chance to tidy up, as a mere look would ask them.
    expectExact(algorithm.resetAfter(state, rate, now), rate.burst)
    const wait = algorithm.waitFor(state, rate, now, cost)
    if (cost > rate.burst) expect(wait).toBe(Number.POSITIVE_INFINITY)
    else expectExact(wait, cost)
    const available = algorithm.available(state, rate, now)
    expect(available).toBe(model.available(now))
    if (cost > available) continue
    algorithm.take(state, rate, now, cost)
    model.take(now, cost)
    expect(algorithm.available(state, rate, now)).toBe(available - cost)
    expectExact(algorithm.resetAfter(state, rate, now), rate.burst)
  }
}

describe('algorithms', () => {
  test.each(named)('$kind of $limit per $window ms, burst $burst, agrees with its model', ({ kind, rate }) => {
    fc.assert(
      fc.property(schedules(rate), (steps) => compare(kind, rate, steps)),
      { numRuns: 100 },
    )
  })

  // The models of the other two keep no list of times that a jump could move.
  const lists = named.filter(({ kind }) => kind === 'exact' || kind === 'subWindows')
  test.each(lists)(
    '$kind of $limit per $window ms agrees with its model when the clock jumps back',
    ({ kind, rate }) => {
      fc.assert(
        fc.property(schedules(rate, true), (steps) => compare(kind, rate, steps, true)),
        { numRuns: 100 },
      )
    },
  )

  test.each(named)('$kind of $limit per $window ms, burst $burst, is as good as new once idle', ({ kind, rate }) => {
    const algorithm = ALGORITHMS[kind]
    const idleAfter = algorithm.idleAfter(rate)
    fc.assert(
      fc.property(schedules(rate), (steps) => {
        let now = START
        const state = algorithm.start(rate, now)
        for (const { advance, cost } of steps) {
          now += advance
          if (cost > algorithm.available(state, rate, now)) continue
          algorithm.take(state, rate, now, cost)
          expect(algorithm.resetAfter(state, rate, now)).toBeLessThanOrEqual(idleAfter)
        }
        expect(algorithm.available(state, rate, now + idleAfter)).toBe(rate.burst)
      }),
      { numRuns: 50 },
    )
  })

  test.each([
    { limit: 1000, strategy: 'sliding-window', expected: exactLog },
    { limit: 1001, strategy: 'sliding-window', expected: subWindows },
    { limit: 1001, strategy: 'sliding-window-counter', expected: slidingWindowCounter },
    { limit: 1, strategy: 'token-bucket', expected: tokenBucket },
  ] as const)('$strategy of $limit is counted by its algorithm', ({ limit, strategy, expected }) => {
    expect(algorithmOf(createRate({ limit, window: 1000, strategy }))).toBe(expected)
  })
})

describe('the exact log', () => {
  test('has no slots for one hit or one burst, and doubles up to its limit', () => {
    const rate = slidingWindow(60, 60_000)
    const state = exactLog.start(rate, START)
    const capacities = new Map<number, number>()
    for (let hits = 1; hits <= 60; hits++) {
      exactLog.available(state, rate, START + hits)
      exactLog.take(state, rate, START + hits, 1)
      capacities.set(hits, state.times.length)
    }
    const expected = { 1: 0, 2: 4, 5: 4, 6: 8, 10: 16, 18: 32, 34: 60, 60: 60 }
    expect(Object.fromEntries([...capacities].filter(([hits]) => hits in expected))).toEqual(expected)
    const burst = exactLog.start(rate, START)
    exactLog.take(burst, rate, START, 60)
    expect(burst.times.length).toBe(0)
    expect(exactLog.available(burst, rate, START)).toBe(0)
  })
})
