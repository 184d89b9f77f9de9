import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { STRATEGIES } from '../../../src/limits/rate.ts'
import type { RedisLimits } from '../../../src/limits/redis/redis-limits.ts'
import { START } from '../schedules.ts'
import { claimOf, createLimits, isAllowed, keysOf, WINDOW } from './limits.ts'
import { connectRedis, counted, runsOnRedis, type TestRedis } from './redis.ts'

const describeOnRedis = runsOnRedis ? describe : describe.skip

describeOnRedis('limits in Redis', () => {
  let redis: TestRedis
  let link: ReturnType<typeof counted>
  let time: number
  let limits: RedisLimits

  beforeEach(async () => {
    redis = await connectRedis()
    link = counted(redis.link)
    time = START
    limits = createLimits({ link, name: redis.name, serverClock: () => time })
    // Known to Redis from here on.
    await limits.hitAll([claimOf('first')], START)
    link.commands.length = 0
  })
  afterEach(() => redis.close())

  test('ask once for each decision, however many claims it has', async () => {
    await limits.hitAll([claimOf('a')], START)
    await limits.hitAll([claimOf('b'), claimOf('b'), claimOf('c', { place: 'other' })], START)
    expect(link.commands).toEqual(['EVALSHA', 'EVALSHA'])
    expect(limits.figures).toEqual({ shared: 3, remembered: 0, local: 0, unavailable: 0, processes: 1 })
  })

  test('answer without asking whoever was refused, until the millisecond in which he may come back', async () => {
    await limits.hitAll([claimOf('a', { cost: 2 })], START)
    time += 1000
    await limits.hitAll([claimOf('a')], START + 1000)
    link.commands.length = 0
    for (const later of [1000, 2000, WINDOW - 1]) {
      const known = limits.hitAll([claimOf('b'), claimOf('a'), claimOf('a', { cost: 2 })], START + later)
      const left = WINDOW - later
      const refused = { isAllowed: false, remaining: 0, resetAfter: left, retryAfter: left }
      expect(known).toMatchObject([undefined, refused, refused] as never)
      expect(known).not.toBeInstanceOf(Promise)
    }
    expect(link.commands).toEqual([])
    expect(limits.figures.remembered).toBe(3)
    time = START + WINDOW
    expect(await isAllowed(limits.hitAll([claimOf('a')], time))).toEqual([true])
  })

  test('ask for whoever comes with less than what was refused', async () => {
    await limits.hitAll([claimOf('a')], START)
    await limits.hitAll([claimOf('a', { cost: 2 })], START)
    expect(limits.hitAll([claimOf('a', { cost: 2 })], START)).not.toBeInstanceOf(Promise)
    expect(await isAllowed(limits.hitAll([claimOf('a')], START))).toEqual([true])
  })

  test('remember what claims of one subject came to together', async () => {
    const list = [claimOf('a', { cost: 2 }), claimOf('a', { cost: 1 })]
    expect(await isAllowed(limits.hitAll(list, START))).toEqual([true, false])
    expect(await limits.hitAll(list, START)).toMatchObject([undefined, { isAllowed: false }] as never)
    expect(await isAllowed(limits.hitAll([claimOf('a', { cost: 2 })], START))).toEqual([true])
  })

  test('leave nothing of whoever was refused or took nothing, and prolong nothing', async () => {
    await limits.hitAll([claimOf('a', { cost: 0 })], START)
    await limits.hitAll([claimOf('a', { cost: 3 })], START)
    await limits.read(claimOf('a'))
    expect(await redis.keys()).toHaveLength(1)
    for (const strategy of STRATEGIES) {
      const claim = claimOf('b', { cost: 2, strategy, place: strategy })
      await limits.hitAll([claim], START)
      const key = keysOf(redis.name).rate(strategy, claim.limiter.rate, 'b')
      // Shorter, so that to set it anew would show.
      await redis.link.send('PEXPIRE', [key, '50000'])
      await limits.hitAll([{ ...claim, cost: 1 }], START)
      expect(Number(await redis.link.send('PTTL', [key]))).toBeLessThanOrEqual(50_000)
    }
  })

  test('keep nothing for longer than it counts', async () => {
    const longest = { 'sliding-window': WINDOW, 'sliding-window-counter': 2 * WINDOW, 'token-bucket': WINDOW }
    for (const strategy of STRATEGIES) {
      const claim = claimOf('b', { strategy, place: strategy })
      await limits.hitAll([claim], START)
      const left = Number(await redis.link.send('PTTL', [keysOf(redis.name).rate(strategy, claim.limiter.rate, 'b')]))
      expect(left).toBeGreaterThan(longest[strategy] - 60_000)
      expect(left).toBeLessThanOrEqual(longest[strategy])
    }
  })

  test('are not kept for longer by a clock that jumps back', async () => {
    for (const strategy of STRATEGIES) {
      for (const limit of [2, 2000]) {
        const claim = claimOf('b', { cost: limit, limit, strategy, place: `${strategy} ${limit}` })
        time = START
        await limits.hitAll([claim], START)
        const key = keysOf(redis.name).rate(claim.place, claim.limiter.rate, 'b')
        await redis.link.send('PEXPIRE', [key, '50000'])
        time = START - 10 * WINDOW
        expect(await isAllowed(limits.hitAll([claim], START - 10 * WINDOW))).toEqual([false])
        const left = Number(await redis.link.send('PTTL', [key]))
        expect(left).toBeGreaterThan(0)
        expect(left).toBeLessThanOrEqual(50_000)
      }
    }
  })

  test('keep one entry for each millisecond of an exact log, also when the clock jumps back', async () => {
    const claim = claimOf('b', { limit: 100 })
    const key = keysOf(redis.name).rate('route', claim.limiter.rate, 'b')
    const lengths: number[] = []
    for (const later of [0, 0, 5, 5, 5, 7, 5, 6, -1]) {
      time = START + later
      await limits.hitAll([claim], START)
      lengths.push(Number(await redis.link.send('LLEN', [key])))
    }
    expect(lengths).toEqual([1, 1, 2, 2, 2, 3, 2, 3, 1])
    expect(await limits.read(claim)).toMatchObject({ remaining: 91 })
  })

  test('let whoever is forgotten start anew, here and in Redis', async () => {
    const claims = [claimOf('a', { cost: 2 }), claimOf('a', { cost: 2, place: 'other' }), claimOf('b', { cost: 2 })]
    await limits.hitAll(claims, START)
    for (const claim of claims) await limits.hitAll([claim], START)
    limits.forget('a')
    expect(await isAllowed(limits.hitAll(claims.slice(0, 2), START))).toEqual([true, true])
    expect(await isAllowed(limits.hitAll(claims.slice(2), START))).toEqual([false])
    expect(link.commands.filter((command) => command === 'DEL')).toHaveLength(1)
  })

  test('do not remember what was answered before somebody was forgotten', async () => {
    await limits.hitAll([claimOf('a', { cost: 2 })], START)
    const underWay = limits.hitAll([claimOf('a')], START)
    limits.forget('a')
    expect(await isAllowed(underWay)).toEqual([false])
    expect(await isAllowed(limits.hitAll([claimOf('a')], START))).toEqual([true])
  })

  test('go by the clock of the server', async () => {
    const byServer = createLimits({ link, name: redis.name })
    const [reading] = await byServer.hitAll([claimOf('a')], 0)
    expect(reading).toMatchObject({ isAllowed: true, resetAfter: WINDOW })
    const entry = String(
      await redis.link.send('LINDEX', [keysOf(redis.name).rate('route', claimOf('a').limiter.rate, 'a'), '0']),
    )
    const [seconds] = (await redis.link.send('TIME', [])) as [string]
    expect(Math.abs(Number(entry.split(' ')[0]) - 1000 * Number(seconds))).toBeLessThan(60_000)
  })

  test('send and keep nothing that says whom or what they count', async () => {
    const secrets = ['ip:203.0.113.7', 'apiKey:key_SECRET', 'user:alice@example.com', 'POST /orders/:id']
    const sent: string[] = []
    const watched = createLimits({
      name: redis.name,
      link: {
        send(command, args) {
          sent.push(command, ...args)
          return redis.link.send(command, args)
        },
      },
    })
    for (const strategy of STRATEGIES) {
      await watched.hitAll(
        secrets.map((subject) => claimOf(subject, { place: secrets[3] as string, strategy })),
        START,
      )
    }
    const leaves = await Promise.all(secrets.map((subject) => watched.enter(secrets[3] as string, subject, 1)))
    for (const leave of leaves) leave?.()
    watched.forget(secrets[0] as string)
    await watched.stop()
    const values = await Promise.all((await redis.keys()).map((key) => redis.link.send('DUMP', [key])))
    const all = [...sent, ...(await redis.keys()), ...values.map(String)].join('\n')
    for (const secret of secrets) expect(all).not.toContain(secret)
    for (const part of ['203.0.113.7', 'SECRET', 'alice', 'orders']) expect(all).not.toContain(part)
  })
})

describeOnRedis('several processes', () => {
  test.each([
    { strategy: 'sliding-window', limit: 100 },
    { strategy: 'sliding-window', limit: 1200 },
    { strategy: 'sliding-window-counter', limit: 100 },
    { strategy: 'token-bucket', limit: 100 },
  ] as const)('racing for a $strategy of $limit admit exactly that', async ({ strategy, limit }) => {
    const connections = await Promise.all([connectRedis(), connectRedis(), connectRedis()])
    const name = connections[0]?.name ?? ''
    const processes = connections.map(({ link }) => createLimits({ link, name }))
    const claim = claimOf('a', { limit, strategy })
    const decisions = Array.from({ length: limit }, () => processes.map((each) => each.hitAll([claim], START))).flat()
    const readings = (await Promise.all(decisions)).flat()
    expect(readings.filter((reading) => reading?.isAllowed)).toHaveLength(limit)
    await Promise.all(connections.map((each) => each.close()))
  })
})
