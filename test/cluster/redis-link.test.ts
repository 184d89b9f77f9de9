import { expect, test } from 'bun:test'
import { RedisAwayError, RedisLink } from '../../src/cluster/redis-link.ts'
import { RedisCounts } from '../../src/recording/metrics/redis-counts.ts'
import { startRedis } from '../support/servers/redis.ts'
import { askRedis } from '../support/servers/redis-process.ts'
import { until } from '../support/until.ts'
import { createGarbage, describeWithRedis, outcomeOf } from './support.ts'

const TIMEOUT = 150
/** ms by which a busy machine may be late. */
const SLACK = 400

const dispose = createGarbage()

async function createLinked(options: { readonly timeout?: number; readonly user?: string } = {}) {
  const redis = dispose(await startRedis())
  const warnings: string[] = []
  const meter = new RedisCounts()
  const url = redis.url.replace('://', `://${options.user ?? ''}`)
  const link = dispose(
    new RedisLink({ url, timeout: options.timeout ?? TIMEOUT, warn: (message) => warnings.push(message), meter }),
  )
  link.start()
  await link.attempted
  return { redis, link, warnings, meter }
}

const ping = (link: RedisLink) => outcomeOf(link.send('PING', []))

const clientId = async (link: RedisLink) => String(await link.send('CLIENT', ['ID']))

