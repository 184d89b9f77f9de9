import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Claim, hitAll, Limiter } from '../../src/limits/limiter.ts'
import { createRate, STRATEGIES } from '../../src/limits/rate.ts'
import { START } from './schedules.ts'

function createLimiter(limit: number, window = 1000, capacity = 10) {
  return new Limiter(createRate({ limit, window }), capacity)
}

function claim(limiter: Limiter, subject: string, cost = 1): Claim {
  return { limiter, subject, cost }
}

describe('hitAll', () => {
  test('of nothing is nothing', () => {
    expect(hitAll([], START)).toEqual([])
  })

  test('takes every claim when all fit, and says what remains after that', () => {
    const [narrow, wide] = [createLimiter(2), createLimiter(10, 60_000)]
    expect(hitAll([claim(narrow, 'a'), claim(wide, 'b', 4)], START)).toEqual([
      { rate: narrow.rate, isAllowed: true, remaining: 1, resetAfter: 1000, retryAfter: 0 },
      { rate: wide.rate, isAllowed: true, remaining: 6, resetAfter: 60_000, retryAfter: 0 },
    ])
    expect(narrow.read('a', START).remaining).toBe(1)
    expect(wide.read('b', START).remaining).toBe(6)
  })

  test.each([
    { name: 'first', order: [0, 1] },
    { name: 'last', order: [1, 0] },
  ])('takes nothing when the $name does not fit', ({ order }) => {
    const [narrow, wide] = [createLimiter(1), createLimiter(10)]
    narrow.hit('a', START)
    const claims = [claim(narrow, 'a'), claim(wide, 'b')]
    const readings = hitAll(
      order.flatMap((index) => claims[index] ?? []),
      START + 100,
    )
    const [refused, untouched] = order.map((index) => readings[index])
    expect(refused).toMatchObject({ isAllowed: false, remaining: 0, resetAfter: 900, retryAfter: 900 })
    expect(untouched).toEqual({ rate: wide.rate, isAllowed: true, remaining: 10, resetAfter: 0, retryAfter: 0 })
    expect(wide.read('b', START + 100).remaining).toBe(10)
    expect(wide.size).toBe(0)
  })

  test('adds up claims of the same limiter and subject', () => {
    const limiter = createLimiter(5)
    const twice = [claim(limiter, 'a', 2), claim(limiter, 'a', 2)]
    expect(hitAll(twice, START).map(({ remaining }) => remaining)).toEqual([1, 1])
    expect(hitAll(twice, START).map(({ isAllowed }) => isAllowed)).toEqual([false, false])
    const [fits, doesNot] = hitAll([claim(limiter, 'a'), claim(limiter, 'a')], START + 100)
    expect(fits).toMatchObject({ isAllowed: true, remaining: 1, retryAfter: 0 })
    expect(doesNot).toMatchObject({ isAllowed: false, remaining: 1, retryAfter: 900 })
    expect(limiter.read('a', START + 100).remaining).toBe(1)
  })

  test('refuses what together costs more than there can ever be', () => {
    const limiter = createLimiter(5)
    const readings = hitAll([claim(limiter, 'a', 3), claim(limiter, 'a', 3)], START)
    expect(readings.map(({ retryAfter }) => retryAfter)).toEqual([0, Number.POSITIVE_INFINITY])
    expect(limiter.size).toBe(0)
  })

  test('does not add up claims of different subjects, or of different limiters', () => {
    const [one, other] = [createLimiter(2), createLimiter(2)]
    const claims = [claim(one, 'a', 2), claim(one, 'b', 2), claim(other, 'a', 2)]
    expect(hitAll(claims, START).map(({ isAllowed }) => isAllowed)).toEqual([true, true, true])
  })

  test('adds up newcomers that share one state in a full memory', () => {
    const limiter = createLimiter(3, 1000, 1)
    limiter.hit('resident', START)
    const readings = hitAll([claim(limiter, 'a', 2), claim(limiter, 'b', 2)], START)
    expect(readings.map(({ isAllowed }) => isAllowed)).toEqual([true, false])
    expect(limiter.read('c', START).remaining).toBe(3)
    expect(limiter.read('resident', START).remaining).toBe(2)
  })

  test('a single claim is a hit', () => {
    const [one, other] = [createLimiter(2), createLimiter(2)]
    for (let times = 0; times < 3; times++) {
      expect(hitAll([claim(one, 'a')], START + times)).toEqual([other.hit('a', START + times)])
    }
  })

  test('a cost of 0 takes nothing, remembers nobody and blocks nobody', () => {
    const [spent, fresh] = [createLimiter(1), createLimiter(1)]
    spent.hit('a', START)
    const readings = hitAll([claim(spent, 'a', 0), claim(fresh, 'b', 0), claim(fresh, 'c')], START)
    expect(readings.map(({ remaining }) => remaining)).toEqual([0, 1, 0])
    expect(fresh.size).toBe(1)
  })

  test('a mistaken cost takes nothing of the others', () => {
    const limiter = createLimiter(5)
    expect(() => hitAll([claim(limiter, 'a'), claim(limiter, 'b', -1)], START)).toThrow(RangeError)
    expect(limiter.read('a', START).remaining).toBe(5)
  })

  test('agrees with asking first and hitting one by one', () => {
    const subjects = fc.constantFrom('a', 'b')
    const choice = fc.record({ index: fc.nat({ max: 3 }), subject: subjects, cost: fc.integer({ min: 0, max: 7 }) })
    const call = fc.record({ advance: fc.integer({ min: 0, max: 700 }), choices: fc.array(choice, { maxLength: 4 }) })
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), (calls) => {
        const create = () => [
          ...STRATEGIES.map((strategy) => new Limiter(createRate({ limit: 6, window: 1000, strategy }), 10)),
          createLimiter(1001),
        ]
        const [together, apart] = [create(), create()]
        const claimsOf = (limiters: readonly Limiter[], choices: (typeof calls)[number]['choices']) =>
          choices.map(({ index, subject, cost }) => claim(limiters[index] as Limiter, subject, cost))
        let now = START
        for (const { advance, choices } of calls) {
          now += advance
          const readings = hitAll(claimsOf(together, choices), now)
          const claims = claimsOf(apart, choices)
          const fits = claims.map(({ limiter, subject, cost }, index) => {
            const earlier = claims.slice(0, index).filter((one) => one.limiter === limiter && one.subject === subject)
            return limiter.read(
              subject,
              now,
              earlier.reduce((sum, one) => sum + one.cost, cost),
            ).isAllowed
          })
          expect(readings.map(({ isAllowed }) => isAllowed)).toEqual(fits)
          if (!fits.includes(false)) for (const one of claims) one.limiter.hit(one.subject, now, one.cost)
          for (const [index, limiter] of together.entries()) {
            for (const subject of ['a', 'b']) {
              expect(limiter.read(subject, now)).toEqual(apart[index]?.read(subject, now) as never)
            }
            // A refused call remembers nobody it would not have met anyway.
            expect(limiter.size).toBeLessThanOrEqual(apart[index]?.size ?? -1)
          }
          for (const [index, { remaining, resetAfter, retryAfter, isAllowed }] of readings.entries()) {
            const { limiter, subject } = claims[index] as Claim
            const reading = limiter.read(subject, now, 0)
            expect(remaining).toBe(reading.remaining)
            expect(resetAfter).toBe(isAllowed ? reading.resetAfter : retryAfter)
          }
        }
      }),
      { numRuns: 200 },
    )
  })
})
