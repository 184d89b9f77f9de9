import { describe, expect, test } from 'bun:test'
import { Backoff } from '../../../src/lib/resilience/backoff.ts'

const OPTIONS = { first: 100, longest: 2000 } as const

/** The pauses of many processes that begin at the same moment, by attempt. */
const pausesOf = (attempts: number) => {
  const all = Array.from({ length: 300 }, () => new Backoff(OPTIONS))
  return Array.from({ length: attempts }, () => all.map((each) => each.next()))
}
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

describe('pauses between attempts', () => {
  const pauses = pausesOf(12)

  test('are never longer than the longest, and never nothing', () => {
    for (const each of pauses.flat()) {
      expect(each).toBeGreaterThan(0)
      expect(each).toBeLessThanOrEqual(OPTIONS.longest)
    }
  })

  test('begin short, and grow', () => {
    expect(mean(pauses[0] ?? [])).toBeLessThan(2 * OPTIONS.first)
    expect(mean(pauses[3] ?? [])).toBeGreaterThan(2 * mean(pauses[0] ?? []))
    expect(mean(pauses[11] ?? [])).toBeGreaterThan(OPTIONS.longest / 2)
  })

  test('of many processes are not in step', () => {
    expect(new Set(pauses[0]).size).toBeGreaterThan(100)
  })

  test('begin short again after a success', () => {
    const backoffs = Array.from({ length: 300 }, () => new Backoff(OPTIONS))
    const again = backoffs.map((backoff) => {
      for (let count = 0; count < 10; count += 1) backoff.next()
      backoff.reset()
      return backoff.next()
    })
    expect(mean(again)).toBeLessThan(2 * OPTIONS.first)
  })
})
