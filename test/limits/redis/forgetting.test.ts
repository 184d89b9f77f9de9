/** Whoever starts anew does so, also when Redis was away then. */
import { describe, expect, test } from 'bun:test'
import { RedisAwayError } from '../../../src/cluster/redis-errors.ts'
import { Forgetting } from '../../../src/limits/redis/forgetting.ts'
import { START } from '../schedules.ts'
import { claimOf, createLimits, isAllowed } from './limits.ts'
import { connectRedis, runsOnRedis } from './redis.ts'

const away = () => Promise.reject(new RedisAwayError('away'))

/** A server that is away, and what it was told. */
function createServer() {
  const told: string[] = []
  const refused: unknown[] = []
  const server = { isUp: false, now: START, answer: away as () => Promise<unknown>, told, refused }
  const forgetting = new Forgetting({
    tell(subject) {
      told.push(subject)
      return server.answer()
    },
    onRefused: (error) => refused.push(error),
    isUp: () => server.isUp,
    clock: () => server.now,
  })
  const comeBack = () => {
    Object.assign(server, { isUp: true, answer: async () => 1 })
    told.length = 0
  }
  return { server, forgetting, comeBack }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await null
}

describe('a server that was away', () => {
  test('is told again, of each once, before anything else is asked, and nobody waits for it', async () => {
    const { server, forgetting, comeBack } = createServer()
    for (const subject of ['a', 'b', 'a']) forgetting.forget(subject)
    await settle()
    expect(forgetting.size).toBe(2)
    comeBack()
    expect([forgetting.catchUp(), server.told.toSorted()]).toEqual([true, ['a', 'b']])
    await settle()
    expect([forgetting.catchUp(), forgetting.size, server.told.length]).toEqual([true, 0, 2])
  })

  test('and does not answer is told again', async () => {
    const { server, forgetting, comeBack } = createServer()
    forgetting.forget('a')
    await settle()
    comeBack()
    server.answer = away
    forgetting.catchUp()
    await settle()
    expect(forgetting.size).toBe(1)
    forgetting.catchUp()
    expect(server.told).toEqual(['a', 'a'])
  })

  test('and still is, is told of one in a second, and is asked nothing else', async () => {
    const { server, forgetting } = createServer()
    for (let index = 0; index < 100; index += 1) forgetting.forget(String(index))
    await settle()
    server.told.length = 0
    const lengths = []
    for (const now of [0, 0, 1, 999, 1000, 1001, 2000, 500]) {
      server.now = START + now
      expect(forgetting.catchUp()).toBe(false)
      await settle()
      lengths.push(server.told.length)
    }
    // The last one is of a clock that was set back.
    expect(lengths).toEqual([1, 1, 1, 1, 2, 2, 3, 4])
    expect(forgetting.size).toBe(100)
  })

  test('is told of the last thousand', async () => {
    const { server, forgetting, comeBack } = createServer()
    for (let index = 0; index < 1200; index += 1) forgetting.forget(String(index))
    await settle()
    expect(forgetting.size).toBe(1000)
    comeBack()
    forgetting.catchUp()
    expect(server.told.map(Number)).toEqual(Array.from({ length: 1000 }, (_, index) => index + 200))
  })

  test.each([true, false])('is not told what is older than a minute: up %p', async (isUp) => {
    const { server, forgetting, comeBack } = createServer()
    forgetting.forget('old')
    server.now += 1
    forgetting.forget('young')
    await settle()
    comeBack()
    server.isUp = isUp
    server.now = START + 60_001
    expect([forgetting.catchUp(), server.told]).toEqual([isUp, ['young']])
    await settle()
    server.isUp = false
    server.now += 60_000
    expect([forgetting.catchUp(), server.told]).toEqual([true, ['young']])
  })

  test('ages by when it was to be forgotten, however often it was tried', async () => {
    const { server, forgetting } = createServer()
    forgetting.forget('a')
    await settle()
    for (let second = 1; second <= 60; second += 1) {
      server.now = START + second * 1000
      expect(forgetting.catchUp()).toBe(false)
      await settle()
    }
    server.now += 1000
    expect([forgetting.catchUp(), forgetting.size]).toEqual([true, 0])
  })
})

