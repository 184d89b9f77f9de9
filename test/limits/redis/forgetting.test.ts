/** Whoever starts anew does so, also when Redis was away then. */
import { describe, expect, test } from 'bun:test'
import { RedisAwayError } from '../../../src/cluster/redis-errors.ts'
import { Forgetting } from '../../../src/limits/redis/forgetting.ts'
import { START } from '../schedules.ts'
import { claimOf, createLimits, isAllowed } from './limits.ts'
import { connectRedis, runsOnRedis } from './redis.ts'

const away = () => Promise.reject(new RedisAwayError('away'))

/** A server that may be away, and what it was told. */
function createServer() {
  const told: string[] = []
  const refused: unknown[] = []
  const server = { answer: away as () => Promise<unknown>, told, refused }
  const forgetting = new Forgetting(
    (subject) => {
      told.push(subject)
      return server.answer()
    },
    (error) => refused.push(error),
  )
  return { server, forgetting }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await null
}

describe('a server that was away', () => {
  test('is told again, of each once, before anything else is asked', async () => {
    const { server, forgetting } = createServer()
    for (const subject of ['a', 'b', 'a']) forgetting.forget(subject)
    await settle()
    expect(forgetting.size).toBe(2)
    server.answer = async () => 1
    server.told.length = 0
    const retrying = forgetting.retry()
    expect(forgetting.retry()).toBe(retrying)
    await retrying
    expect(server.told.toSorted()).toEqual(['a', 'b'])
    expect([forgetting.size, forgetting.retry()]).toEqual([0, null])
  })

  test('and still is, is asked about one alone', async () => {
    const { server, forgetting } = createServer()
    for (let index = 0; index < 100; index += 1) forgetting.forget(String(index))
    await settle()
    server.told.length = 0
    expect(forgetting.retry()).rejects.toThrow('away')
    await settle()
    expect([server.told.length, forgetting.size]).toEqual([1, 100])
  })

  test('is told of the last thousand', async () => {
    const { server, forgetting } = createServer()
    for (let index = 0; index < 1200; index += 1) forgetting.forget(String(index))
    await settle()
    expect(forgetting.size).toBe(1000)
    server.answer = async () => 1
    server.told.length = 0
    await forgetting.retry()
    expect(server.told.map(Number).toSorted((one, other) => one - other)).toEqual(
      Array.from({ length: 1000 }, (_, index) => index + 200),
    )
  })
})

test('a server that refuses it is not asked for ever', async () => {
  const { server, forgetting } = createServer()
  server.answer = () => Promise.reject(new Error('NOPERM'))
  forgetting.forget('a')
  await settle()
  expect([forgetting.size, forgetting.retry(), server.refused.length]).toEqual([0, null, 1])
})

describe.skipIf(!runsOnRedis)('what limits forget while Redis is away', () => {
  test('is gone when it is back, before it decides again', async () => {
    const redis = await connectRedis()
    let isAway = false
    const link = {
      send: (command: string, args: readonly string[]) => (isAway ? away() : redis.link.send(command, args)),
    }
    const limits = createLimits({ link, name: redis.name })
    const claim = claimOf('a', { limit: 1 })
    const hit = async () => (await isAllowed(limits.hitAll([claim], START)))[0]
    expect([await hit(), await hit()]).toEqual([true, false])
    isAway = true
    limits.forget('a')
    await settle()
    isAway = false
    expect([await hit(), await hit()]).toEqual([true, false])
    await limits.stop()
    await redis.close()
  })
})
