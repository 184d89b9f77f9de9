/** Redis is killed, started and frozen under load: limits go on, nothing fails, and nothing is let in by it. */
import { describe, expect, test } from 'bun:test'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { startRedis } from '../support/servers/redis.ts'
import { type Answered, ask, clusterForSuite, countStatuses, createKey, loadAll, mostWithin, now } from './cluster.ts'
import { LIMIT, WINDOW_MS } from './cluster-limits.ts'
import { manage } from './fixtures.ts'

const PROCESSES = 3
const REDIS_TIMEOUT = 250
/** ms that answers may take besides, on a machine that is busy with others. */
const SLACK = 500
/** ms until a process notices that Redis came back, and a little. */
const RETURNING = 3000

const sentWithin = (answers: readonly Answered[], from: number, to: number) =>
  answers.filter(({ sent, received }) => sent >= from && received < to)

const slowest = (answers: readonly Answered[]) => Math.max(...answers.map(({ sent, received }) => received - sent))

const options = { cluster: { processes: PROCESSES, redisTimeout: `${REDIS_TIMEOUT}ms` } }

describe('under load, Redis', () => {
  let redis: PrivateServer
  const suite = clusterForSuite(async () => {
    redis = await startRedis()
    return { setting: { redis: redis.url, options, processes: PROCESSES }, stop: redis.stop }
  })

  test('is killed and started again: no failure, limits and revocations stay in force', async () => {
    const cluster = suite()
    const limited = await createKey(cluster.at(0))
    const free = await createKey(cluster.at(1))
    const [before, during] = [await createKey(cluster.at(1)), await createKey(cluster.at(2))]
    for (const { headers } of [limited, free, before, during]) {
      for (const origin of cluster.origins) expect((await ask(`${origin}/key`, { headers })).status).toBe(200)
    }
    const isRefused = async (key: typeof during) =>
      (await Promise.all(cluster.origins.map((origin) => ask(`${origin}/key`, key)))).every(
        ({ status }) => status === 401,
      )
    const revoke = async (key: typeof during, index: number) =>
      expect((await manage(cluster.at(index), `/auth/keys/${key.id}/revoke`, {})).status).toBe(200)

    let isOver = false
    const urlsOf = (path: string) => cluster.origins.map((origin) => origin + path)
    const loading = Promise.all([
      loadAll(urlsOf('/limited'), limited, 4, () => isOver),
      loadAll(urlsOf('/key'), free, 1, () => isOver),
    ])
    const started = now()
    await Bun.sleep(WINDOW_MS + 500)
    await revoke(before, 0)

    await redis.kill()
    const gone = now()
    await revoke(during, 0)
    await Bun.sleep(1000)
    expect(await isRefused(during)).toBeTrue()
    await Bun.sleep(WINDOW_MS)

    const returning = now()
    await redis.start()
    await Bun.sleep(RETURNING)
    expect(await isRefused(before)).toBeTrue()
    expect(await isRefused(during)).toBeTrue()
    const back = now()
    await Bun.sleep(WINDOW_MS + 300)
    isOver = true
    const [atLimit, unlimited] = await loading
    const ended = now()

    console.log(`limited ${JSON.stringify(countStatuses(atLimit))}, free ${JSON.stringify(countStatuses(unlimited))}`)
    expect(Object.keys(countStatuses(atLimit)).sort()).toEqual(['200', '429'])
    expect(Object.keys(countStatuses(unlimited))).toEqual(['200'])
    const phases = {
      before: sentWithin(atLimit, started, gone),
      away: sentWithin(atLimit, gone + REDIS_TIMEOUT + SLACK, returning),
      back: sentWithin(atLimit, back, ended),
    }
    for (const [name, answers] of Object.entries(phases)) {
      const most = mostWithin(answers, WINDOW_MS)
      console.log(`${name}: at most ${most} of ${LIMIT} in any window`)
      expect(most).toBeLessThanOrEqual(LIMIT)
      // Limits go on, and so do those that are within them.
      expect(most).toBeGreaterThan(LIMIT / 2)
    }
    // Each switch begins with counts that know nothing of those before: twice the limit, and no more.
    expect(mostWithin(atLimit, WINDOW_MS)).toBeLessThanOrEqual(2 * LIMIT)
  }, 60_000)

  test('is frozen: a request waits for it no longer than its timeout, then limits go on in each process', async () => {
    const cluster = suite()
    const key = await createKey(cluster.at(0))
    const urls = cluster.origins.map((origin) => `${origin}/limited`)
    for (const url of urls) expect((await ask(url, key)).status).toBe(200)
    redis.pause()
    const start = now()
    const answers = await loadAll(urls, key, 2, () => now() > start + WINDOW_MS)
    redis.resume()
    console.log(`frozen: ${JSON.stringify(countStatuses(answers))}, slowest ${slowest(answers).toFixed(0)} ms`)
    expect(Object.keys(countStatuses(answers)).filter((status) => !['200', '429'].includes(status))).toEqual([])
    expect(slowest(answers)).toBeLessThan(REDIS_TIMEOUT + SLACK)
    // Not each of them waited: who finds it silent lets the others pass by.
    expect(answers.length).toBeGreaterThan((urls.length * 2 * WINDOW_MS) / REDIS_TIMEOUT)
    expect(mostWithin(answers, WINDOW_MS)).toBeLessThanOrEqual(LIMIT)
  }, 60_000)
})
