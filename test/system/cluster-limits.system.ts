/** Three processes on PostgreSQL and Redis share their limits, caps and quotas. */
import { describe, expect, test } from 'bun:test'
import { startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'
import {
  ask,
  CLOCKS_MS,
  clusterForSuite,
  countStatuses,
  createKey,
  fewestBeforeRefusal,
  loadAll,
  mostWithin,
  now,
} from './cluster.ts'
import { CONCURRENT, LIMIT, WINDOW_MS } from './cluster-limits.ts'

/** Units of a high limit leave the window by sixty-fourths of it. */
const GRAIN_MS = WINDOW_MS / 64 + CLOCKS_MS

describe('three processes on PostgreSQL and Redis', () => {
  const suite = clusterForSuite(async () => {
    const redis = await startRedis()
    return { setting: { redis: redis.url }, stop: redis.stop }
  })

  test(`under load from all, a limit of ${LIMIT} lets in ${LIMIT} in every window`, async () => {
    const cluster = suite()
    const key = await createKey(cluster.at(0))
    for (const origin of cluster.origins) expect((await ask(`${origin}/key`, key)).status).toBe(200)
    const windows = 3
    const urls = cluster.origins.map((origin) => `${origin}/limited`)
    const start = now()
    // Shortly before the last window ends: what is let in then would belong to the next one.
    const answers = await loadAll(urls, key, 6, () => now() > start + windows * WINDOW_MS - 300)
    const counts = countStatuses(answers)
    console.log(`${answers.length} answers in ${windows} windows: ${JSON.stringify(counts)}`)
    expect(Object.keys(counts).sort()).toEqual(['200', '429'])
    // On a machine that is too slow to ask for more than that, nothing would be shown.
    expect(answers.length).toBeGreaterThan(2 * windows * LIMIT)
    expect(mostWithin(answers, WINDOW_MS)).toBeLessThanOrEqual(LIMIT)
    expect(fewestBeforeRefusal(answers, WINDOW_MS + GRAIN_MS)).toBeGreaterThanOrEqual(LIMIT)
    expect(counts[200]).toBe(windows * LIMIT)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused.filter(({ retryAfter }) => retryAfter === null)).toEqual([])
  }, 60_000)

  test("a key's own limit is one for all of them", async () => {
    const cluster = suite()
    const key = await createKey(cluster.at(1), { rateLimit: { limit: 50, window: '1h' } })
    const answers = await Promise.all(Array.from({ length: 150 }, (_, index) => ask(`${cluster.at(index)}/key`, key)))
    expect(countStatuses(answers)).toEqual({ 200: 50, 429: 100 })
  }, 60_000)

  test('a monthly quota of 500 lets in 500', async () => {
    const cluster = suite()
    const key = await createKey(cluster.at(2), { monthlyQuota: 500 })
    const letIn = await Promise.all(
      cluster.origins.map(async (origin) => {
        let admitted = 0
        // Each goes on until it has nothing left: what it claimed ahead is used by then.
        for (;;) {
          const counts = countStatuses(await Promise.all(Array.from({ length: 10 }, () => ask(`${origin}/key`, key))))
          expect((counts[200] ?? 0) + (counts[429] ?? 0)).toBe(10)
          admitted += counts[200] ?? 0
          if (counts[200] === undefined) return admitted
        }
      }),
    )
    console.log(`of a quota of 500: ${letIn.join(' + ')}`)
    expect(letIn.reduce((sum, each) => sum + each, 0)).toBe(500)
  }, 60_000)

  test(`no more than ${CONCURRENT} requests of a key are under way at once, and ended ones make room`, async () => {
    const cluster = suite()
    const key = await createKey(cluster.at(0))
    for (const origin of cluster.origins) expect((await ask(`${origin}/key`, key)).status).toBe(200)
    for (let round = 0; round < 2; round += 1) {
      const asked = Array.from({ length: 15 }, (_, index) => ask(`${cluster.at(index)}/slow?ms=1500`, key))
      expect(countStatuses(await Promise.all(asked))).toEqual({ 200: CONCURRENT, 429: 15 - CONCURRENT })
      // Room is made behind the answer.
      await until(async () => {
        const ended = await Promise.all(
          Array.from({ length: CONCURRENT }, (_, index) => ask(`${cluster.at(index)}/slow?ms=50`, key)),
        )
        return countStatuses(ended)[200] === CONCURRENT
      }, 5000)
    }
  }, 60_000)
})
