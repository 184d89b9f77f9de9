/** Random schedules that dwell where limiters go wrong: at equal times, at the edges of windows, after pauses. */
import fc from 'fast-check'
import type { Rate } from '../../src/limits/rate.ts'

/** Epoch ms, as large as real ones: that is where precision is lost. */
export const START = 1_700_000_000_123

export interface Step {
  /** ms since the step before. */
  readonly advance: number
  readonly cost: number
}

function around(value: number): fc.Arbitrary<number> {
  return fc.constantFrom(value - 1, value, value + 1).map((ms) => Math.max(0, ms))
}

function advances(window: number): fc.Arbitrary<number> {
  const subWindow = Math.ceil(window / 64)
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0, 1) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: Math.ceil(window / 5) }) },
    {
      weight: 2,
      arbitrary: fc.oneof(around(subWindow), around(window), around(window + subWindow), around(2 * window)),
    },
    { weight: 1, arbitrary: fc.integer({ min: window, max: 10 * window }) },
  )
}

function costs(most: number): fc.Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(1, 2),
    fc.constantFrom(most - 1, most, most + 1).map((cost) => Math.max(1, cost)),
    fc.integer({ min: 1, max: Math.ceil(most / 3) }),
  )
}

/** @param jumpsBack whether the clock may also go back, by 1 ms up to many windows */
export function schedules(rate: Rate, jumpsBack = false): fc.Arbitrary<Step[]> {
  const onward = advances(rate.window)
  const advance = jumpsBack
    ? fc.tuple(onward, fc.integer({ min: 0, max: 5 })).map(([ms, kind]) => (kind === 0 ? -ms : ms))
    : onward
  const mixed = fc.record({ advance, cost: costs(rate.burst) })
  // Many cheap ones, so that what holds them grows bit by bit while the first ones leave.
  const cheap = fc.record({ advance: fc.integer({ min: 0, max: Math.ceil(rate.window / 12) }), cost: fc.constant(1) })
  return fc.oneof(
    { weight: 4, arbitrary: fc.array(mixed, { minLength: 1, maxLength: 60 }) },
    { weight: 1, arbitrary: fc.array(fc.oneof(cheap, cheap, cheap, mixed), { minLength: 50, maxLength: 100 }) },
  )
}
