/** PostgreSQL is killed, started and frozen under load: known keys go on, unknown ones are told to come again. */
import { describe, expect, test } from 'bun:test'
import { startPostgres } from '../support/servers/postgres.ts'
import { askPostgres } from '../support/servers/postgres-process.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'
import { type Answered, ask, type Cluster, clusterForSuite, countStatuses, createKey, loadAll, now } from './cluster.ts'
import { manage } from './fixtures.ts'

const TIMEOUT = 1000
/** ms that answers may take besides, on a machine that is busy with others. */
const SLACK = 750

const slowest = (answers: readonly Answered[]) => Math.max(...answers.map(({ sent, received }) => received - sent))

interface Away {
  readonly known: readonly Answered[]
  readonly unknown: readonly Answered[]
}

/** Takes PostgreSQL away for three seconds under load of keys that all processes know, and some that none does. */
async function loadWhileAway(cluster: Cluster, leave: () => unknown, come: () => unknown): Promise<Away> {
  const known = await createKey(cluster.at(0))
  const fresh = await Promise.all(Array.from({ length: 24 }, (_, index) => createKey(cluster.at(index))))
  for (const origin of cluster.origins) expect((await ask(`${origin}/key`, known)).status).toBe(200)

  let isOver = false
  const urls = cluster.origins.map((origin) => `${origin}/key`)
  const loading = loadAll(urls, known, 2, () => isOver)
  await Bun.sleep(500)
  await leave()
  const unknown: Answered[] = []
  const end = now() + 3000
  for (const [index, key] of fresh.entries()) {
    // Who created it knows it perhaps; the next one does not. Some come at once, some when it is known to be away.
    unknown.push(...(await Promise.all([1, 2].map((step) => ask(`${cluster.at(index + step)}/key`, key)))))
    if (now() > end) break
  }
  await Bun.sleep(Math.max(0, end - now()))
  await come()
  await until(async () => {
    const asked = fresh.flatMap((key) => urls.map((url) => ask(url, key)))
    return (await Promise.all(asked)).every(({ status }) => status === 200)
  }, 15_000)
  isOver = true
  return { known: await loading, unknown }
}

function expectBounded({ known, unknown }: Away, name: string): void {
  console.log(
    `${name}: known ${JSON.stringify(countStatuses(known))}, slowest ${slowest(known).toFixed(0)} ms; ` +
      `unknown ${JSON.stringify(countStatuses(unknown))}, slowest ${slowest(unknown).toFixed(0)} ms`,
  )
  expect(Object.keys(countStatuses(known))).toEqual(['200'])
  expect(Object.keys(countStatuses(unknown))).toEqual(['503'])
  for (const { retryAfter } of unknown) expect(retryAfter).toBeGreaterThan(0)
  expect(slowest(unknown)).toBeLessThan(TIMEOUT + SLACK)
  expect(slowest(known)).toBeLessThan(TIMEOUT + SLACK)
}

describe('under load, PostgreSQL', () => {
  let postgres: PrivateServer
  const suite = clusterForSuite(async () => {
    const [own, redis] = await Promise.all([startPostgres(), startRedis()])
    postgres = own
    return {
      setting: {
        database: own.url,
        redis: redis.url,
        options: { postgres: { timeout: `${TIMEOUT}ms` }, usage: { durability: 'journaled' } },
        // Shorter than PostgreSQL is away: what is remembered is looked up again, in vain.
        keyOptions: { cacheTtl: '1s' },
      },
      stop: async () => void (await Promise.all([own.stop(), redis.stop()])),
    }
  })

  test('is killed and started again: known keys never fail, unknown ones are 503, and every use is counted', async () => {
    const cluster = suite()
    const away = await loadWhileAway(cluster, postgres.kill, postgres.start)
    expectBounded(away, 'killed')
    // Counted once each: what was answered, and nothing else. The keys' owners were asked for at `/key` alone.
    const counted = async () => {
      const rows = await askPostgres(
        postgres.url,
        `select key_id, sum(requests)::int as requests from machine_auth_usage
            where period = 'hour' and route = '/key' group by key_id order by requests desc limit 1`,
      )
      return (rows as readonly { readonly requests: number }[])[0]?.requests ?? 0
    }
    // Three before the load, one at each process.
    const answered = away.known.length + 3
    await until(async () => (await counted()) >= answered, 15_000)
    expect(await counted()).toBe(answered)
  }, 60_000)

  test('is frozen: no request waits longer than its timeout, writes are refused, and all is well afterwards', async () => {
    const cluster = suite()
    const writes: { status: number; took: number }[] = []
    async function freeze(): Promise<void> {
      postgres.pause()
      const sent = now()
      const made = await Promise.all(
        cluster.origins.map((origin) => manage(origin, '/auth/keys', { name: 'while it is frozen' })),
      )
      for (const answer of made) {
        await answer.arrayBuffer()
        writes.push({ status: answer.status, took: now() - sent })
      }
    }
    const away = await loadWhileAway(cluster, freeze, postgres.resume)
    expectBounded(away, 'frozen')
    for (const { status, took } of writes) {
      expect(status).toBe(503)
      expect(took).toBeLessThan(TIMEOUT + SLACK)
    }
    const answer = await manage(cluster.at(0), '/auth/keys', { name: 'afterwards' })
    expect(answer.status).toBe(201)
    await answer.arrayBuffer()
  }, 60_000)
})