describeWithRedis('a link to Redis', () => {
  test('refuses before it is started and after it is stopped, at once', async () => {
    const { redis } = await createLinked()
    const link = new RedisLink({ url: redis.url, timeout: TIMEOUT, warn: () => undefined })
    expect([link.isUp, (await ping(link)).said]).toEqual([false, 'RedisAwayError'])
    link.start()
    await link.attempted
    expect([link.isUp, (await ping(link)).said]).toEqual([true, 'PONG'])
    await link.stop()
    expect([link.isUp, (await ping(link)).said]).toEqual([false, 'RedisAwayError'])
    link.start()
    expect([link.isUp, (await ping(link)).said]).toEqual([false, 'RedisAwayError'])
  })

  test('passes on what Redis says to a mistake, and is not away for it', async () => {
    const { link, meter } = await createLinked()
    const refused = await link.send('EVALSHA', ['0'.repeat(40), '0']).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(Error)
    expect(refused).not.toBeInstanceOf(RedisAwayError)
    expect(String(refused)).toContain('NOSCRIPT')
    for (let count = 0; count < 10; count += 1) await link.send('NONSENSE', []).catch(() => undefined)
    expect([link.isUp, (await ping(link)).said]).toEqual([true, 'PONG'])
    expect([meter.failures, meter.durations.counts.reduce((sum, count) => sum + count, 0)]).toEqual([11, 12])
  })

  test('is away when Redis says that it cannot answer any call', async () => {
    const { link } = await createLinked()
    const say = (word: string) => link.send('EVAL', [`return redis.error_reply('${word} of some reason')`, '0'])
    for (const word of ['LOADING', 'BUSY', 'OOM', 'MISCONF', 'MASTERDOWN', 'NOAUTH']) {
      await expect(say(word)).rejects.toThrow(RedisAwayError)
      // An answer in between: such refusals in a row open the circuit.
      expect((await ping(link)).said).toBe('PONG')
    }
    await expect(say('WRONGTYPE')).rejects.not.toThrow(RedisAwayError)
  })

  test('asks a Redis that is full no more for a while, says so, and goes on when it has room', async () => {
    const { redis, link, warnings } = await createLinked()
    await askRedis(redis.url, 'CONFIG', ['SET', 'maxmemory', '1'])
    const set = () => outcomeOf(link.send('SET', ['a', '1']))
    for (let count = 0; count < 5; count += 1) expect((await set()).said).toBe('RedisUnableError')
    expect([(await set()).said, link.isUp, warnings.length]).toEqual(['RedisAwayError', false, 1])
    expect(warnings[0]).toContain('OOM')
    await askRedis(redis.url, 'CONFIG', ['SET', 'maxmemory', '0'])
    await until(async () => (await set()).said === 'OK')
    expect([link.isUp, warnings.length]).toEqual([true, 2])
  }, 30_000)

  test('connects anew when it finds itself with a replica', async () => {
    const { redis, link } = await createLinked()
    const first = await clientId(link)
    await askRedis(redis.url, 'REPLICAOF', ['127.0.0.1', '1'])
    expect((await outcomeOf(link.send('SET', ['a', '1']))).said).toBe('RedisUnableError')
    expect(link.isUp).toBeFalse()
    await askRedis(redis.url, 'REPLICAOF', ['NO', 'ONE'])
    await until(async () => (await outcomeOf(link.send('SET', ['a', '1']))).said === 'OK')
    expect(await clientId(link)).not.toBe(first)
  }, 30_000)

  test('tells of a Redis that comes and goes once in a minute', async () => {
    const { redis, link, warnings } = await createLinked()
    for (let round = 0; round < 3; round += 1) {
      await redis.kill()
      await until(() => !link.isUp)
      await redis.start()
      await until(() => link.isUp)
    }
    expect(warnings.map((warning) => warning.includes('away'))).toEqual([true, false])
  }, 30_000)

  test('comes back after Redis was killed, and warns once of each', async () => {
    const { redis, link, warnings } = await createLinked({ user: 'default:hunter2@' })
    expect(warnings).toEqual([])
    await redis.kill()
    await until(() => !link.isUp)
    const { said, took } = await ping(link)
    expect([said, took < SLACK]).toEqual(['RedisAwayError', true])
    await redis.start()
    await until(() => link.isUp)
    expect((await ping(link)).said).toBe('PONG')
    expect(warnings.map((warning) => warning.includes('away'))).toEqual([true, false])
    for (const warning of warnings) {
      expect(warning).toContain(`redis://127.0.0.1:${redis.port}`)
      expect(warning).not.toContain('hunter2')
    }
  }, 30_000)

  test('that was under way when Redis was killed is rejected at once', async () => {
    const { redis, link } = await createLinked({ timeout: 20_000 })
    const asked = outcomeOf(link.send('BLPOP', ['nothing', '30']))
    await until(async () => String(await askRedis(redis.url, 'CLIENT', ['LIST'])).includes('cmd=blpop'))
    await redis.kill()
    const { said, took } = await asked
    expect([said, took < 10_000]).toEqual(['RedisAwayError', true])
  }, 30_000)

  test('waits for a frozen Redis no longer than its time, and then not at all', async () => {
    const { redis, link, warnings, meter } = await createLinked()
    redis.pause()
    const all = await Promise.all(Array.from({ length: 20 }, () => ping(link)))
    expect(new Set(all.map(({ said }) => said))).toEqual(new Set(['RedisSilentError']))
    expect(Math.max(...all.map(({ took }) => took))).toBeLessThan(TIMEOUT + SLACK)
    // The circuit is open: nobody waits for what is not there.
    const { said, took } = await ping(link)
    expect([said, took < TIMEOUT, link.isUp]).toEqual(['RedisAwayError', true, false])
    expect([warnings.length, meter.failures]).toEqual([1, 20])
    redis.resume()
    await until(async () => (await ping(link)).said === 'PONG')
    expect([link.isUp, warnings.length]).toEqual([true, 2])
  }, 30_000)

  test('throws a connection away that stays silent, and keeps one that was silent once', async () => {
    const { redis, link } = await createLinked()
    const first = await clientId(link)
    redis.pause()
    expect((await ping(link)).said).toBe('RedisSilentError')
    redis.resume()
    await until(async () => (await ping(link)).said === 'PONG')
    expect(await clientId(link)).toBe(first)
    redis.pause()
    // Until it is thrown away, calls wait for their time or are refused by the circuit.
    await until(async () => (await ping(link)).said === 'RedisAwayError')
    await until(async () => String(await link.send('PING', []).catch(String)).includes('not connected'))
    redis.resume()
    await until(async () => (await ping(link)).said === 'PONG')
    expect(await clientId(link)).not.toBe(first)
  }, 30_000)

  test('a process that was held up takes the answer that came meanwhile', async () => {
    const { redis, link, warnings } = await createLinked({ timeout: 50 })
    const other = dispose(new RedisLink({ url: redis.url, timeout: 5000, warn: () => undefined }))
    other.start()
    await other.attempted
    // Answered in the middle of what holds the process up, which begins where sockets are read.
    const asked = outcomeOf(link.send('BLPOP', ['nothing', '0.02']))
    await other.send('PING', [])
    const end = performance.now() + 200
    while (performance.now() < end);
    expect([(await asked).said, warnings]).toEqual([null, []])
  })

  test('goes on trying from the start, told once', async () => {
    const redis = dispose(await startRedis())
    await redis.kill()
    const warnings: string[] = []
    const link = dispose(new RedisLink({ url: redis.url, timeout: TIMEOUT, warn: (message) => warnings.push(message) }))
    link.start()
    link.start()
    await link.attempted
    await until(() => warnings.length === 1)
    expect(link.isUp).toBeFalse()
    await redis.start()
    await until(() => link.isUp)
    const list = String(await link.send('CLIENT', ['LIST']))
    await until(() => warnings.length === 2)
    expect([warnings.length, list.trim().split('\n').length]).toEqual([2, 1])
  }, 30_000)

  test('tells nothing and connects no more once it is stopped', async () => {
    const { redis, link, warnings } = await createLinked()
    await link.stop()
    const clients = async () =>
      String(await askRedis(redis.url, 'CLIENT', ['LIST']))
        .trim()
        .split('\n').length
    await until(async () => (await clients()) === 1)
    await redis.kill()
    await redis.start()
    expect([await clients(), warnings]).toEqual([1, []])
  }, 30_000)
})
