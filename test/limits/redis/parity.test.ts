import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type Claim, hitAll, Limiter, type Reading } from '../../../src/limits/limiter.ts'
import { createRate, type Rate, STRATEGIES } from '../../../src/limits/rate.ts'
import { decideInRedis } from '../../../src/limits/redis/decide.ts'
import { START, schedules } from '../schedules.ts'
import { keysOf } from './limits.ts'
import { connectRedis, runsOnRedis, type TestRedis } from './redis.ts'

/** Long enough that keys do not end by the server's clock while a test has its own. */
const WINDOW = 600_000
const RATES = [
  ...STRATEGIES.map((strategy) => createRate({ limit: 10, window: WINDOW, strategy })),
  createRate({ limit: 1000, window: WINDOW + 7 }),
  createRate({ limit: 1001, window: WINDOW + 7 }),
  createRate({ limit: 5000, window: WINDOW }),
  createRate({ limit: 1e9, window: WINDOW }),
  createRate({ limit: 777, window: WINDOW + 7, strategy: 'sliding-window-counter' }),
  createRate({ limit: 10, window: WINDOW, strategy: 'token-bucket', burst: 50 }),
  createRate({ limit: 77, window: WINDOW + 7, strategy: 'token-bucket', burst: 13 }),
]
const CASES = RATES.map((rate) => ({ rate, strategy: rate.strategy, limit: rate.limit, burst: rate.burst }))

let redis: TestRedis
let runs = 0

beforeAll(async () => {
  if (runsOnRedis) redis = await connectRedis()
})
afterAll(() => redis?.close())

/** The same claims in Redis, as subjects of this run. */
function keyed(claims: readonly Claim[], run: number) {
  return claims.map(({ limiter, subject, cost }) => {
    const { rate } = limiter
    return { key: keysOf(redis.name).rate(`${RATES.indexOf(rate)} ${run}`, rate, subject), rate, cost }
  })
}

/** What was decided here and there; all commands are sent at once, and Redis keeps their order. */
async function expectEqual(here: (readonly Reading[])[], there: Promise<readonly Reading[]>[]): Promise<void> {
  const answers = await Promise.all(there)
  expect(answers).toEqual(here)
}

const expectRedis = runsOnRedis ? describe : describe.skip

expectRedis('in Redis as in process', () => {
  test.each(CASES)('$strategy of $limit, burst $burst, one subject', async ({ rate }) => {
    await fc.assert(
      fc.asyncProperty(schedules(rate), async (steps) => {
        const run = ++runs
        const limiter = new Limiter(rate, 10)
        const here: (readonly Reading[])[] = []
        const there: Promise<readonly Reading[]>[] = []
        let now = START
        for (const { advance, cost } of steps) {
          now += advance
          const claims = [{ limiter, subject: 'a', cost }]
          here.push([limiter.read('a', now, cost)])
          there.push(decideInRedis(redis.link, 'read', keyed(claims, run), now))
          here.push(hitAll(claims, now))
          there.push(decideInRedis(redis.link, 'take', keyed(claims, run), now))
        }
        await expectEqual(here, there)
      }),
      { numRuns: 60 },
    )
  })

  test('lists of claims on all strategies and several subjects', async () => {
    const choice = fc.record({
      index: fc.nat({ max: RATES.length - 1 }),
      subject: fc.constantFrom('a', 'b'),
      share: fc.constantFrom(0, 0, 0.1, 0.3, 0.5, 1, 1.1),
    })
    const advance = fc.oneof(
      fc.constantFrom(0, 1, WINDOW / 64, WINDOW, WINDOW + 7, 2 * WINDOW),
      fc.integer({ min: 0, max: WINDOW }),
    )
    const call = fc.record({ advance, choices: fc.array(choice, { minLength: 1, maxLength: 5 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 40 }), async (calls) => {
        const run = ++runs
        const limiters = RATES.map((rate) => new Limiter(rate, 10))
        const here: (readonly Reading[])[] = []
        const there: Promise<readonly Reading[]>[] = []
        let now = START
        for (const { advance, choices } of calls) {
          now += advance
          const claims = choices.map(({ index, subject, share }) => {
            const limiter = limiters[index] as Limiter
            return { limiter, subject, cost: Math.round(share * limiter.rate.burst) }
          })
          here.push(hitAll(claims, now))
          there.push(decideInRedis(redis.link, 'take', keyed(claims, run), now))
        }
        await expectEqual(here, there)
      }),
      { numRuns: 150 },
    )
  })

  // Redis does not write what has merely left: so a jump comes only after something was taken, by whoever is looked at.
  test.each(CASES)('$strategy of $limit, burst $burst, with a clock that jumps back', async ({ rate }) => {
    await fc.assert(
      fc.asyncProperty(schedules(rate, true), async (steps) => {
        const run = ++runs
        const limiter = new Limiter(rate, 10)
        const here: (readonly Reading[])[] = []
        const there: Promise<readonly Reading[]>[] = []
        let now = START
        let wasTaken = true
        for (const { advance, cost } of steps) {
          now += wasTaken ? advance : Math.abs(advance)
          const claims = [{ limiter, subject: 'a', cost }]
          const readings = hitAll(claims, now)
          wasTaken = readings[0]?.isAllowed === true
          here.push(readings)
          there.push(decideInRedis(redis.link, 'take', keyed(claims, run), now))
        }
        await expectEqual(here, there)
      }),
      { numRuns: 100 },
    )
  })

  test.each([
    { name: 'the longest window', rate: createRate({ limit: 1, window: 36_525 * 86_400_000 }) },
    { name: 'the most units', rate: createRate({ limit: 1e9, window: 36_525 * 86_400_000 }) },
    {
      name: 'the slowest counter',
      rate: createRate({ limit: 1e9, window: 36_525 * 86_400_000, strategy: 'sliding-window-counter' }),
    },
    {
      name: 'the slowest bucket',
      rate: createRate({ limit: 1, window: 36_525 * 86_400_000, strategy: 'token-bucket', burst: 1e9 }),
    },
  ] satisfies { name: string; rate: Rate }[])('extreme rates: $name', async ({ rate }) => {
    const limiter = new Limiter(rate, 10)
    const key = keysOf(redis.name).rate(`extreme ${++runs}`, rate, 'a')
    for (const cost of [1, rate.burst, rate.burst + 1]) {
      const there = await decideInRedis(redis.link, 'take', [{ key, rate, cost }], START)
      expect(there).toEqual([limiter.hit('a', START, cost)])
    }
  })
})
