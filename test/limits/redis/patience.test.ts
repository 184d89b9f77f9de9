/** How long one request waits for Redis, and how often a full place is asked for. */
import { describe, expect, test } from 'bun:test'
import { RedisSilentError } from '../../../src/cluster/redis-errors.ts'
import { isStorageAway } from '../../../src/errors.ts'
import { until } from '../../support/until.ts'
import { START } from '../schedules.ts'
import { claimOf, createLimits, isAllowed } from './limits.ts'
import { connectRedis, counted, runsOnRedis } from './redis.ts'

const quiet = { warn: () => undefined }
/** Of decisions and of places: what nobody waits for is not counted. */
const waitedFor = (commands: readonly string[]) => commands.filter((command) => command.startsWith('EVAL')).length

function silent() {
  return counted({ send: () => Promise.reject(new RedisSilentError('no answer in time')) })
}

describe('a request to which Redis was silent once', () => {
  test('is decided without it from then on, up to the share', async () => {
    const link = silent()
    const limits = createLimits({ link, processes: () => 2, ...quiet })
    const patience = { isOver: false }
    expect(await isAllowed(limits.hitAll([claimOf('a', { limit: 4 })], START, patience))).toEqual([true])
    expect(patience.isOver).toBe(true)
    const later = limits.hitAll([claimOf('a', { limit: 4 })], START, patience)
    // Nobody waits: it is no promise.
    expect(later).toMatchObject([{ isAllowed: true }])
    expect(limits.hitAll([claimOf('a', { limit: 4 })], START, patience)).toMatchObject([
      { isAllowed: false, isOfShare: true },
    ])
    const before = waitedFor(link.commands)
    expect(await limits.enter('route', 'a', 2, patience)).not.toBeNull()
    expect(await limits.enter('route', 'a', 2, patience)).toBeNull()
    expect(waitedFor(link.commands)).toBe(before)
    await limits.stop()
  })

  test('asks for no rate after a place it was not told of', async () => {
    const link = silent()
    const limits = createLimits({ link, ...quiet })
    const patience = { isOver: false }
    await limits.enter('route', 'a', 2, patience)
    expect(patience.isOver).toBe(true)
    expect(limits.hitAll([claimOf('a')], START, patience)).toMatchObject([{ isAllowed: true }])
    await limits.stop()
  })

  test('is refused where the app wants no limits without Redis', async () => {
    const limits = createLimits({ link: silent(), withoutRedis: 'refuse', ...quiet })
    const patience = { isOver: false }
    const refusalOf = async (ask: () => unknown) => {
      try {
        return await ask()
      } catch (error) {
        return isStorageAway(error)
      }
    }
    expect(await refusalOf(() => limits.hitAll([claimOf('a')], START, patience))).toBe(true)
    expect(await refusalOf(() => limits.hitAll([claimOf('a')], START, patience))).toBe(true)
    expect(await refusalOf(() => limits.enter('route', 'a', 2, patience))).toBe(true)
  })

  test('does not keep others from asking', async () => {
    const link = silent()
    const limits = createLimits({ link, ...quiet })
    await limits.hitAll([claimOf('a')], START, { isOver: false })
    const before = waitedFor(link.commands)
    await limits.hitAll([claimOf('b')], START, { isOver: false })
    expect(waitedFor(link.commands)).toBe(before + 1)
  })
})

describe.skipIf(!runsOnRedis)('of a request that was decided without Redis', () => {
  test('Redis hears all the same', async () => {
    const redis = await connectRedis()
    const limits = createLimits({ link: redis.link, name: redis.name })
    const claim = claimOf('a', { limit: 5 })
    limits.hitAll([claim], START, { isOver: true })
    await until(async () => (await limits.read(claim))?.remaining === 4)
    await limits.stop()
    await redis.close()
  })

  test('a hammer at a full place reaches Redis once in a moment, and whoever leaves makes room at once', async () => {
    const redis = await connectRedis()
    const link = counted(redis.link)
    const limits = createLimits({ link, name: redis.name })
    const leave = await limits.enter('route', 'a', 1)
    expect(await limits.enter('route', 'a', 1)).toBeNull()
    const before = waitedFor(link.commands)
    const startedAt = performance.now()
    for (let times = 0; times < 50; times += 1) expect(await limits.enter('route', 'a', 1)).toBeNull()
    expect(waitedFor(link.commands) - before).toBeLessThanOrEqual(Math.ceil((performance.now() - startedAt) / 20))
    leave?.()
    expect(await limits.enter('route', 'a', 1)).not.toBeNull()
    expect(await limits.enter('route', 'b', 1)).not.toBeNull()
    await limits.stop()
    await redis.close()
  })

  test('room that another process makes is found in a moment', async () => {
    const redis = await connectRedis()
    const [one, other] = [1, 2].map(() => createLimits({ link: redis.link, name: redis.name }))
    const leave = await one?.enter('route', 'a', 1)
    expect(await other?.enter('route', 'a', 1)).toBeNull()
    leave?.()
    await until(async () => (await other?.enter('route', 'a', 1)) !== null)
    await Promise.all([one?.stop(), other?.stop()])
    await redis.close()
  })
})
