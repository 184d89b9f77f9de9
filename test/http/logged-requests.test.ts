/** Which requests are logged: all but probes and the metrics, whatever a path looks like. */
import { afterAll, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { askServer, asMaster, createTestApp, createTestCore } from '../support/test-app.ts'

const OPTIONS = { metrics: { open: true }, logging: { mode: 'metadata_only' } } as const

const t = await createTestApp(OPTIONS)
afterAll(t.close)

test.each([
  ['/auth/metrics', 200, false],
  ['/auth/health/live', 200, false],
  ['/auth/health/ready', 200, false],
  ['/.env/auth/metrics', 404, true],
  ['/admin/auth/health/live', 404, true],
  ['/x/auth/health/ready', 404, true],
  ['/auth/logs', 401, true],
])('%s, answered with %i: %p', async (path, status, isLogged) => {
  expect((await t.ask(path)).status).toBe(status)
  const { items } = await t.core.logs.list({ status, from: new Date(t.time.now).toISOString() }, { limit: 100 })
  expect(items.some((entry) => entry.path === path)).toBe(isLogged)
})

test('the metrics of an app with a prefix are not logged, and what only ends like them is', async () => {
  const { core } = createTestCore(OPTIONS)
  await core.ready
  const app = new Elysia({ prefix: '/api' }).use(machineAuth(core)).get('/x/auth/metrics', 'ours')
  app.listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`
  for (const path of ['/api/auth/metrics', '/api/x/auth/metrics', '/api/auth/health/live'])
    expect((await askServer(origin, path)).status).toBe(200)
  expect((await core.logs.list()).items.map(({ path }) => path)).toEqual(['/api/x/auth/metrics'])
  await app.stop(true)
  await core.close()
})

test('a sink that never answers keeps nobody from reading the log', async () => {
  const sink = { write: () => new Promise<void>(() => undefined) }
  const stuck = await createTestApp({ logging: { mode: 'metadata_only', sink } })
  for (let n = 0; n < 3; n += 1) await stuck.ask('/open')
  const began = performance.now()
  expect((await stuck.ask('/auth/logs', { headers: asMaster })).json).toEqual({ items: [], nextCursor: null })
  expect(performance.now() - began).toBeLessThan(900)
  await stuck.app.stop(true)
})
