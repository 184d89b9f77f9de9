/** What a process says of the Redis that it shares with others: in readiness, and in its metrics. */
import { expect, test } from 'bun:test'
import { Meters } from '../../src/recording/metrics/meters.ts'
import { Metrics } from '../../src/recording/metrics/metrics.ts'
import { parseMetrics } from '../support/metrics.ts'
import { startRedis } from '../support/servers/redis.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'
import { until } from '../support/until.ts'
import { createGarbage, describeWithRedis } from './support.ts'

const dispose = createGarbage()

async function readinessOf(app: TestApp) {
  const { status, json } = await app.ask('/auth/health/ready')
  return [status, (json.components as { redis?: { status: string } }).redis?.status]
}

describeWithRedis('a process with Redis', () => {
  test('is ready without it, and says that it is away', async () => {
    const redis = dispose(await startRedis())
    await using app = await createTestApp({ redis: redis.url })
    const isWell = async () => (await readinessOf(app))[1] === 'up'
    await until(isWell)
    await redis.kill()
    await until(async () => !(await isWell()))
    expect(await readinessOf(app)).toEqual([200, 'degraded'])
    await redis.start()
    await until(isWell)
  }, 30_000)
})

test('a process without Redis says nothing of it', async () => {
  await using app = await createTestApp()
  expect(await readinessOf(app)).toEqual([200, undefined])
  expect((await app.core.metrics?.text())?.match(/machine_auth_(redis|shared|change_bell)\w*/g)).toBeNull()
})

test('metrics tell what Redis and the shared limits do now', async () => {
  const meters = new Meters()
  const link = { isUp: true }
  const bell = { isHeard: true }
  const limits = { figures: { shared: 5, remembered: 4, local: 3, unavailable: 2, processes: 9 } }
  const none = { hits: 0, misses: 0, stale: 0, evictions: 0, size: 0 }
  const caches = () => ({ api_key: none, imported_key: none, jwt: none, bearer: none, session: none })
  const metrics = new Metrics({ meters, caches, recorders: { usage: null, log: null }, redis: { link, limits }, bell })
  const look = async () =>
    Object.fromEntries(
      [...parseMetrics(await metrics.text())]
        .map(([series, value]) => [series.replace('machine_auth_', ''), value] as const)
        .filter(([series]) => /^(redis_(up|errors|duration_seconds_count)|change_bell|shared)/.test(series)),
    )
  const decisions = {
    'shared_limit_decisions_total{by="shared"}': 5,
    'shared_limit_decisions_total{by="remembered"}': 4,
    'shared_limit_decisions_total{by="local"}': 3,
    'shared_limit_decisions_total{by="unavailable"}': 2,
  }
  const quiet = { redis_duration_seconds_count: 0, redis_errors_total: 0, ...decisions }
  expect(await look()).toEqual({ redis_up: 1, change_bell_up: 1, ...quiet })
  meters.redis.call(0.2, false)
  meters.redis.call(250, true)
  link.isUp = false
  bell.isHeard = false
  expect(await look()).toEqual({
    ...{ redis_up: 0, change_bell_up: 0, redis_duration_seconds_count: 2, redis_errors_total: 1 },
    ...decisions,
  })
})
