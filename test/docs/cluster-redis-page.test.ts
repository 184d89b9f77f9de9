/** The user that cluster.md makes in Redis may do all that an app needs there. */
import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth } from '../../src/core.ts'
import { machineAuth } from '../../src/plugin.ts'
import { SECRET } from '../options/support.ts'
import { isRedisInstalled, startRedis } from '../support/servers/redis.ts'
import { askRedis } from '../support/servers/redis-process.ts'
import { until } from '../support/until.ts'

const required = process.env.REQUIRE_SERVICES === '1'
const page = readFileSync(join(import.meta.dir, '../../docs/cluster.md'), 'utf8')
const PASSWORD = 'a-password-of-redis'
/** ms */
const PATIENCE = 10_000

describe.skipIf(!isRedisInstalled && !required)('a user of Redis for the app alone', () => {
  test('has limits counted, requests under way and changes told, and is refused nothing', async () => {
    const redis = await startRedis()
    try {
      const line = /^ACL SETUSER .*$/m.exec(page)?.[0] ?? ''
      const [command = '', ...args] = line.replace('>password', `>${PASSWORD}`).split(' ')
      expect(await askRedis(redis.url, command, args)).toBe('OK')
      const warnings: string[] = []
      await using core = createMachineAuth(
        {
          database: 'sqlite::memory:',
          secret: SECRET,
          docs: false,
          redis: redis.url.replace('//', `//app:${PASSWORD}@`),
        },
        { env: {}, cwd: '/nonexistent', warn: (message) => warnings.push(message) },
      )
      await core.ready
      const app = new Elysia()
        .use(machineAuth(core))
        .get('/counted', () => 'ok', { public: true, rateLimit: { limit: 2, window: '1h', by: () => 'one' } })
        .get('/entered', () => 'ok', { public: true, rateLimit: { concurrent: 2, by: () => 'one' } })
      const ask = async (path: string) => (await app.handle(new Request(`http://localhost${path}`))).status

      const listeners = async () => askRedis(redis.url, 'PUBSUB', ['NUMSUB', 'machine-auth:changes'])
      await until(async () => Number(((await listeners()) as unknown[])[1]) === 1, PATIENCE)
      expect(await listeners()).toEqual(['machine-auth:changes', 1])

      expect([await ask('/counted'), await ask('/counted'), await ask('/counted')]).toEqual([200, 200, 429])
      expect(await ask('/entered')).toBe(200)
      const { key } = await core.keys.create({ name: 'told' })
      await core.keys.revoke(key.id)
      // Counted there, and not in this process because Redis refused.
      expect(await askRedis(redis.url, 'KEYS', ['machine-auth:l:*'])).toHaveLength(1)
      expect(await askRedis(redis.url, 'ACL', ['LOG'])).toEqual([])
      expect(warnings).toEqual([expect.stringContaining('a database in memory is not')])
    } finally {
      await redis.stop()
    }
  }, 60_000)
})
