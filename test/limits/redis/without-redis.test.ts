import { describe, expect, test } from 'bun:test'
import { RedisLink } from '../../../src/cluster/redis-link.ts'
import { MachineAuthError } from '../../../src/errors.ts'
import { isRedisInstalled, startRedis } from '../../support/servers/redis.ts'
import { until } from '../../support/until.ts'
import { START } from '../schedules.ts'
import { AWAY, claimOf, createLimits, isAllowed, keysOf, WINDOW } from './limits.ts'
import { connectRedis, counted, runsOnRedis } from './redis.ts'

const quiet = { warn: () => undefined }

async function admitted(limits: ReturnType<typeof createLimits>, claim = claimOf('a', { limit: 10 })): Promise<number> {
  let count = 0
  for (let times = 0; times < 30; times++) if ((await limits.hitAll([claim], START))[0]?.isAllowed) count += 1
  return count
}

describe('without Redis, limits that go on in the process', () => {
  test.each([
    { processes: 1, share: 10 },
    { processes: 3, share: 3 },
    { processes: 10, share: 1 },
    { processes: 1000, share: 1 },
    { processes: 0, share: 10 },
  ])('let $share of 10 through in one of $processes', async ({ processes, share }) => {
    const limits = createLimits({ link: AWAY, processes: () => processes, ...quiet })
    expect(await admitted(limits)).toBe(share)
    expect(limits.figures).toMatchObject({ shared: 0, local: 30, processes: Math.max(1, processes) })
  })

  test('share the burst of a bucket too', async () => {
    const limits = createLimits({ link: AWAY, processes: () => 4, ...quiet })
    expect(await admitted(limits, claimOf('a', { limit: 10, strategy: 'token-bucket' }))).toBe(2)
  })

  test('count by the size of the share when that changes', async () => {
    let processes = 10
    const limits = createLimits({ link: AWAY, processes: () => processes, ...quiet })
    expect(await admitted(limits)).toBe(1)
    processes = 2
    expect(await admitted(limits)).toBe(5)
  })

  test('take all claims or none', async () => {
    const limits = createLimits({ link: AWAY, ...quiet })
    await limits.hitAll([claimOf('full', { cost: 2 })], START)
    expect(await isAllowed(limits.hitAll([claimOf('a'), claimOf('full')], START))).toEqual([true, false])
    expect(await limits.hitAll([claimOf('a', { cost: 2 })], START)).toMatchObject([{ remaining: 0 }] as never)
  })

  test('say the rate of all processes, and a time even for what is more than a share', async () => {
    const limits = createLimits({ link: AWAY, processes: () => 4, ...quiet })
    const claim = claimOf('a', { limit: 8, cost: 5 })
    const [more] = await limits.hitAll([claim], START)
    expect(more).toEqual({
      rate: claim.limiter.rate,
      isAllowed: false,
      isOfShare: true,
      remaining: 2,
      resetAfter: WINDOW,
      retryAfter: WINDOW,
    })
    const [never] = await limits.hitAll([{ ...claim, cost: 9 }], START)
    expect(never?.retryAfter).toBe(Number.POSITIVE_INFINITY)
  })

  test('let whoever is forgotten start anew', async () => {
    const limits = createLimits({ link: AWAY, ...quiet })
    await admitted(limits)
    limits.forget('a')
    expect(await admitted(limits)).toBe(10)
  })

  test('know nothing of how a subject stands', async () => {
    expect(await createLimits({ link: AWAY, ...quiet }).read(claimOf('a'))).toBeNull()
  })

  test('share what may be under way at once', async () => {
    const limits = createLimits({ link: AWAY, processes: () => 3, ...quiet })
    const leaves = await Promise.all(Array.from({ length: 5 }, () => limits.enter('route', 'a', 7)))
    expect(leaves.map((leave) => leave !== null)).toEqual([true, true, false, false, false])
    leaves[0]?.()
    leaves[0]?.()
    expect(await limits.enter('route', 'a', 7)).not.toBeNull()
    expect(await limits.enter('route', 'a', 7)).toBeNull()
    await limits.stop()
  })
})

describe('without Redis, limits that refuse', () => {
  const limits = createLimits({ link: AWAY, withoutRedis: 'refuse', ...quiet })

  test.each([
    { name: 'a decision', call: async () => limits.hitAll([claimOf('a')], START) },
    { name: 'an entry', call: async () => limits.enter('route', 'a', 1) },
  ])('answer 503 to $name, and when to try again', async ({ call }) => {
    const refused = await call().then(
      () => null,
      (error: unknown) => error,
    )
    expect(refused).toBeInstanceOf(MachineAuthError)
    const { code, status, retryable, extras } = refused as MachineAuthError
    expect({ code, status, retryable }).toEqual({ code: 'storage_unavailable', status: 503, retryable: true })
    expect(extras.retryAfter).toBe(1)
  })

  test('are counted as such', () => {
    expect(limits.figures).toMatchObject({ unavailable: 2, local: 0, shared: 0 })
  })
})

