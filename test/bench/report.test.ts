import { expect, test } from 'bun:test'
import { AIMS, goalOf } from '../../bench/goals.ts'
import { formatDuration, remaining } from '../../bench/progress.ts'
import { formatFigure, formatGoal, isMet, type Result } from '../../bench/report.ts'

type Judged = Pick<Result, 'value' | 'unit' | 'goal' | 'isOwnGoal'>

test.each<[Judged, figure: string, goal: string, met: boolean | null]>([
  [{ value: 0.7512, unit: 'ratio', goal: { atLeast: 0.75 } }, '0.75', '≥ 0.75', true],
  [{ value: 0.7488, unit: 'ratio', goal: { atLeast: 0.75 } }, '0.749', '≥ 0.75', false],
  [{ value: 0.74999, unit: 'ratio', goal: { atLeast: 0.75 } }, '0.74999', '≥ 0.75', false],
  [{ value: 1.2999, unit: 'ratio', goal: { atMost: 1.3 } }, '1.30', '≤ 1.3', true],
  [{ value: 1.301, unit: 'ratio', goal: { atMost: 1.3 } }, '1.301', '≤ 1.3', false],
  [{ value: 0.0191, unit: 'ratio' }, '0.019', '', null],
  [{ value: 41.66, unit: 'ratio', goal: { atLeast: 35 } }, '41.7', '≥ 35', true],
  [{ value: Number.NaN, unit: 'ratio', goal: { atLeast: 35 } }, 'NaN', '≥ 35', false],
  [{ value: 612.4, unit: 'bytes', goal: { atMost: 600 } }, '612 bytes', '≤ 600 bytes', false],
  [{ value: 600.2, unit: 'bytes', goal: { atMost: 600 } }, '600.2 bytes', '≤ 600 bytes', false],
  [{ value: 98_765.4, unit: 'requests/s' }, '98,765 requests/s', '', null],
  [{ value: 8.123, unit: 'µs' }, '8.12 µs', '', null],
  [{ value: 40, unit: 'ms', goal: { atMost: 50 }, isOwnGoal: true }, '40.00 ms', '≤ 50 ms (own)', true],
  [{ value: 0, unit: 'count', goal: { atMost: 0 } }, '0', '≤ 0', true],
])('%p is said as %s, with the goal %s', (result, figure, goal, met) => {
  expect(formatFigure(result)).toBe(figure)
  expect(formatGoal(result)).toBe(goal)
  expect(isMet(result)).toBe(met)
})

test('every goal is there once, and found by its group and name', () => {
  const names = AIMS.map(({ group, name }) => `${group}: ${name}`)
  expect(new Set(names).size).toBe(names.length)
  for (const { group, name, goal } of AIMS) expect(goalOf(group, name)).toEqual(goal)
  expect(goalOf('guards', 'another')).toBeUndefined()
})

test.each([
  [0, '0 s'],
  [1, '10 s'],
  [89, '90 s'],
  [90, '2 min'],
  [3599, '60 min'],
])('%d seconds are said as %s', (seconds, words) => {
  expect(formatDuration(seconds)).toBe(words)
})

test.each<[expected: readonly number[], elapsed: number, left: number]>([
  [[100, 50, 20], 30, 140],
  [[100, 50, 20], 170, 70],
  [[100], 100, 0],
  [[], 5, 0],
])('of %p, %d s of the first have passed: %d s are left', (expected, elapsed, left) => {
  expect(remaining(expected, elapsed)).toBe(left)
})
