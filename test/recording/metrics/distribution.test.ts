/** Durations are counted where they belong. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { Distribution } from '../../../src/recording/metrics/distribution.ts'

describe('a distribution', () => {
  test.each([
    { elapsed: 0, counts: [1, 0, 0] },
    { elapsed: 1, counts: [1, 0, 0] },
    { elapsed: 1.001, counts: [0, 1, 0] },
    { elapsed: 10, counts: [0, 1, 0] },
    { elapsed: 10.001, counts: [0, 0, 1] },
  ] satisfies { elapsed: number; counts: number[] }[])(
    '$elapsed ms counts where its bound is no less',
    ({ elapsed, counts }) => {
      const distribution = new Distribution([1, 10])
      distribution.add(elapsed)
      expect([...distribution.counts]).toEqual(counts)
      expect(distribution.sum).toBe(elapsed)
    },
  )

  test('counts everything once, however it is spread', () => {
    const bounds = fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 20 })
    const durations = fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 100 })
    fc.assert(
      fc.property(bounds, durations, (unsorted, all) => {
        const sorted = unsorted.toSorted((a, b) => a - b)
        const distribution = new Distribution(sorted)
        for (const each of all) distribution.add(each)
        const limits = [...sorted, Number.POSITIVE_INFINITY]
        const upTo = (limit: number) => all.filter((each) => each <= limit).length
        const model = limits.map((limit, index) => upTo(limit) - (index === 0 ? 0 : upTo(limits[index - 1] ?? 0)))
        expect([...distribution.counts]).toEqual(model)
        expect(distribution.sum).toBe(all.reduce((sum, each) => sum + each, 0))
      }),
    )
  })
})