describe('of two wishes about one subject', () => {
  /** Answers of both, in the order in which they were sent. */
  async function withTwo() {
    const { server, forgetting } = createServer()
    const answers = [Promise.withResolvers<unknown>(), Promise.withResolvers<unknown>()] as const
    for (const { promise } of answers) {
      server.answer = () => promise
      forgetting.forget('a')
    }
    return { forgetting, older: answers[0], newer: answers[1] }
  }

  test('an older one that is done leaves a newer one that is lost', async () => {
    const { forgetting, older, newer } = await withTwo()
    newer.reject(new RedisAwayError('away'))
    await settle()
    older.resolve(1)
    await settle()
    expect(forgetting.size).toBe(1)
  })

  test.each(['before', 'after'])('an older one that is lost %s a newer one is done is not told again', async (when) => {
    const { forgetting, older, newer } = await withTwo()
    if (when === 'after') newer.resolve(1)
    await settle()
    older.reject(new RedisAwayError('away'))
    await settle()
    newer.resolve(1)
    await settle()
    expect(forgetting.size).toBe(0)
  })
})

test('a server that refuses it is not asked for ever', async () => {
  const { server, forgetting } = createServer()
  server.answer = () => Promise.reject(new Error('NOPERM'))
  forgetting.forget('a')
  await settle()
  expect([forgetting.size, forgetting.catchUp(), server.refused.length]).toEqual([0, true, 1])
})

describe('limits', () => {
  test('send what is to be forgotten and the decision at once', async () => {
    const sent: string[] = []
    const link = {
      isUp: false,
      send(command: string) {
        sent.push(command)
        return link.isUp ? new Promise(() => undefined) : away()
      },
    }
    const limits = createLimits({ link })
    await limits.hitAll([claimOf('a')], START)
    for (let index = 0; index < 30; index += 1) limits.forget(String(index))
    await settle()
    sent.length = 0
    for (let count = 0; count < 50; count += 1) await limits.hitAll([claimOf('a')], START)
    expect(sent).toEqual(['DEL'])
    sent.length = 0
    link.isUp = true
    void limits.hitAll([claimOf('b')], START)
    expect(sent).toEqual([...Array.from({ length: 30 }, () => 'DEL'), 'EVALSHA'])
  })

  test('that are refused without Redis are so until it was told', async () => {
    const limits = createLimits({ link: { isUp: false, send: away }, withoutRedis: 'refuse' })
    await limits.read(claimOf('a'))
    limits.forget('a')
    await settle()
    const patience = { isOver: false }
    const refused = await Promise.resolve(limits.hitAll([claimOf('a')], START, patience)).catch((error) => error)
    expect([refused.code, patience.isOver]).toEqual(['storage_unavailable', true])
  })
})

describe.skipIf(!runsOnRedis)('what limits forget while Redis is away', () => {
  async function createProcesses() {
    const redis = await connectRedis()
    const time = { now: START }
    const link = {
      isUp: true,
      send: (command: string, args: readonly string[]) => (link.isUp ? redis.link.send(command, args) : away()),
    }
    const clock = () => time.now
    const limits = createLimits({ link, name: redis.name, clock, serverClock: clock })
    const other = createLimits({ link: redis.link, name: redis.name, clock, serverClock: clock })
    const claim = claimOf('a', { limit: 1 })
    const hit = async (by = limits) => (await isAllowed(by.hitAll([claim], time.now)))[0]
    const close = async () => {
      await Promise.all([limits.stop(), other.stop()])
      await redis.close()
    }
    return { time, link, limits, other, hit, close }
  }

  test('is gone when it is back, before it decides again', async () => {
    const { link, limits, hit, close } = await createProcesses()
    expect([await hit(), await hit()]).toEqual([true, false])
    link.isUp = false
    limits.forget('a')
    await settle()
    link.isUp = true
    expect([await hit(), await hit()]).toEqual([true, false])
    await close()
  })

  test('stays when it is back later than a minute: others have counted since', async () => {
    const { time, link, limits, other, hit, close } = await createProcesses()
    expect(await hit(other)).toBe(true)
    link.isUp = false
    await hit()
    limits.forget('a')
    await settle()
    time.now += 60_001
    link.isUp = true
    expect(await hit()).toBe(false)
    await close()
  })
})
