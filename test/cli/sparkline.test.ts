import { expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { sparkline } from '../../src/cli/terminal/sparkline.ts'

const HEIGHTS = '▁▂▃▄▅▆▇█'

test.each<[name: string, values: readonly number[], columns: number | undefined, line: string]>([
  ['nothing', [], undefined, ''],
  ['zeros', [0, 0, 0], undefined, '▁▁▁'],
  ['one number', [5], undefined, '█'],
  ['one zero', [0], undefined, '▁'],
  ['the same numbers', [3, 3], undefined, '██'],
  ['numbers that rise', [0, 1, 2, 3, 4, 5, 6, 7], undefined, HEIGHTS],
  ['little beside much, which is not nothing', [0, 1, 1_000_000], undefined, '▁▂█'],
  ['parts', [0.25, 0.5, 1], undefined, '▃▅█'],
  ['as many as there is room for', [0, 7], 2, '▁█'],
  ['twice as many: their means', [0, 0, 7, 7, 7, 0], 3, '▁█▅'],
  ['pieces of different lengths: no higher for being longer', [4, 4, 4, 4, 4], 2, '██'],
  ['all in one', [1, 2, 3], 1, '█'],
])('%s', (_, values, columns, line) => {
  expect(sparkline(values, columns)).toBe(line)
})

test('it fits, has the highest as a whole block, and nothing only where there is nothing', () => {
  const values = fc.array(fc.nat({ max: 1e9 }), { minLength: 1, maxLength: 800 })
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 120 }), (given, columns) => {
      const line = sparkline(given, columns)
      expect(line).toHaveLength(Math.min(given.length, columns))
      expect([...line].every((bar) => HEIGHTS.includes(bar))).toBe(true)
      expect(line.includes('█')).toBe(given.some((value) => value > 0))
      if (given.length > columns) return
      const heights = [...line].map((bar) => HEIGHTS.indexOf(bar))
      expect(heights.map((height) => height === 0)).toEqual(given.map((value) => value === 0))
      const order = given.map((_, index) => index).sort((one, other) => (given[one] ?? 0) - (given[other] ?? 0))
      const risen = order.map((index) => heights[index] ?? 0)
      expect(risen).toEqual(risen.toSorted((one, other) => one - other))
    }),
  )
})
