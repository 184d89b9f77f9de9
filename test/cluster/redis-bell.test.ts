import { expect, test } from 'bun:test'
import type { Change } from '../../src/cluster/change-bell.ts'
import { RedisBell } from '../../src/cluster/redis-bell.ts'
import { RedisLink } from '../../src/cluster/redis-link.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { startRedis } from '../support/servers/redis.ts'
import { askRedis } from '../support/servers/redis-process.ts'
import { until } from '../support/until.ts'
import { createGarbage, describeWithRedis, SHARED_REDIS } from './support.ts'

const TIMEOUT = 150
const KEY: Change = { kind: 'key', subject: 'k1' }

const dispose = createGarbage()
const newChannel = () => `bell-${crypto.randomUUID()}:changes`

interface BellInput {
  readonly url: string
  readonly channel: string
  readonly heartbeat?: number
}

/** A process: its link, its bell, and what it heard. */
async function createBell({ url, channel, heartbeat = 100 }: BellInput) {
  const warnings: string[] = []
  const heard: Change[] = []
  const common = { url, timeout: TIMEOUT, warn: (message: string) => void warnings.push(message) }
  const link = dispose(new RedisLink(common))
  const bell = dispose(new RedisBell({ ...common, link, channel, heartbeat }))
  link.start()
  bell.start((change) => heard.push(change))
  await link.attempted
  await until(() => bell.isHeard || !link.isUp)
  return { link, bell, heard, warnings }
}

const listenersOf = async (url: string, channel: string) =>
  Number(((await askRedis(url, 'PUBSUB', ['NUMSUB', channel])) as readonly unknown[])[1])

/** Rings at each look, until it was heard after what was heard before. */
async function untilHeard(from: Pick<RedisBell, 'ring'>, heard: readonly Change[]): Promise<void> {
  const before = heard.length
  await until(() => {
    from.ring(KEY)
    return heard.length > before
  })
}

