import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Leases } from '../../../src/limits/redis/leases.ts'
import { until } from '../../support/until.ts'
import { createLimits, keysOf } from './limits.ts'
import { connectRedis, counted, runsOnRedis, type TestRedis } from './redis.ts'

describe.skipIf(!runsOnRedis)('leases in Redis', () => {
  let redis: TestRedis
  let link: ReturnType<typeof counted>
  let key: string
  let made: Leases[]

  beforeEach(async () => {
    redis = await connectRedis()
    link = counted(redis.link)
    key = keysOf(redis.name).concurrency('route', 'a')
    made = []
  })
  afterEach(async () => {
    for (const leases of made) await leases.stop()
    await redis.close()
  })

  const createLeases = (times: { lasts?: number; renewedEvery?: number } = {}) => {
    const leases = new Leases({ link, ...times })
    made.push(leases)
    return leases
  }
  const count = async () => Number(await redis.link.send('ZCARD', [key]))
  const end = async (lease: string) => Number(await redis.link.send('ZSCORE', [key, lease]))
  const names = async () => (await redis.link.send('ZRANGE', [key, '0', '-1'])) as string[]

  test('are given up to as many as may be under way in all processes', async () => {
    const processes = [createLeases(), createLeases()]
    const leaves = await Promise.all(
      Array.from({ length: 10 }, () => processes.map((each) => each.enter(key, 3))).flat(),
    )
    expect(leaves.filter((leave) => leave !== null)).toHaveLength(3)
    expect(await count()).toBe(3)
  })

  test('are counted for each subject', async () => {
    const leases = createLeases()
    expect(await leases.enter(key, 1)).not.toBeNull()
    expect(await leases.enter(keysOf(redis.name).concurrency('route', 'b'), 1)).not.toBeNull()
  })

  test('make room when they end, once', async () => {
    const leases = createLeases()
    const [first] = [await leases.enter(key, 2), await leases.enter(key, 2)]
    expect(await leases.enter(key, 2)).toBeNull()
    first?.()
    first?.()
    expect(await leases.enter(key, 2)).not.toBeNull()
    expect(await leases.enter(key, 2)).toBeNull()
    expect(leases.size).toBe(2)
  })

  test('of a process that was killed before the clock jumped back keep nobody out', async () => {
    const hour = 3_600_000
    await redis.link.send('ZADD', [key, String(Date.now() + hour), 'dead:1', String(Date.now() + 2 * hour), 'dead:2'])
    const leases = createLeases()
    expect(await leases.enter(key, 1)).not.toBeNull()
    expect((await names()).filter((name) => name.startsWith('dead'))).toEqual([])
    // What a clock that is set by a little leaves is a lease as any other.
    expect(await leases.enter(key, 1)).toBeNull()
  })

  test('of a process that was killed end by themselves', async () => {
    const killed = new Leases({ link, lasts: 50, renewedEvery: 1e9 })
    await killed.enter(key, 1)
    const leases = createLeases()
    await until(async () => (await leases.enter(key, 1)) !== null)
    expect(await count()).toBe(1)
  })

  test('of a process that lives last, by one command for all', async () => {
    const leases = createLeases({ lasts: 30_000, renewedEvery: 10 })
    await leases.enter(key, 2)
    await leases.enter(key, 2)
    const given = await names()
    const before = await Promise.all(given.map(end))
    link.commands.length = 0
    await until(async () => {
      const now = await Promise.all(given.map(end))
      return now.every((each, index) => each > Number(before[index]))
    })
    expect(link.commands[0]).toBe('EVALSHA')
    expect(await count()).toBe(2)
  })

  test('that Redis lost, or never heard of, count again with the next renewal', async () => {
    const leases = createLeases({ renewedEvery: 10 })
    await leases.enter(key, 2)
    expect(leases.enterHere(key, 2)).not.toBeNull()
    expect(leases.enterHere(key, 2)).toBeNull()
    await redis.link.send('DEL', [key])
    await until(async () => (await count()) === 2)
    expect(await createLeases().enter(key, 2)).toBeNull()
  })

  test('are renewed only while there are any', async () => {
    const own = counted(redis.link)
    const leases = new Leases({ link: own, renewedEvery: 5 })
    const leave = await leases.enter(key, 1)
    await until(async () => own.commands.length > 3)
    leave?.()
    const { length } = own.commands
    // By then the first one would have renewed too.
    await createLeases({ renewedEvery: 5 }).enter(key, 1)
    await until(async () => link.commands.length > 5)
    expect(own.commands).toHaveLength(length)
  })

  test('leave nothing in Redis once all have ended', async () => {
    const leases = createLeases()
    await leases.enter(key, 5)
    await leases.enter(key, 5)
    await leases.stop()
    expect(await redis.keys()).toEqual([])
    expect(leases.size).toBe(0)
  })

  test('that were not answered are given up: whoever asked was told something else', async () => {
    let isAway = true
    const late = new Leases({
      link: {
        async send(command, args) {
          const answer = await redis.link.send(command, args)
          if (isAway && command.startsWith('EVAL')) throw new Error('too late')
          return answer
        },
      },
    })
    made.push(late)
    expect(late.enter(key, 1)).rejects.toThrow('too late')
    await until(async () => (await count()) === 0)
    isAway = false
    expect(await late.enter(key, 1)).not.toBeNull()
  })

  test('are what limits enter with, one command each', async () => {
    const limits = createLimits({ link, name: redis.name })
    const leave = await limits.enter('route', 'a', 1)
    expect(await limits.enter('route', 'a', 1)).toBeNull()
    expect(await count()).toBe(1)
    expect(Number(await redis.link.send('PTTL', [key]))).toBeLessThanOrEqual(30_000)
    leave?.()
    expect(await limits.enter('route', 'a', 1)).not.toBeNull()
    expect(limits.figures.shared).toBe(3)
    await limits.stop()
    expect(await count()).toBe(0)
  })
})
