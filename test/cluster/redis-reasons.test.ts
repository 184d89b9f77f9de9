/** Why Redis is away, in words: a refused connection, silence, a wrong password, TLS. */
import { expect, test } from 'bun:test'
import { createServer } from 'node:net'
import { REASONS } from '../../src/cluster/redis-diagnosis.ts'
import { RedisLink } from '../../src/cluster/redis-link.ts'
import { freePort } from '../support/servers/free-port.ts'
import { startRedis } from '../support/servers/redis.ts'
import { askRedis } from '../support/servers/redis-process.ts'
import { until } from '../support/until.ts'
import { createGarbage, describeWithRedis, outcomeOf } from './support.ts'

const TIMEOUT = 150
const dispose = createGarbage()

function createLink(url: string) {
  const warnings: string[] = []
  const link = dispose(new RedisLink({ url, timeout: TIMEOUT, warn: (message) => warnings.push(message) }))
  link.start()
  return { link, warnings }
}

/** The first line that is told of a URL. */
async function toldOf(url: string): Promise<string | undefined> {
  const { warnings, link } = createLink(url)
  await until(() => warnings.length > 0)
  await link.stop()
  return warnings[0]
}

describeWithRedis('that Redis is away is told', () => {
  test('with what it says to the user and the password', async () => {
    const redis = dispose(await startRedis())
    const at = (userinfo: string, rest = '') => `redis://${userinfo}127.0.0.1:${redis.port}${rest}`
    const away = (why: string) => `Redis (redis://127.0.0.1:${redis.port}) is away: ${why}`
    expect(await toldOf(at('nobody:hunter2@'))).toBe(away(REASONS.password_wrong))
    await askRedis(redis.url, 'CONFIG', ['SET', 'requirepass', 'sesame'])
    expect(await toldOf(at(':hunter2@', '/0'))).toBe(away('it refuses the user or the password (WRONGPASS)'))
    expect(await toldOf(at('nobody:sesame@'))).toBe(away(REASONS.password_wrong))
    expect(await toldOf(at(''))).toBe(away('it asks for a password (NOAUTH)'))
    await askRedis(at(':sesame@'), 'CONFIG', ['SET', 'requirepass', ''])
  }, 30_000)

  test('with a closed port and an unknown host', async () => {
    const port = await freePort()
    expect(await toldOf(`redis://:hunter2@127.0.0.1:${port}/3`)).toBe(
      `Redis (redis://127.0.0.1:${port}) is away: connection refused`,
    )
    expect(await toldOf('rediss://:hunter2@nowhere.invalid')).toBe(
      'Redis (rediss://nowhere.invalid) is away: no host has this name',
    )
  }, 30_000)

  test('also by a process that ends at once', async () => {
    const { link, warnings } = createLink(`redis://127.0.0.1:${await freePort()}`)
    await link.attempted
    await link.stop()
    expect(warnings).toEqual([expect.stringContaining('is away: connection refused')])
  }, 30_000)

  test('with TLS where there is none, and another server', async () => {
    const redis = dispose(await startRedis())
    // It waits for the end of what it takes for a command.
    expect(await toldOf(redis.url.replace('redis:', 'rediss:'))).toEndWith(
      'no answer within 2000 ms: it may not speak TLS (rediss://)',
    )
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    expect(await toldOf(`redis://127.0.0.1:${Object(server.address()).port}`)).toEndWith(REASONS.no_redis)
    server.close()
  }, 30_000)

  test('with how long it was silent, and that it is back', async () => {
    const redis = dispose(await startRedis())
    const { link, warnings } = createLink(redis.url)
    await link.attempted
    redis.pause()
    await Promise.all(Array.from({ length: 5 }, () => outcomeOf(link.send('PING', []))))
    await until(() => warnings.length === 1)
    redis.resume()
    await until(async () => (await outcomeOf(link.send('PING', []))).said === 'PONG')
    await until(() => warnings.length === 2)
    const place = `Redis (redis://127.0.0.1:${redis.port})`
    expect(warnings).toEqual([`${place} is away: no answer within ${TIMEOUT} ms`, `${place} is back`])
  }, 30_000)

  test('with its own word, when it answers that it cannot', async () => {
    const redis = dispose(await startRedis())
    const { link, warnings } = createLink(redis.url)
    await link.attempted
    await askRedis(redis.url, 'CONFIG', ['SET', 'maxmemory', '1'])
    for (let count = 0; count < 5; count += 1) await outcomeOf(link.send('SET', ['a', '1']))
    await until(() => warnings.length === 1)
    expect(warnings[0]).toEndWith('is away: it has no memory left (OOM)')
  }, 30_000)

  test('as a lost connection when it is there again at once', async () => {
    const redis = dispose(await startRedis())
    const { link, warnings } = createLink(redis.url)
    await link.attempted
    await askRedis(redis.url, 'CLIENT', ['KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await until(() => warnings.length === 2)
    expect(warnings[0]).toEndWith('is away: the connection was lost')
  }, 30_000)

  test('and of all that wait while it is frozen, none waits twice', async () => {
    const redis = dispose(await startRedis())
    const { link } = createLink(redis.url)
    await link.attempted
    redis.pause()
    await Promise.all(Array.from({ length: 5 }, () => outcomeOf(link.send('PING', []))))
    // As long as it takes until one call may try again, and that one gives up.
    const calls: ReturnType<typeof outcomeOf>[] = []
    await until(async () => {
      calls.push(outcomeOf(link.send('PING', [])))
      await Bun.sleep(5)
      return (await Promise.race([calls.at(-1), Bun.sleep(0).then(() => null)])) === null
    })
    const others = await Promise.all(Array.from({ length: 40 }, () => outcomeOf(link.send('PING', []))))
    expect(new Set(others.map(({ said }) => said))).toEqual(new Set(['RedisAwayError']))
    expect(Math.max(...others.map(({ took }) => took))).toBeLessThan(TIMEOUT)
    const outcomes = await Promise.all(calls)
    expect(outcomes.filter(({ said }) => said === 'RedisSilentError')).toHaveLength(1)
    redis.resume()
  }, 30_000)
})