describeWithRedis('a bell by Redis', () => {
  test('is heard by all of its channel, at once, and by nobody else', async () => {
    const channel = newChannel()
    const all = [0, 1, 2].map(() => createBell({ url: SHARED_REDIS, channel }))
    const [one, two, three] = await Promise.all(all)
    const other = await createBell({ url: SHARED_REDIS, channel: newChannel() })
    const changes: readonly Change[] = [KEY, { kind: 'block', subject: '10.0.0.0/8' }, { kind: 'role', subject: '*' }]
    for (const change of changes) one?.bell.ring(change)
    await until(() => two?.heard.length === 3 && three?.heard.length === 3)
    expect([two?.heard, three?.heard, other.heard]).toEqual([[...changes], [...changes], []])
  })

  test('ignores what is no message of ours', async () => {
    const channel = newChannel()
    const { heard, bell } = await createBell({ url: SHARED_REDIS, channel })
    for (const text of ['', 'x', '{}', 'nonsense k1', `key ${'k'.repeat(300)}`, '\0\0']) {
      await askRedis(SHARED_REDIS, 'PUBLISH', [channel, text])
    }
    bell.ring(KEY)
    await until(() => heard.length > 0)
    expect(heard).toEqual([KEY])
  })

  test('knows how many processes listen, and remembers it while Redis is away', async () => {
    const redis = dispose(await startRedis())
    const channel = newChannel()
    const one = await createBell({ url: redis.url, channel })
    const two = await createBell({ url: redis.url, channel })
    await until(() => one.bell.listeners === 2 && two.bell.listeners === 2)
    await redis.kill()
    await until(() => !one.bell.isHeard)
    expect([one.bell.listeners, two.bell.listeners]).toEqual([2, 2])
    await redis.start()
    await until(() => one.bell.isHeard && two.bell.isHeard)
    await two.bell.stop()
    await until(() => one.bell.listeners === 1)
  }, 30_000)

  test('subscribes anew, once, when its connection was killed', async () => {
    const redis = dispose(await startRedis())
    const channel = newChannel()
    const { bell, heard, link } = await createBell({ url: redis.url, channel })
    for (let round = 0; round < 3; round += 1) {
      await askRedis(redis.url, 'CLIENT', ['KILL', 'TYPE', 'pubsub'])
      await until(() => !bell.isHeard)
      await until(() => bell.isHeard)
    }
    expect(await listenersOf(redis.url, channel)).toBe(1)
    heard.length = 0
    bell.ring(KEY)
    await link.send('PING', [])
    await until(() => heard.length > 0)
    // Once: a second subscription of the same connection would deliver it twice.
    bell.ring({ kind: 'key', subject: 'last' })
    await until(() => heard.at(-1)?.subject === 'last')
    expect(heard.length).toBe(2)
  }, 30_000)

  test('notices by its heartbeat that Redis is frozen, and hears again when it goes on', async () => {
    const redis = dispose(await startRedis())
    const { bell, heard } = await createBell({ url: redis.url, channel: newChannel() })
    redis.pause()
    await until(() => !bell.isHeard)
    redis.resume()
    await until(() => bell.isHeard)
    await untilHeard(bell, heard)
  }, 30_000)

  test('comes back after Redis was killed and started; that is told by the link alone', async () => {
    const redis = dispose(await startRedis())
    const { bell, heard, warnings } = await createBell({ url: redis.url, channel: newChannel() })
    await redis.kill()
    await until(() => !bell.isHeard)
    expect(() => bell.ring(KEY)).not.toThrow()
    await redis.start()
    await until(() => bell.isHeard)
    await untilHeard(bell, heard)
    await until(() => warnings.length === 2)
  }, 30_000)

  /** A link and a bell of a user, and what they tell. */
  async function createFor(redis: PrivateServer, user: string, heartbeat = 100) {
    const url = redis.url.replace('://', `://${user}:hunter2@`)
    const warnings: string[] = []
    const common = { url, timeout: TIMEOUT, warn: (message: string) => void warnings.push(message) }
    const link = dispose(new RedisLink(common))
    const bell = dispose(new RedisBell({ ...common, link, channel: newChannel(), heartbeat }))
    link.start()
    await link.attempted
    bell.start(() => undefined)
    return { link, bell, warnings }
  }

  test('says once that its user may not subscribe, and that it hears when it may', async () => {
    const redis = dispose(await startRedis())
    await askRedis(redis.url, 'ACL', ['SETUSER', 'app', 'on', 'nopass', '+@all', '~*', 'resetchannels'])
    const { bell, warnings } = await createFor(redis, 'app')
    await until(() => warnings.length > 0)
    expect([warnings.length, bell.isHeard]).toEqual([1, false])
    const place = `Redis (redis://127.0.0.1:${redis.port})`
    expect(warnings[0]).toStartWith(`${place} tells of no changes: the user may not subscribe to bell-`)
    expect(warnings[0]).toContain('(NOPERM). What other processes revoke is read from the database')
    await askRedis(redis.url, 'ACL', ['SETUSER', 'app', 'allchannels'])
    await until(() => bell.isHeard)
    expect(warnings.slice(1)).toEqual([`${place} tells of changes again`])
  }, 30_000)

  test('blames no user for a Redis that was frozen, while nobody else asked it anything', async () => {
    const redis = dispose(await startRedis())
    const { link, bell, warnings } = await createFor(redis, 'default', 50)
    await until(() => bell.isHeard)
    redis.pause()
    await until(() => !bell.isHeard)
    await until(() => warnings.length > 0, 30_000)
    expect(link.isUp).toBeTrue()
    expect(warnings[0]).not.toMatch(/NOPERM|subscribe/)
    redis.resume()
    await until(() => bell.isHeard)
    await until(() => warnings.length === 2)
    expect(warnings[1]).toEndWith('tells of changes again')
    expect(warnings.join()).not.toContain('hunter2')
  }, 60_000)

  test('ends with what it rang, and hears no more', async () => {
    const channel = newChannel()
    const one = await createBell({ url: SHARED_REDIS, channel })
    const two = await createBell({ url: SHARED_REDIS, channel })
    one.bell.ring(KEY)
    await one.bell.stop()
    await one.link.stop()
    await until(() => two.heard.length > 0)
    expect(one.bell.isHeard).toBeFalse()
    expect(await listenersOf(SHARED_REDIS, channel)).toBe(1)
  })

  test('ends in time while Redis is frozen', async () => {
    const redis = dispose(await startRedis())
    const { bell } = await createBell({ url: redis.url, channel: newChannel() })
    redis.pause()
    bell.ring(KEY)
    const start = performance.now()
    await bell.stop()
    expect(performance.now() - start).toBeLessThan(TIMEOUT + 400)
  }, 30_000)
})
