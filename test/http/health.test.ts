/** Whether the process lives and may be sent requests: answered at once, to anybody, and without saying more. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { internalsOfCore } from '../../src/core-internals.ts'
import { createMachineAuth, type MachineAuthOptions, machineAuth } from '../../src/index.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { askServer, createTestApp, SECRET } from '../support/test-app.ts'

const PATHS = ['/auth/health/live', '/auth/health/ready'] as const
const READY = { status: 'ready', components: { database: { status: 'up' }, changes: { status: 'up' } } }

/** An app on a store whose start waits until it is let. */
function serveStarting(more: MachineAuthOptions<string, object> = {}) {
  const gate = Promise.withResolvers<void>()
  const storage = createMemoryStorage()
  const changes = new Proxy(storage.changes, {
    get: (target, name) =>
      name === 'latest' ? () => gate.promise.then(() => target.latest()) : Reflect.get(target, name, target),
  })
  const core = createMachineAuth<string, object>(
    { database: { storage: () => ({ ...storage, changes }) }, secret: SECRET, docs: false, ...more },
    { env: {}, warn: () => undefined },
  )
  // What listens ends the process when the start fails.
  const app = new Elysia().use(machineAuth(core)).get('/open', () => 'open', { public: true })
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch })
  return { core, gate, origin: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) }
}

describe('health', () => {
  test('of a process that answers', async () => {
    await using t = await createTestApp()
    const live = await t.ask('/auth/health/live')
    expect([live.status, live.json, live.headers.get('cache-control')]).toEqual([200, { status: 'live' }, 'no-store'])
    const ready = await t.ask('/auth/health/ready')
    expect([ready.status, ready.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(ready.json).toMatchObject({ ...READY, components: { ...READY.components, usage: { status: 'up' } } })
    expect(Object.keys(ready.json.components as object).sort()).toEqual(['changes', 'database', 'usage'])
  })

  test('names no part that is switched off', async () => {
    await using t = await createTestApp({ usage: false })
    expect(Object.keys((await t.ask('/auth/health/ready')).json.components as object).sort()).toEqual([
      'changes',
      'database',
    ])
  })

  test.each([
    { management: false as const },
    { tokens: false as const },
    { management: false as const, tokens: false as const },
  ])('is there with %o', async (options) => {
    await using t = await createTestApp(options)
    for (const path of PATHS) expect((await t.ask(path)).status).toBe(200)
  })

  test('is below the prefix of the options', async () => {
    await using t = await createTestApp({ prefix: '/api/auth' })
    for (const path of PATHS)
      expect([(await t.ask(`/api${path}`)).status, (await t.ask(path)).status]).toEqual([200, 404])
  })

  test('asks the database once for a hundred questions', async () => {
    await using t = await createTestApp()
    t.takeStatements()
    const answers = await Promise.all(Array.from({ length: 100 }, () => t.ask('/auth/health/ready')))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(t.takeStatements().length).toBeLessThanOrEqual(1)
  })
})

describe('nobody is kept from asking', () => {
  test('by a block of his address, which still is one for the rest', async () => {
    await using t = await createTestApp()
    await t.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    for (const path of PATHS) expect((await t.ask(path)).said).toBe('200')
    expect((await t.ask('/open')).said).toBe('403 address_blocked')
    expect((await t.ask('/auth/health/live', { method: 'POST' })).said).toBe('403 address_blocked')
  })

  test.each(['ip', 'apiKey'] as const)('by the default limit by %s, of which it uses nothing up', async (by) => {
    await using t = await createTestApp({ rateLimit: { default: { limit: 1, window: '1h', by } } })
    for (let count = 0; count < 5; count += 1) {
      for (const path of PATHS) {
        const answer = await t.ask(path)
        expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null])
      }
    }
    expect((await t.ask('/open')).said).toBe('200')
    expect((await t.ask('/open')).said).toBe('429 rate_limited')
  })

  test('by a rule for all paths', async () => {
    await using t = await createTestApp({ protect: [{ path: '/', require: { apiKey: true } }] })
    for (const path of PATHS) expect((await t.ask(path)).said).toBe('200')
    expect((await t.ask('/auth/health/other')).said).toBe('401 credential_missing')
  })

  test('by a credential that is wrong or long', async () => {
    await using t = await createTestApp()
    for (const path of PATHS) {
      for (const headers of [{ 'x-api-key': 'wrong' }, { authorization: `Bearer ${'x'.repeat(5000)}` }]) {
        expect((await t.ask(path, { headers })).said).toBe('200')
      }
    }
  })

  test('but not for the sake of a route of the app’s own that ends like them', async () => {
    await using t = await createTestApp({ protect: [{ path: '/mine', require: { apiKey: true } }] }, (app) =>
      app.get('/mine/health/live', () => 'mine').get('/auth/mine/health/live', () => 'mine', { public: true }),
    )
    expect((await t.ask('/mine/health/live')).said).toBe('401 credential_missing')
    await t.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    expect((await t.ask('/auth/mine/health/live')).said).toBe('403 address_blocked')
  })
})

