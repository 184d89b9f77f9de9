/** A timer that comes too late tells by how much. */
import { describe, expect, test } from 'bun:test'
import { EventLoopLag } from '../../../src/recording/metrics/event-loop-lag.ts'

function createSampler() {
  const time = { now: 1000 }
  const ticks = new Set<() => void>()
  const lag = new EventLoopLag({
    stopwatch: () => time.now,
    repeat(tick) {
      ticks.add(tick)
      return () => void ticks.delete(tick)
    },
  })
  function tickAfter(elapsed: number): void {
    time.now += elapsed
    for (const tick of ticks) tick()
  }
  /** Samples no later than a bound in ms. */
  const upTo = (limit: number) =>
    lag.lags.counts.reduce(
      (sum, count, index) => ((lag.lags.bounds[index] ?? Infinity) <= limit ? sum + count : sum),
      0,
    )
  return { lag, ticks, tickAfter, upTo }
}

describe('the lag of the event loop', () => {
  test.each([
    { name: 'in time', elapsed: 100, lag: 0 },
    { name: 'early, which no lag is', elapsed: 90, lag: 0 },
    { name: 'a little late', elapsed: 103, lag: 3 },
    { name: 'late by a second', elapsed: 1100, lag: 1000 },
  ])('$name', ({ elapsed, lag }) => {
    const sampler = createSampler()
    sampler.lag.start()
    sampler.tickAfter(elapsed)
    expect(sampler.lag.lags.sum).toBe(lag)
    expect(sampler.upTo(Infinity)).toBe(1)
    expect(sampler.upTo(lag - 1)).toBe(0)
  })

  test('is measured from the sample before, not from the beginning', () => {
    const { lag, tickAfter } = createSampler()
    lag.start()
    for (const elapsed of [150, 100, 100]) tickAfter(elapsed)
    expect(lag.lags.sum).toBe(50)
  })

  test('is no longer sampled once it is stopped, and only once however often it is started', () => {
    const { lag, ticks } = createSampler()
    lag.start()
    lag.start()
    expect(ticks.size).toBe(1)
    lag.stop()
    lag.stop()
    expect(ticks.size).toBe(0)
  })

  test('is that of the real event loop', async () => {
    const lag = new EventLoopLag()
    lag.start()
    const end = performance.now() + 160
    while (performance.now() < end);
    const sampled = Promise.withResolvers<void>()
    const look = () => (lag.lags.counts.some((count) => count > 0) ? sampled.resolve() : void setImmediate(look))
    look()
    await sampled.promise
    lag.stop()
    expect(lag.lags.sum).toBeGreaterThan(50)
  })
})
