/** What several processes of an app share, put together from its options. */
import { describe, expect, test } from 'bun:test'
import { composeClustering } from '../src/clustering.ts'
import { resolveOptions } from '../src/options/resolve.ts'
import { claimOf, isAllowed } from './limits/redis/limits.ts'
import { connectRedis, runsOnRedis } from './limits/redis/redis.ts'

const [FIRST, SECOND, THIRD] = [1, 2, 3].map((each) => `secret ${each} of an app, in a test, ${'x'.repeat(32)}`)

describe.skipIf(!runsOnRedis)('shared limits', () => {
  /** The limits of a process with these secrets, of which the newest comes first. */
  async function open(name: string, secret: readonly (string | undefined)[]) {
    const clustering = composeClustering({
      options: resolveOptions(
        { redis: 'redis://127.0.0.1:6379', cluster: { name }, secret: secret as string[] },
        { env: {}, cwd: import.meta.dir },
      ),
      listen: null,
      clock: Date.now,
      warn: () => undefined,
      meter: null,
    })
    await clustering.start()
    const { shared } = clustering
    if (shared === null) throw new Error('nothing is shared')
    const hit = async () => (await isAllowed(shared.hitAll([claimOf('a', { limit: 1 })], Date.now())))[0]
    return { hit, stop: () => clustering.stop() }
  }

  test.each([
    ['the same secret', [FIRST], [FIRST], false],
    ['a newer one that is known beside it', [FIRST], [FIRST, SECOND], false],
    ['a newer one in front: they begin anew', [FIRST, SECOND], [SECOND, FIRST], true],
    ['an older one that was dropped', [SECOND, FIRST], [SECOND], false],
    ['another secret', [FIRST], [THIRD], true],
  ])('of processes with %s', async (_, one, other, isNew) => {
    const redis = await connectRedis()
    const [before, after] = [await open(redis.name, one), await open(redis.name, other)]
    expect(await before.hit()).toBe(true)
    expect(await after.hit()).toBe(isNew)
    expect(await redis.keys()).toHaveLength(isNew ? 2 : 1)
    await Promise.all([before.stop(), after.stop()])
    await redis.close()
  })
})
