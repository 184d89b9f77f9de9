/** Wrong attempts at two processes that share a real Redis. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { AbuseGuard } from '../../src/limits/abuse.ts'
import { Limiter } from '../../src/limits/limiter.ts'
import { MasterKeyThrottle } from '../../src/limits/master-key-throttle.ts'
import { MirroredLimiter } from '../../src/limits/mirrored-limiter.ts'
import { createRate } from '../../src/limits/rate.ts'
import type { SharedLimits } from '../../src/limits/shared-limits.ts'
import { until } from '../support/until.ts'
import { createLimits } from './redis/limits.ts'
import { connectRedis, runsOnRedis, type TestRedis } from './redis/redis.ts'

/** ms; longer than any test. */
const WINDOW = 600_000
const ADDRESS = '203.0.113.5'
const SUBJECT = `ip:${ADDRESS}`

describe.skipIf(!runsOnRedis)('wrong attempts, counted in Redis', () => {
  let redis: TestRedis
  beforeEach(async () => {
    redis = await connectRedis()
  })
  afterEach(() => redis.close())

  /** Shared counts of two processes. */
  const createTwo = () =>
    Array.from({ length: 2 }, () => createLimits({ link: redis.link, name: redis.name, clock: Date.now }))

  const limiterOf = (shared: SharedLimits, limit = 5) =>
    new MirroredLimiter({
      rate: createRate({ limit, window: WINDOW }),
      capacity: 100,
      place: 'place',
      shared,
      clock: Date.now,
    })

  test('are heard of by who asks first', async () => {
    const [one, other] = createTwo().map((shared) => limiterOf(shared)) as [MirroredLimiter, MirroredLimiter]
    for (let count = 0; count < 3; count += 1) one.hit(SUBJECT, Date.now())
    await until(async () => (await other.refresh(SUBJECT))?.remaining === 2)
    expect(other.read(SUBJECT, Date.now()).remaining).toBe(2)
    for (let count = 0; count < 2; count += 1) other.hit(SUBJECT, Date.now())
    await until(async () => {
      await one.refresh(SUBJECT)
      return !one.read(SUBJECT, Date.now()).isAllowed
    })
    expect(one.hit(SUBJECT, Date.now()).isAllowed).toBe(false)
  })

  test('a hundred of them block an address, at one of two processes', async () => {
    const blocked: string[] = []
    const guards = createTwo().map(
      (shared) =>
        new AbuseGuard({
          threshold: 100,
          window: WINDOW,
          capacity: 100,
          isExempt: () => false,
          block: (subject) => void blocked.push(subject),
          shared,
          clock: Date.now,
        }),
    )
    for (let count = 0; count < 50; count += 1) for (const guard of guards) guard.note(ADDRESS, Date.now())
    await until(() => blocked.length > 0)
    expect(new Set(blocked)).toEqual(new Set([SUBJECT]))
  })

  test('five wrong master keys make an address wait at both of two processes', async () => {
    const note = async () => undefined
    const processes = createTwo()
    const [one, other] = processes.map(
      (shared) => new MasterKeyThrottle({ clock: Date.now, capacity: 100, note, meter: null, shared }),
    ) as [MasterKeyThrottle, MasterKeyThrottle]
    for (let count = 0; count < 5; count += 1) expect(one.attempt(false, ADDRESS, 'request')).toBe(0)
    const limiter = new Limiter(createRate({ limit: 5, window: 60_000 }), 1)
    const claim = { place: 'master-key', limiter, subject: SUBJECT, cost: 0 }
    await until(async () => (await processes[1]?.read(claim))?.remaining === 0)
    expect(other.attempt(false, ADDRESS, 'request')).toBe(0)
    await until(() => other.attempt(true, ADDRESS, 'request') > 0)
    expect(other.attempt(false, ADDRESS, 'request')).toBeGreaterThan(0)
  })

  test('that are forgotten by a process that counted none are forgotten', async () => {
    const [counting, other] = createTwo()
    const one = limiterOf(counting as SharedLimits)
    // It has counted nothing, and knows the place all the same.
    limiterOf(other as SharedLimits)
    for (let count = 0; count < 5; count += 1) one.hit(SUBJECT, Date.now())
    // Each asks as one that has not asked before.
    const leftNow = async () =>
      (
        await createTwo()
          .map((shared) => limiterOf(shared))[0]
          ?.refresh(SUBJECT)
      )?.remaining
    await until(async () => (await leftNow()) === 0)
    other?.forget(SUBJECT)
    await until(async () => (await leftNow()) === 5)
  })
})