describe('a Redis that answers, but does not decide', () => {
  test.each([
    {
      name: 'has no memory',
      link: { send: () => Promise.reject(new Error("OOM command not allowed when used memory > 'maxmemory'")) },
    },
    {
      name: 'only reads',
      link: { send: () => Promise.reject(new Error("READONLY You can't write against a read only replica.")) },
    },
    { name: 'answers something else', link: { send: () => Promise.resolve('OK') } },
  ])('and $name is as good as none, and is warned of once a minute', async ({ link }) => {
    const warnings: string[] = []
    let now = START
    const limits = createLimits({ link, clock: () => now, warn: (message) => void warnings.push(message) })
    expect(await admitted(limits)).toBe(10)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toStartWith('Redis does not decide about shared limits: ')
    now += 59_999
    await admitted(limits)
    expect(warnings).toHaveLength(1)
    now += 1
    await admitted(limits)
    expect(warnings).toHaveLength(2)
  })

  test('is not warned of when the link says itself that it is away', async () => {
    const away = Object.assign(new Error('away'), { name: 'RedisAwayError' })
    expect(await admitted(createLimits({ link: { send: () => Promise.reject(away) } }))).toBe(10)
  })

  test.skipIf(!runsOnRedis)('since a key holds something else takes none of a list', async () => {
    const redis = await connectRedis()
    const warnings: string[] = []
    const { link, name } = redis
    const limits = createLimits({ link, name, warn: (message) => void warnings.push(message) })
    const [good, wrong] = [claimOf('good'), claimOf('wrong')]
    await link.send('SADD', [keysOf(name).rate('route', wrong.limiter.rate, 'wrong'), 'x'])
    expect(await isAllowed(limits.hitAll([good, wrong], START))).toEqual([true, true])
    expect(limits.figures).toMatchObject({ shared: 0, local: 1 })
    expect(warnings[0]).toContain('WRONGTYPE')
    expect(await limits.read(good)).toMatchObject({ remaining: 2 })
    await redis.close()
  })
})

describe.skipIf(!isRedisInstalled && process.env.REQUIRE_SERVICES !== '1')('a Redis of its own', () => {
  test('is told the script again when it has forgotten it', async () => {
    const server = await startRedis()
    const redis = await connectRedis(server.url)
    const link = counted(redis.link)
    const limits = createLimits({ link, name: redis.name })
    const claim = claimOf('a', { limit: 5 })
    await limits.hitAll([claim], START)
    expect(link.commands).toEqual(['EVALSHA', 'EVAL'])
    await limits.hitAll([claim], START)
    await redis.link.send('SCRIPT', ['FLUSH'])
    expect(await limits.hitAll([claim], START)).toMatchObject([{ isAllowed: true, remaining: 2 }] as never)
    expect(link.commands).toEqual(['EVALSHA', 'EVAL', 'EVALSHA', 'EVALSHA', 'EVAL'])
    expect(limits.figures).toMatchObject({ shared: 3, local: 0 })
    await redis.close()
    await server.stop()
  })

  test('that is frozen is left alone after the time of a call, and asked again when it is back', async () => {
    const server = await startRedis()
    const redis = await connectRedis(server.url)
    const timeout = Promise.withResolvers<never>()
    timeout.promise.catch(() => undefined)
    let isFrozen = false
    const limits = createLimits({
      name: redis.name,
      processes: () => 2,
      ...quiet,
      link: {
        send(command, args) {
          const answer = redis.link.send(command, args)
          return isFrozen ? Promise.race([answer, timeout.promise]) : answer
        },
      },
    })
    const claim = claimOf('a', { limit: 4 })
    await limits.hitAll([claim], START)
    server.pause()
    isFrozen = true
    const pending = limits.hitAll([claim], START)
    timeout.reject(new Error('no answer in time'))
    expect(await isAllowed(pending)).toEqual([true])
    expect(limits.figures).toMatchObject({ shared: 1, local: 1 })
    server.resume()
    isFrozen = false
    // What was not answered took effect late: nobody has more than the limit.
    expect(await limits.hitAll([claim], START)).toMatchObject([{ isAllowed: true, remaining: 1 }] as never)
    await redis.close()
    await server.stop()
  })

  test('that is frozen is left alone by the link within its time, and asked again when it is back', async () => {
    const server = await startRedis()
    const link = new RedisLink({ url: server.url, timeout: 100, ...quiet })
    link.start()
    await link.attempted
    const limits = createLimits({ link, processes: () => 5 })
    const claim = claimOf('a', { limit: 10 })
    await limits.hitAll([claim], START)
    server.pause()
    const began = performance.now()
    expect(await isAllowed(limits.hitAll([claim], START))).toEqual([true])
    expect(performance.now() - began).toBeLessThan(2000)
    expect(await admitted(limits, claim)).toBe(1)
    expect(limits.figures.shared).toBe(1)
    server.resume()
    await until(async () => {
      await limits.hitAll([claimOf('b')], START)
      return limits.figures.shared > 1
    })
    expect(limits.figures.shared).toBe(2)
    await link.stop()
    await server.stop()
  }, 30_000)

  test('that is full takes none of a list, which is counted here', async () => {
    const server = await startRedis()
    const redis = await connectRedis(server.url)
    const limits = createLimits({ link: redis.link, name: redis.name, ...quiet })
    const claims = [claimOf('a'), claimOf('b')]
    await limits.hitAll(claims, START)
    await redis.link.send('CONFIG', ['SET', 'maxmemory', '1'])
    expect(await isAllowed(limits.hitAll(claims, START))).toEqual([true, true])
    expect(limits.figures).toMatchObject({ shared: 1, local: 1 })
    await redis.link.send('CONFIG', ['SET', 'maxmemory', '0'])
    for (const claim of claims) expect(await limits.read(claim)).toMatchObject({ remaining: 1 })
    await redis.close()
    await server.stop()
  })
})
