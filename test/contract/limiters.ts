import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Claim, hitAll, Limiter, type Reading } from '../../src/limits/limiter.ts'
import { createRate } from '../../src/limits/rate.ts'
import { RedisLimits } from '../../src/limits/redis/redis-limits.ts'
import type { SharedClaim, SharedLimits } from '../../src/limits/shared-limits.ts'
import { connectRedis } from '../limits/redis/redis.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'

/** Where claims are counted. */
export interface Counts {
  hitAll(claims: readonly SharedClaim[], now: number): Promise<readonly Reading[]>
  read(claim: SharedClaim, now: number): Promise<Reading | null>
  forget(subject: string): void
}

/** One kind of place that the contract holds for. */
export interface LimitsAdapter {
  readonly name: string
  /** Answers one that has counted nothing. */
  open(): Counts
  /** Two processes, of `processes`, that share what has counted nothing, where it is always `START`. */
  openShared(processes: number): readonly [SharedLimits, SharedLimits]
  start(): Promise<void>
  stop(): Promise<void>
}

/** The limiters of one process. */
export function memoryLimits(): LimitsAdapter {
  return {
    name: 'memory',
    open() {
      const limiters = new Map<string, Limiter>()
      const own = ({ place, limiter, subject, cost }: SharedClaim): Claim => {
        const known = limiters.get(place) ?? new Limiter(limiter.rate, 1000)
        limiters.set(place, known)
        return { limiter: known, subject, cost }
      }
      return {
        hitAll: async (claims, now) => hitAll(claims.map(own), now),
        async read(claim, now) {
          const { limiter, subject, cost } = own(claim)
          return limiter.read(subject, now, cost)
        },
        forget(subject) {
          for (const limiter of limiters.values()) limiter.forget(subject)
        },
      }
    },
    openShared(processes) {
      const shared = new MemorySharedLimits({ processes, remembers: true, clock: () => START })
      return [shared, shared]
    },
    start: async () => undefined,
    stop: async () => undefined,
  }
}

/** A real server, which is told the time. */
export function redisLimits(): LimitsAdapter {
  let connected: ReturnType<typeof connectRedis> | undefined
  let redis: Awaited<NonNullable<typeof connected>>
  let opened = 0
  return {
    name: 'redis',
    async start() {
      connected = connectRedis()
      redis = await connected
    },
    open() {
      let time = 0
      const limits = new RedisLimits({
        link: redis.link,
        name: `${redis.name}:${++opened}`,
        nameKey: new Uint8Array(32),
        maxSubjects: 1000,
        withoutRedis: 'refuse',
        processes: () => 1,
        clock: Date.now,
        warn(message) {
          throw new Error(message)
        },
        serverClock: () => time,
      })
      // So much later each time that no refusal is remembered: Redis itself answers.
      let later = 0
      return {
        async hitAll(claims, now) {
          time = now
          later += 1e15
          const readings = await limits.hitAll(claims, later)
          return readings.map((reading) => reading as Reading)
        },
        read(claim, now) {
          time = now
          return limits.read(claim)
        },
        forget: (subject) => limits.forget(subject),
      }
    },
    openShared(processes) {
      const name = `${redis.name}:${++opened}`
      const [link, clock] = [redis.link, () => START]
      const warn = () => undefined
      const options = {
        link,
        name,
        nameKey: new Uint8Array(32),
        clock,
        warn,
        maxSubjects: 1000,
        withoutRedis: 'refuse',
        serverClock: clock,
      } as const
      const create = () => new RedisLimits({ ...options, processes: () => processes })
      return [create(), create()]
    },
    stop: async () => (await connected)?.close(),
  }
}

/** Epoch ms. */
export const START = 1_700_000_000_123
/** ms. Sixty-fourths of it are whole. */
const WINDOW = 640_000

const STRATEGIES = [
  { name: 'exact log', limit: 10, strategy: 'sliding-window' },
  { name: 'sub-windows', limit: 2000, strategy: 'sliding-window' },
  { name: 'sliding window counter', limit: 10, strategy: 'sliding-window-counter' },
  { name: 'token bucket', limit: 10, strategy: 'token-bucket' },
] as const

