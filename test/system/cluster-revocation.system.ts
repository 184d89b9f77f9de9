/** A key that one process revokes is refused by all others in less than a second, by whatever way they hear of it. */
import { describe, expect, test } from 'bun:test'
import { createServerDatabase } from '../contract/adapters.ts'
import { startPgBouncer } from '../support/servers/pgbouncer.ts'
import { startRedis } from '../support/servers/redis.ts'
import { ask, type ClusterSetting, createKey, describeTimes, type Key, now, withCluster } from './cluster.ts'
import { manage } from './fixtures.ts'

/** ms */
const PROMISED = 1000
const SERVER_PORT = 5432

/** Asks one process until it refuses a key; answers ms since `start`, when the revocation was answered. */
async function untilRefused(origin: string, key: Key, start: number): Promise<number> {
  for (;;) {
    const { status, received } = await ask(`${origin}/key`, key)
    if (status === 401) return Math.max(0, received - start)
    if (status !== 200 || received > start + 5 * PROMISED) throw new Error(`${status} and no refusal`)
    await Bun.sleep(1)
  }
}

/** @param together how many keys are revoked at the same time */
async function measure(setting: ClusterSetting, trials: number, together: number): Promise<readonly number[]> {
  const times: number[] = []
  await withCluster(setting, async (cluster) => {
    const keys = await Promise.all(Array.from({ length: trials }, (_, index) => createKey(cluster.at(index))))
    async function revoke(key: Key, index: number): Promise<void> {
      // All have it in their caches.
      for (const origin of cluster.origins) expect((await ask(`${origin}/key`, key)).status).toBe(200)
      expect((await manage(cluster.at(index), `/auth/keys/${key.id}/revoke`, {})).status).toBe(200)
      const start = now()
      const refused = await Promise.all(cluster.origins.map((origin) => untilRefused(origin, key, start)))
      times.push(Math.max(...refused))
    }
    const rest = [...keys.entries()]
    async function work(): Promise<void> {
      for (let next = rest.shift(); next !== undefined; next = rest.shift()) await revoke(next[1], next[0])
    }
    await Promise.all(Array.from({ length: together }, work))
  })
  return times
}

function expectPromised(name: string, times: readonly number[]): void {
  console.log(`revoked on one, refused on all, ${name}: ${describeTimes(times)}`)
  expect(Math.max(...times)).toBeLessThan(PROMISED)
}

describe('a key that is revoked on one of three processes is refused on all within a second', () => {
  test('by Redis, 100 times', async () => {
    const redis = await startRedis()
    try {
      expectPromised('by Redis', await measure({ redis: redis.url }, 100, 1))
    } finally {
      await redis.stop()
    }
  }, 60_000)

  test('by PostgreSQL alone', async () => {
    expectPromised('by LISTEN', await measure({}, 20, 1))
  }, 60_000)

  test('behind PgBouncer in transaction mode, which LISTEN may not get through', async () => {
    const { url, drop } = await createServerDatabase()
    const bouncer = await startPgBouncer({ port: SERVER_PORT })
    try {
      const database = url.replace(`:${SERVER_PORT}/`, `:${bouncer.port}/`)
      const setting = { database, options: { postgres: { prepare: false } } }
      expectPromised('behind PgBouncer', await measure(setting, 30, 10))
    } finally {
      await bouncer.stop()
      await drop()
    }
  }, 60_000)

  test('while Redis accepts calls and answers none', async () => {
    const redis = await startRedis()
    const times: number[] = []
    try {
      await withCluster({ redis: redis.url }, async (cluster) => {
        const keys = await Promise.all(Array.from({ length: 20 }, () => createKey(cluster.at(0))))
        for (const key of keys) for (const origin of cluster.origins) await ask(`${origin}/key`, key)
        redis.pause()
        await Promise.all(
          keys.map(async (key, index) => {
            expect((await manage(cluster.at(index), `/auth/keys/${key.id}/revoke`, {})).status).toBe(200)
            const start = now()
            const refused = await Promise.all(cluster.origins.map((origin) => untilRefused(origin, key, start)))
            times.push(Math.max(...refused))
          }),
        )
        redis.resume()
        for (const key of keys)
          for (const origin of cluster.origins) expect((await ask(`${origin}/key`, key)).status).toBe(401)
      })
    } finally {
      await redis.stop()
    }
    expectPromised('with a silent Redis', times)
  }, 60_000)
})
