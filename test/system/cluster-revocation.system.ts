/** A key that one process revokes is refused by all others in less than a second, by whatever way they hear of it. */
import { describe, expect, test } from 'bun:test'
import { createServerDatabase } from '../contract/adapters.ts'
import { startPgBouncer } from '../support/servers/pgbouncer.ts'
import { startRedis } from '../support/servers/redis.ts'
import { ask, type Cluster, createKey, describeTimes, type Key, now, withCluster } from './cluster.ts'
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

/** Revokes a key on one process, and answers ms until all refuse it. */
async function revoke(cluster: Cluster, key: Key, index: number): Promise<number> {
  expect((await manage(cluster.at(index), `/auth/keys/${key.id}/revoke`, {})).status).toBe(200)
  const start = now()
  return Math.max(...(await Promise.all(cluster.origins.map((origin) => untilRefused(origin, key, start)))))
}

/** Creates keys, which all processes have in their caches. */
async function createKnownKeys(cluster: Cluster, count: number): Promise<readonly Key[]> {
  const keys = await Promise.all(Array.from({ length: count }, (_, index) => createKey(cluster.at(index))))
  for (const key of keys) {
    const answers = await Promise.all(cluster.origins.map((origin) => ask(`${origin}/key`, key)))
    for (const { status } of answers) expect(status).toBe(200)
  }
  return keys
}

/** @param together how many keys are revoked at the same time */
async function measure(cluster: Cluster, trials: number, together: number): Promise<readonly number[]> {
  const rest = [...(await createKnownKeys(cluster, trials)).entries()]
  const times: number[] = []
  async function work(): Promise<void> {
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      times.push(await revoke(cluster, next[1], next[0]))
    }
  }
  await Promise.all(Array.from({ length: together }, work))
  return times
}

function expectPromised(name: string, times: readonly number[]): void {
  console.log(`revoked on one, refused on all, ${name}: ${describeTimes(times)}`)
  expect(Math.max(...times)).toBeLessThan(PROMISED)
}

describe('a key that is revoked on one of three processes is refused on all within a second', () => {
  test('by Redis, 100 times; and while Redis accepts calls and answers none', async () => {
    const redis = await startRedis()
    try {
      await withCluster({ redis: redis.url }, async (cluster) => {
        expectPromised('by Redis', await measure(cluster, 100, 1))
        const keys = await createKnownKeys(cluster, 20)
        redis.pause()
        const times = await Promise.all(keys.map((key, index) => revoke(cluster, key, index)))
        redis.resume()
        expectPromised('with a silent Redis', times)
        for (const key of keys) {
          for (const origin of cluster.origins) expect((await ask(`${origin}/key`, key)).status).toBe(401)
        }
      })
    } finally {
      await redis.stop()
    }
  }, 60_000)

  test('by PostgreSQL alone', async () => {
    await withCluster({}, async (cluster) => expectPromised('by LISTEN', await measure(cluster, 20, 1)))
  }, 60_000)

  test('behind PgBouncer in transaction mode, which LISTEN may not get through', async () => {
    const { url, drop } = await createServerDatabase()
    const bouncer = await startPgBouncer({ port: SERVER_PORT })
    try {
      const database = url.replace(`:${SERVER_PORT}/`, `:${bouncer.port}/`)
      await withCluster({ database, options: { postgres: { prepare: false } } }, async (cluster) =>
        expectPromised('behind PgBouncer', await measure(cluster, 30, 10)),
      )
    } finally {
      await bouncer.stop()
      await drop()
    }
  }, 60_000)
})