export function claimOf(
  place: string,
  limit: number,
  subject: string,
  cost = 1,
  strategy?: 'token-bucket',
): SharedClaim {
  const rate = createRate({ limit, window: WINDOW, ...(strategy === undefined ? {} : { strategy }) })
  return { place, limiter: new Limiter(rate, 1), subject, cost }
}

/** What every place where limits are counted must do; `adapter` is opened for each test. */
export function describeLimits(adapter: LimitsAdapter): void {
  describe(adapter.name, () => {
    let counts: Counts
    beforeAll(() => adapter.start())
    afterAll(() => adapter.stop())
    beforeEach(() => {
      counts = adapter.open()
    })

    describe.each(STRATEGIES)('$name', ({ limit, strategy }) => {
      const limiter = new Limiter(createRate({ limit, window: WINDOW, strategy }), 1)
      const claim = (subject: string, cost = 1): SharedClaim => ({ place: 'route', limiter, subject, cost })
      const hit = async (subject: string, now: number, cost = 1) =>
        (await counts.hitAll([claim(subject, cost)], now))[0] as Reading
      const admit = async (subject: string, now: number, times: number, cost = 1) => {
        const readings = await Promise.all(Array.from({ length: times }, () => hit(subject, now, cost)))
        return readings.filter(({ isAllowed }) => isAllowed).length
      }

      test('lets a burst of exactly the limit through', async () => {
        const cost = limit / 10
        expect(await admit('a', START, 25, cost)).toBe(10)
        expect(await hit('b', START)).toMatchObject({ isAllowed: true, remaining: limit - 1, retryAfter: 0 })
      })

      test('is whole again when nothing was taken for as long as it says', async () => {
        const { resetAfter } = await hit('a', START, limit)
        expect(await hit('a', START + resetAfter, limit)).toMatchObject({ isAllowed: true, remaining: 0 })
      })

      test('refuses until the very millisecond that it says', async () => {
        await hit('a', START, limit)
        const refused = await hit('a', START + 1000)
        expect(refused).toMatchObject({ isAllowed: false, remaining: 0, resetAfter: refused.retryAfter })
        expect(refused.retryAfter).toBeGreaterThan(1)
        const back = START + 1000 + refused.retryAfter
        expect((await hit('a', back - 1)).isAllowed).toBe(false)
        expect((await hit('a', back)).isAllowed).toBe(true)
      })

      test('counts costs, and refuses what does not fit without taking of it', async () => {
        expect(await hit('a', START, limit - 3)).toMatchObject({ isAllowed: true, remaining: 3 })
        expect(await hit('a', START, 4)).toMatchObject({ isAllowed: false, remaining: 3 })
        expect(await hit('a', START, 3)).toMatchObject({ isAllowed: true, remaining: 0 })
      })

      test('a cost of 0 takes nothing and is allowed when nothing is left', async () => {
        expect(await hit('a', START, 0)).toMatchObject({ isAllowed: true, remaining: limit, resetAfter: 0 })
        await hit('a', START, limit)
        expect(await hit('a', START, 0)).toMatchObject({ isAllowed: true, remaining: 0, retryAfter: 0 })
      })

      test('a cost over the limit never fits', async () => {
        const never = { isAllowed: false, retryAfter: Number.POSITIVE_INFINITY, resetAfter: Number.POSITIVE_INFINITY }
        expect(await hit('a', START, limit + 1)).toMatchObject({ ...never, remaining: limit })
        await hit('a', START, limit)
        expect(await hit('a', START, limit + 1)).toMatchObject({ ...never, remaining: 0 })
      })

      test('takes all claims of a list or none', async () => {
        await hit('full', START, limit)
        const [fits, refused] = await counts.hitAll([claim('a', 2), claim('full')], START)
        expect(fits).toMatchObject({ isAllowed: true, remaining: limit, resetAfter: 0, retryAfter: 0 })
        expect(refused).toMatchObject({ isAllowed: false, remaining: 0 })
        expect((await counts.read(claim('a'), START))?.remaining).toBe(limit)
        const granted = await counts.hitAll([claim('a', 2), claim('b', 3)], START)
        expect(granted.map(({ remaining }) => remaining)).toEqual([limit - 2, limit - 3])
      })

      test('adds up claims of the same subject', async () => {
        const half = limit / 2
        const over = await counts.hitAll([claim('a', half), claim('a', half + 1)], START)
        expect(over.map(({ isAllowed }) => isAllowed)).toEqual([true, false])
        const granted = await counts.hitAll([claim('a', half), claim('a', half)], START)
        expect(granted.map(({ remaining }) => remaining)).toEqual([0, 0])
        expect((await hit('a', START)).isAllowed).toBe(false)
      })

      test('a look takes nothing', async () => {
        await hit('a', START, limit - 1)
        for (let times = 0; times < 3; times++) {
          expect(await counts.read(claim('a'), START)).toMatchObject({ isAllowed: true, remaining: 1, retryAfter: 0 })
        }
        const { retryAfter, isAllowed } = (await counts.read(claim('a', 2), START)) as Reading
        expect([isAllowed, (await hit('a', START, 2)).retryAfter]).toEqual([false, retryAfter])
      })

      test('hammering while refused prolongs nothing', async () => {
        await hit('a', START, limit)
        const { retryAfter } = await hit('a', START)
        for (let at = 1; at <= 20; at++) {
          const later = Math.floor((at * retryAfter) / 21)
          expect(await hit('a', START + later)).toMatchObject({ isAllowed: false, retryAfter: retryAfter - later })
        }
        expect((await hit('a', START + retryAfter)).isAllowed).toBe(true)
      })

      test('a clock that jumps back gives nothing back, and lets nobody wait for the length of the jump', async () => {
        await hit('a', START, limit)
        const back = START - 100 * WINDOW
        const { isAllowed, retryAfter } = await hit('a', back)
        expect(isAllowed).toBe(false)
        expect(retryAfter).toBeLessThanOrEqual(1.1 * WINDOW)
        expect((await hit('a', back + retryAfter - 1)).isAllowed).toBe(false)
        expect((await hit('a', back + retryAfter)).isAllowed).toBe(true)
      })

      test('whoever is forgotten starts anew, and nobody else', async () => {
        await counts.hitAll([claim('a', limit), claim('b', limit)], START)
        counts.forget('a')
        expect((await hit('a', START, limit)).isAllowed).toBe(true)
        expect((await hit('b', START)).isAllowed).toBe(false)
      })

      test('a mistaken cost takes nothing', async () => {
        for (const cost of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
          await expect(counts.hitAll([claim('a'), claim('b', cost)], START)).rejects.toBeInstanceOf(RangeError)
        }
        expect((await counts.read(claim('a'), START))?.remaining).toBe(limit)
      })
    })

    test('no list is no decision', async () => {
      expect(await counts.hitAll([], START)).toEqual([])
    })

    test('places and subjects are counted apart, whatever is in their names', async () => {
      const pairs = [
        ['a', 'bc'],
        ['ab', 'c'],
        ['a', 'b\nc'],
        ['a\nb', 'c'],
        ['', 'abc'],
        ['abc', ''],
      ] as const
      const claims = pairs.map(([place, subject]) => claimOf(place, 1, subject))
      expect((await counts.hitAll(claims, START)).map(({ isAllowed }) => isAllowed)).toEqual(pairs.map(() => true))
    })

    test('a window slides: what was taken early comes back first', async () => {
      const hit = async (now: number) => (await counts.hitAll([claimOf('route', 2, 'a')], now))[0]
      await hit(START)
      await hit(START + 1000)
      expect(await hit(START + 2000)).toMatchObject({ isAllowed: false, retryAfter: WINDOW - 2000 })
      expect(await hit(START + WINDOW)).toMatchObject({ isAllowed: true, remaining: 0, resetAfter: WINDOW })
      expect(await hit(START + WINDOW)).toMatchObject({ isAllowed: false, retryAfter: 1000 })
    })
  })
}
