/** What was decided elsewhere, until it is asked for: nothing passes uncounted, and nothing is counted twice. */
import { describe, expect, test } from 'bun:test'
import { Decisions } from '../../src/guards/decisions.ts'
import { Limiter, type Reading } from '../../src/limits/limiter.ts'
import { createRate } from '../../src/limits/rate.ts'
import type { SharedClaim } from '../../src/limits/shared-limits.ts'

const RATE = createRate({ limit: 2, window: 60_000 })

function claimOf(place: string, cost = 1): SharedClaim {
  return { place, subject: 'ip:10.0.0.1', cost, limiter: new Limiter(RATE, 10) }
}

function reading(isAllowed: boolean, remaining = 7): Reading {
  return { rate: RATE, isAllowed, remaining, resetAfter: 1000, retryAfter: isAllowed ? 0 : 1000 }
}

/** How much of each claim's own limiter is taken. */
const takenHere = (claims: readonly SharedClaim[]) =>
  claims.map(({ limiter, subject }) => RATE.limit - limiter.read(subject, 0, 0).remaining)

describe('of two claims that count together', () => {
  test.each<[name: string, given: readonly (Reading | undefined)[], said: readonly unknown[], here: readonly number[]]>(
    [
      ['what was taken counts there', [reading(true), reading(true)], [true, true], [0, 0]],
      ['what was refused is refused', [reading(true), reading(false)], [true, false], [0, 0]],
      ['of what nobody asked for nothing is said', [undefined, reading(false)], [undefined, false], [0, 0]],
    ],
  )('%s', (_, given, said, here) => {
    const claims = [claimOf('a'), claimOf('b')]
    const decisions = new Decisions()
    decisions.decided(claims, given)
    expect(decisions.fetch(claims, 0).map((each) => each?.isAllowed)).toEqual([...said] as never)
    expect(takenHere(claims)).toEqual([...here])
  })
})

test('what was not taken, since something else was refused, counts here when it is asked for alone', () => {
  const [mine, other] = [claimOf('mine'), claimOf('other')]
  const decisions = new Decisions()
  decisions.decided([mine, other], [reading(true, 5), reading(false)])
  const said = [0, 1, 2].map(() => decisions.fetch([mine], 0)[0])
  expect(said.map((each) => [each?.isAllowed, each?.remaining])).toEqual([
    [true, 5],
    [true, 5],
    [false, 0],
  ])
})

test('what nobody has foreseen counts here, beside what was', () => {
  const [foreseen, unforeseen] = [claimOf('foreseen'), claimOf('unforeseen')]
  const decisions = new Decisions()
  decisions.decided([foreseen], [reading(true)])
  decisions.fetch([foreseen, unforeseen], 0)
  expect(takenHere([foreseen, unforeseen])).toEqual([0, 1])
  // Another cost is another claim.
  const dearer = { ...foreseen, cost: 2 }
  expect(decisions.has(dearer)).toBe(false)
  decisions.fetch([dearer], 0)
  expect(takenHere([foreseen])).toEqual([2])
})

test('a decision is to be had once, and the newest counts', () => {
  const claim = claimOf('a')
  const decisions = new Decisions()
  decisions.decided([claim], [reading(false)])
  expect(decisions.has(claim)).toBe(true)
  expect(decisions.fetch([claim], 0)[0]?.isAllowed).toBe(false)
  expect(decisions.has(claim)).toBe(false)
  expect(decisions.fetch([claim], 0)[0]?.isAllowed).toBe(false)
  decisions.decided([claim], [reading(true, 3)])
  expect(decisions.fetch([claim], 0)[0]).toMatchObject({ isAllowed: true, remaining: 3 })
  expect(decisions.readingOf(claim)?.remaining).toBe(3)
})

test('a failure is thrown where what failed is asked for, and nowhere else', () => {
  const [failed, other] = [claimOf('failed'), claimOf('other')]
  const decisions = new Decisions()
  decisions.failed([failed], new Error('away'))
  expect(() => decisions.fetch([other, failed], 0)).toThrow('away')
  expect(decisions.fetch([other], 0)[0]?.isAllowed).toBe(true)
  expect(takenHere([failed])).toEqual([0])
  decisions.placed({ place: 'p', subject: 's', most: 1 }, { reason: new Error('away too') })
  expect(() => decisions.hasEntered('p', 's')).toThrow('away too')
  expect(decisions.hasEntered('p', 'other')).toBeNull()
})