describe('while a core starts', () => {
  test('both answer at once, and everything else waits', async () => {
    const { core, gate, origin, stop } = serveStarting()
    let isAnswered = false
    const waiting = askServer(origin, '/open').then((answer) => {
      isAnswered = true
      return answer
    })
    // With a credential that could only be looked up later.
    const headers = { authorization: 'Bearer mac_live_0000000000000000_x' }
    expect((await askServer(origin, '/auth/health/live', { headers })).said).toBe('200')
    const ready = await askServer(origin, '/auth/health/ready', { headers })
    expect([ready.status, ready.json.status, ready.headers.get('retry-after')]).toEqual([503, 'starting', '1'])
    expect(isAnswered).toBe(false)
    gate.resolve()
    expect((await waiting).said).toBe('200')
    expect((await askServer(origin, '/auth/health/ready')).json).toMatchObject(READY)
    await core.close()
    await stop()
  })

  test('that fails, it is unavailable for good', async () => {
    const { core, gate, origin, stop } = serveStarting()
    gate.reject(new Error('host db.internal refused user machine'))
    await core.ready.catch(() => undefined)
    const ready = await askServer(origin, '/auth/health/ready')
    expect([ready.status, ready.json.status, ready.headers.get('retry-after')]).toEqual([503, 'unavailable', '1'])
    expect(ready.text).not.toContain('internal')
    expect((await askServer(origin, '/auth/health/live')).json).toEqual({ status: 'live' })
    await core.close()
    await stop()
  })
})

describe('while a core ends', () => {
  test('it is draining for as long as the process answers, which asks clients to go', async () => {
    await using t = await createTestApp()
    expect((await t.ask('/open')).headers.get('connection')).not.toBe('close')
    internalsOfCore(t.core).stoppable.life.become('draining')
    const draining = await t.ask('/auth/health/ready')
    expect([draining.status, draining.json.status]).toEqual([503, 'draining'])
    expect([draining.headers.get('connection'), draining.headers.get('retry-after')]).toEqual(['close', '1'])
    expect((await t.ask('/open')).headers.get('connection')).toBe('close')
    await t.core.close()
    const closed = await t.ask('/auth/health/ready')
    expect([closed.status, closed.json.status]).toEqual([503, 'draining'])
    expect((await t.ask('/auth/health/live')).status).toBe(200)
  })
})

describe('without a database', () => {
  test('it is unavailable, and says no more than that', async () => {
    const storage = { ...createMemoryStorage(), ping: () => Promise.reject(new Error('host db.internal')) }
    const core = createMachineAuth({ database: { storage: () => storage }, secret: SECRET, docs: false }, { env: {} })
    await core.ready
    const app = new Elysia().use(machineAuth(core)).listen({ port: 0, hostname: '127.0.0.1' })
    const answer = await askServer(`http://127.0.0.1:${app.server?.port}`, '/auth/health/ready')
    expect([answer.status, answer.json.status]).toEqual([503, 'unavailable'])
    expect(answer.json.components).toMatchObject({ database: { status: 'down', latencyMs: null } })
    expect(answer.text).not.toContain('internal')
    await app.stop(true)
    await core.close()
  })
})
