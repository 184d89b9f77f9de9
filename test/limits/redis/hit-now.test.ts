/** What is decided at once for who cannot wait, and what Redis hears of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { until } from '../../support/until.ts'
import { START } from '../schedules.ts'
import { AWAY, claimOf, createLimits, WINDOW } from './limits.ts'
import { connectRedis, counted, runsOnRedis } from './redis.ts'

const quiet = { warn: () => undefined }
const fail = expect.objectContaining({ code: 'storage_unavailable' })

describe('where shared counts must be there', () => {
  test('nobody is refused before they are known to be away, and then everybody', async () => {
    const limits = createLimits({ link: AWAY, withoutRedis: 'refuse', ...quiet })
    const claim = claimOf('a', { limit: 100 })
    expect(limits.hitNow([claim], START)[0]?.isAllowed).toBe(true)
    await until(() => {
      try {
        limits.hitNow([claim], START)
        return false
      } catch {
        return true
      }
    })
    expect(() => limits.hitNow([claim], START)).toThrow(fail)
    expect(() => limits.enterNow('p', 'a', 9)).toThrow(fail)
    expect(limits.figures.unavailable).toBeGreaterThanOrEqual(3)
  })

  test('one that has not connected yet is away', () => {
    const limits = createLimits({ link: { ...AWAY, isUp: false }, withoutRedis: 'refuse', ...quiet })
    expect(() => limits.hitNow([claimOf('a')], START)).toThrow(fail)
  })

  test.skipIf(!runsOnRedis)(
    'it goes on when they are back, which is looked for by one question at a time',
    async () => {
      const redis = await connectRedis()
      let isAway = true
      const link = counted({ send: (...given) => (isAway ? AWAY.send(...given) : redis.link.send(...given)) })
      const limits = createLimits({ link, name: redis.name, withoutRedis: 'refuse', ...quiet })
      const claim = claimOf('a', { limit: 100 })
      await expect(limits.hitAll([claim], START) as Promise<unknown>).rejects.toEqual(fail)
      const before = link.commands.length
      for (let time = 0; time < 50; time += 1) expect(() => limits.hitNow([claim], START)).toThrow(fail)
      expect(link.commands.length - before).toBe(1)
      isAway = false
      await until(() => {
        try {
          return limits.hitNow([claim], START)[0]?.isAllowed === true
        } catch {
          return false
        }
      })
      await redis.close()
    },
  )
})

test('nothing is sent without bound, and nothing for who is refused', async () => {
  let sent = 0
  const link = {
    send: () => {
      sent += 1
      return new Promise(() => undefined)
    },
  }
  const limits = createLimits({ link, maxSubjects: 10_000 })
  for (let index = 0; index < 3000; index += 1) {
    const claim = claimOf(String(index), { limit: 1 })
    expect([limits.hitNow([claim], START), limits.hitNow([claim], START)].map(([each]) => each?.isAllowed)).toEqual([
      true,
      false,
    ])
  }
  expect(sent).toBe(1000)
})

test('limits of more rates than there is room for are counted all the same, and no stricter than by half', () => {
  const limits = createLimits({ link: AWAY, maxSubjects: 10, ...quiet })
  for (let limit = 1; limit <= 10_100; limit += 1) {
    limits.hitNow([{ ...claimOf('many', { limit, place: `key:${limit}` }), cost: 0 }], START)
    limits.hitNow([claimOf('many', { limit: limit + 1, place: `key:${limit}` })], START)
  }
  const claim = claimOf('victim', { limit: 7, place: 'route' })
  let admitted = 0
  for (let time = 0; time < 20; time += 1) if (limits.hitNow([claim], START)[0]?.isAllowed === true) admitted += 1
  expect(admitted).toBeWithin(4, 8)
  limits.forget('victim')
  expect(limits.hitNow([claim], START)[0]?.isAllowed).toBe(true)
})

test('however the number of processes changes, no more is let in than the limit', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 200 }), (numbers) => {
      let processes = 1
      const limits = createLimits({ link: AWAY, processes: () => processes, ...quiet })
      let admitted = 0
      for (const number of numbers) {
        processes = number
        const readings = limits.hitNow([claimOf('a', { limit: 20 }), claimOf('a', { limit: 1e6, place: 'b' })], START)
        if (readings.every((reading) => reading?.isAllowed === true)) admitted += 1
      }
      expect(admitted).toBeLessThanOrEqual(20)
    }),
    { numRuns: 50 },
  )
})

test('who is over a share is not over the limit, until he has tried more than it lets in', () => {
  const limits = createLimits({ link: AWAY, processes: () => 4, ...quiet })
  const said = Array.from({ length: 7 }, () => limits.hitNow([claimOf('a', { limit: 5 })], START)[0])
  expect(said.map((each) => each?.isAllowed)).toEqual([true, ...Array(6).fill(false)])
  expect(said.map((each) => each?.isOfShare)).toEqual([undefined, true, true, true, true, false, false])
  const alone = createLimits({ link: AWAY, processes: () => 1, ...quiet })
  const one = Array.from({ length: 3 }, () => alone.hitNow([claimOf('a', { limit: 2 })], START)[0]?.isOfShare)
  expect(one).toEqual([undefined, undefined, false])
})

describe.skipIf(!runsOnRedis)('with Redis', () => {
  let redis: Awaited<ReturnType<typeof connectRedis>>
  beforeAll(async () => {
    redis = await connectRedis()
  })
  afterAll(() => redis.close())
  let opened = 0
  const open = (processes = 1) => {
    opened += 1
    const name = `${redis.name}:${opened}`
    const clock = { serverClock: () => START }
    return () => createLimits({ link: redis.link, name, processes: () => processes, ...clock })
  }

  test('what fits of a list is taken, though another limit of it is used up', async () => {
    const create = open()
    const [one, other] = [create(), create()]
    const [full, free] = [claimOf('full', { limit: 2 }), claimOf('free', { limit: 2 })]
    await other.hitAll([full, full], START)
    expect(one.hitNow([free, full], START).map((each) => each?.isAllowed)).toEqual([true, true])
    await until(async () => (await other.read(free))?.remaining === 1)
    expect(one.hitNow([full], START)[0]?.isAllowed).toBe(false)
  })

  test('a fleet where nobody asks ahead lets in a share each, and never more than the limit and one of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 60 }),
        async (limit, processes, questions) => {
          const fleet = Array.from({ length: processes }, open(processes))
          let admitted = 0
          for (const [index, isForeseen] of questions) {
            const limits = fleet[index % processes] as (typeof fleet)[number]
            const claim = claimOf('a', { limit })
            const [reading] = isForeseen ? await limits.hitAll([claim], START) : limits.hitNow([claim], START)
            if (reading?.isAllowed === true) admitted += 1
          }
          expect(admitted).toBeLessThanOrEqual(limit + processes * Math.max(1, Math.floor(limit / processes)))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('a place is a lease of this process, up to its share', async () => {
    const limits = open(3)()
    const leaves = Array.from({ length: 4 }, () => limits.enterNow('p', 'a', 7))
    expect(leaves.map((leave) => leave !== null)).toEqual([true, true, false, false])
    leaves[0]?.()
    expect(limits.enterNow('p', 'a', 7)).not.toBeNull()
    await limits.stop()
  })

  test('what is remembered is told without asking, and takes nothing', async () => {
    const limits = open()()
    const claim = claimOf('a', { limit: 1 })
    expect(limits.recall([claim], START)).toBeNull()
    await limits.hitAll([claim], START)
    await limits.hitAll([claim], START)
    const other = claimOf('b')
    expect(limits.recall([claim, other], START)?.map((each) => each?.isAllowed)).toEqual([false, undefined])
    expect(limits.recall([other], START)).toBeNull()
    expect(limits.recall([claim], START + WINDOW)).toBeNull()
    expect(limits.figures.remembered).toBe(1)
    expect((await limits.read(other))?.remaining).toBe(2)
  })
})
