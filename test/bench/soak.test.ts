import { describe, expect, test } from 'bun:test'
import { Histogram } from '../../bench/soak/histogram.ts'
import { drawSoak } from '../../bench/soak/print.ts'
import { driftOf, grownTypes, growthOf, partOf, type Sample } from '../../bench/soak/samples.ts'
import { Tally } from '../../bench/soak/tally.ts'
import { isAtMost, trendOf } from '../../bench/soak/trend.ts'
import { findMistakes } from './svg.ts'

const within2Percent = (value: number, expected: number) => Math.abs(value / expected - 1) < 0.021

describe('Histogram', () => {
  const cases = [
    { name: 'one value', values: [500], fraction: 0.5, expected: 500 },
    {
      name: 'the middle of many',
      values: Array.from({ length: 999 }, (_, i) => i + 100),
      fraction: 0.5,
      expected: 599,
    },
    { name: 'the slowest hundredth', values: [...Array(99).fill(100), 90_000], fraction: 0.99, expected: 100 },
    { name: 'the slowest of all', values: [...Array(99).fill(100), 90_000], fraction: 1, expected: 90_000 },
    { name: 'below what is told apart', values: [0, 1, 2], fraction: 0.99, expected: 10 },
  ]
  test.each(cases)('$name', ({ values, fraction, expected }) => {
    const histogram = new Histogram()
    for (const value of values) histogram.add(value)
    expect(histogram.total).toBe(values.length)
    expect(within2Percent(histogram.quantile(fraction), expected)).toBe(true)
  })

  test('says nothing of nothing', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN()
    expect(new Histogram().toJSON()).toEqual([])
  })

  test('is the same after it went to another process, and adds up', () => {
    const [one, other] = [new Histogram(), new Histogram()]
    for (const value of [50, 60, 70]) one.add(value)
    other.add(1e9)
    const copy = new Histogram(JSON.parse(JSON.stringify(one)))
    expect(copy.toJSON()).toEqual(one.toJSON())
    copy.merge(other)
    expect(copy.total).toBe(4)
    expect(one.total).toBe(3)
  })
})

describe('trendOf', () => {
  const cases = [
    {
      name: 'a line',
      points: [
        [0, 1],
        [1, 3],
        [2, 5],
      ],
      slope: 2,
      error: 0,
    },
    {
      name: 'what stays',
      points: [
        [0, 7],
        [5, 7],
        [9, 7],
      ],
      slope: 0,
      error: 0,
    },
    {
      name: 'what goes up and down',
      points: [
        [0, 0],
        [1, 1],
        [2, 1],
        [3, 0],
      ],
      slope: 0,
      error: Math.sqrt(1 / 10),
    },
  ] as const
  test.each(cases)('$name', ({ points, slope, error }) => {
    const trend = trendOf(points)
    expect(trend.slope).toBeCloseTo(slope, 10)
    expect(trend.error).toBeCloseTo(error, 10)
  })

  test.each([
    {
      name: 'too few points',
      points: [
        [0, 1],
        [1, 2],
      ],
    },
    {
      name: 'all at one place',
      points: [
        [1, 1],
        [1, 2],
        [1, 3],
      ],
    },
  ] as const)('says nothing of $name', ({ points }) => {
    expect(trendOf(points)).toEqual({ slope: Number.NaN, error: Number.NaN })
  })
})

describe('isAtMost', () => {
  const cases = [
    { name: 'clearly below', slope: 0.2, error: 0.3, expected: true },
    { name: 'clearly above', slope: 5, error: 1, expected: false },
    { name: 'below, but by chance perhaps', slope: 0.2, error: 3, expected: null },
    { name: 'above, but by chance perhaps', slope: 5, error: 3, expected: null },
    { name: 'of too few points', slope: Number.NaN, error: Number.NaN, expected: null },
  ]
  test.each(cases)('$name', ({ slope, error, expected }) => {
    expect(isAtMost({ slope, error }, 1)).toBe(expected)
  })
})

describe('Tally', () => {
  test('takes an answer that nobody should get as wrong, and no other', () => {
    const tally = new Tally()
    tally.note('key, wrong', '401 api_key_invalid', ['401 api_key_invalid'], 100)
    tally.note('key, wrong', '200', ['401 api_key_invalid'], 100)
    // Refused, but for another reason than it should be.
    tally.note('key, wrong', '401 api_key_expired', ['401 api_key_invalid'], 100)
    expect(tally.wrong).toEqual(['key, wrong was answered 200', 'key, wrong was answered 401 api_key_expired'])
    expect(tally.total).toBe(3)
  })

  test('adds up what other processes counted, and keeps what was wrong', () => {
    const [sum, other] = [new Tally(), new Tally()]
    sum.note('key', '200', ['200'], 100)
    other.note('key', '200', ['200'], 300)
    other.note('key', '503 storage_unavailable', ['200'], 300)
    other.fail('login', 'no connection')
    sum.add(JSON.parse(JSON.stringify(other)))
    expect([...(sum.answers.get('key') ?? [])]).toEqual([
      ['200', 2],
      ['503 storage_unavailable', 1],
    ])
    expect(sum.times.get('key')?.total).toBe(3)
    expect(sum.wrong).toEqual(['key was answered 503 storage_unavailable', 'login: no connection'])
  })
})

/** @param heap bytes, and the time of each of its ten requests, µs */
function sampleAt(index: number, heap: number, duration: number): Sample {
  const tally = new Tally()
  for (let request = 0; request < 10; request += 1) tally.note('key', '200', ['200'], duration)
  return {
    at: (index + 1) * 60,
    seconds: 60,
    look: { heap, resident: 0, own: heap, objects: 0, types: { Map: 5, Leaked: index, Freed: 9 - index }, delay: 0 },
    tally,
  }
}

describe('what a run came to', () => {
  test('memory that fills at first and stays then has not grown', () => {
    const samples = [5, 10, 15, 15, 15, 15, 15, 15, 15].map((heap, index) => sampleAt(index, heap * 1e6, 100))
    const { perRequest, perMinute } = growthOf(samples)
    expect([perRequest.slope, perMinute.slope]).toEqual([0, 0])
  })

  test('memory that grows by a kilobyte for each request has', () => {
    const samples = Array.from({ length: 9 }, (_, index) => sampleAt(index, index * 10_000, 100))
    const { perRequest, perMinute } = growthOf(samples)
    expect(perRequest.slope).toBeCloseTo(1000, 6)
    expect(perMinute.slope).toBeCloseTo(10_000, 6)
  })

  test('names the types of which there are more, and no others', () => {
    expect(
      grownTypes(
        [0, 1, 2, 3, 4, 5].map((index) => sampleAt(index, 0, 1)),
        5,
      ),
    ).toEqual([['Leaked', 3]])
  })

  test('compares the last third to the first', () => {
    const samples = [100, 100, 100, 900, 900, 900, 200, 200, 200].map((each, index) => sampleAt(index, 0, each))
    expect(within2Percent(driftOf(samples, 'key'), 2)).toBe(true)
    expect(within2Percent(driftOf(samples, null), 2)).toBe(true)
    expect(driftOf(samples, 'nobody')).toBeNaN()
    expect(partOf(samples, 1 / 3, 2 / 3).map(({ at }) => at)).toEqual([240, 300, 360])
  })

  test('is drawn as a picture without a number that is none', () => {
    const picture = drawSoak([10, 11, 12].map((heap, index) => sampleAt(index, heap * 1e6, 100)))
    expect(findMistakes(picture)).toEqual([])
    expect(picture).toContain('heap (11 MB)')
    expect(picture).not.toContain('NaN')
  })
})
