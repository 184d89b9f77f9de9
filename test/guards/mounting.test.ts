/** Guarded apps inside other apps: under a prefix, in modules, mounted by their fetch, and beside another core. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { createTestPlugin, keyPrincipal, STANDARD, withServer } from '../support/guarded-app.ts'
import { ask, expectRefusal, handle, JSON_TYPE, openSocket, PRESENT, summary, VARY, withLog } from './support.ts'

type App = { handle: (request: Request) => Promise<Response>; listen: unknown }

function createPlugin() {
  return createTestPlugin(STANDARD, { protect: [{ path: '/closed', require: { apiKey: true } }] }).plugin
}

/** A guarded app, as it might be shipped by itself. */
function createInner(options: { prefix?: string } = {}, plugin = createPlugin()) {
  const app = new Elysia(options)
    .use(plugin)
    .get('/me', ({ currentUser }) => currentUser.id, { currentUser: true })
    .post('/echo', ({ body }) => JSON.stringify(body), { currentUser: true })
    .post('/raw', ({ request }) => request.text(), { currentUser: true })
    .get('/closed/x', () => 'closed')
    .get('/auth', async ({ auth }) => (await auth.currentUser()).id)
    .get('/free', () => 'free')
  return { app }
}

const PLACES: Readonly<Record<string, () => { app: App; at: string }>> = {
  'under a prefix': () => ({ app: createInner({ prefix: '/api' }).app, at: '/api' }),
  'in a module': () => ({ app: new Elysia().use(createInner().app), at: '' }),
  'in a module under a prefix': () => ({
    app: new Elysia({ prefix: '/a' }).use(createInner({ prefix: '/b' }).app),
    at: '/a/b',
  }),
  'in a module of a module': () => ({
    app: new Elysia().use(new Elysia().use(createInner({ prefix: '/x' }).app)),
    at: '/x',
  }),
  'in a group of an app that uses the plugin': () => {
    const { plugin } = createTestPlugin()
    const feature = createInner({}, plugin).app
    return { app: new Elysia().use(plugin).group('/group', (group) => group.use(feature)), at: '/group' }
  },
  'mounted by its fetch': () => ({ app: new Elysia().mount('/mounted', createInner().app.fetch), at: '/mounted' }),
  'mounted as an app': () => ({ app: new Elysia().mount('/mounted', createInner().app), at: '/mounted' }),
  'mounted at the root': () => ({ app: new Elysia().get('/other', () => '').mount(createInner().app.fetch), at: '' }),
  'mounted in a mounted app': () => ({
    app: new Elysia().mount('/a', new Elysia().mount('/b', createInner().app.fetch).fetch),
    at: '/a/b',
  }),
}

describe.each(Object.keys(PLACES))('%s', (name) => {
  const create = () => {
    const made = PLACES[name]?.()
    if (made === undefined) throw new Error('no such place')
    return made
  }

  test.each([false, true])('guards hold (listening: %p)', async (isListening) => {
    const { app, at } = create()
    const check = async (call: (path: string, init?: RequestInit) => ReturnType<typeof ask>) => {
      for (const path of ['/me', '/auth']) {
        const refused = await call(at + path)
        expectRefusal(refused, 401, 'credential_missing')
        if (path === '/me') expect(refused.headers.get('vary')).toBe(VARY)
        expect((await call(at + path, { headers: PRESENT['user token'] })).text).toBe('user_bob')
        expect((await call(at + path, { headers: PRESENT['user session'] })).text).toBe('user_bob')
      }
      for (const path of ['/echo', '/raw']) {
        const init = { method: 'POST', body: '{"a":1}' }
        expectRefusal(await call(at + path, { ...init, headers: JSON_TYPE }), 401, 'credential_missing')
        const headers = { ...JSON_TYPE, ...PRESENT['user token'] }
        expect((await call(at + path, { ...init, headers })).text).toBe('{"a":1}')
      }
      expect((await call(`${at}/free`)).text).toBe('free')
    }
    if (isListening) await withServer(app, (origin) => check((path, init) => ask(origin + path, init)))
    else await check((path, init) => handle(app, path, init))
  })
})

describe('a plugin that only a group uses does not see requests: nothing of it answers, and it says why', () => {
  const within = (plugin: ReturnType<typeof createPlugin>) =>
    new Elysia()
      .get('/closed/x', () => 'closed')
      .group('/group', (group) =>
        group
          .use(plugin)
          .get('/me', ({ currentUser }) => currentUser.id, { currentUser: true })
          .get('/free', ({ auth }) => auth.requestId),
      )

  test.each(['/group/me', '/group/free', '/closed/x'])('%s', async (path) => {
    for (const headers of [PRESENT.nothing, PRESENT['user token'], PRESENT.key]) {
      const { result } = await withLog(() => handle(within(createPlugin()), path, { headers }))
      expect(summary(result)).toBe('500 internal_error')
      expect(result.problem.detail).toContain('.use(machineAuth())')
    }
  })
})

test('protect rules of a mounted app speak of its own paths', async () => {
  const app = new Elysia().mount('/mounted', createInner().app.fetch)
  expectRefusal(await handle(app, '/mounted/closed/x'), 401, 'credential_missing')
  expect((await handle(app, '/mounted/closed/x', { headers: PRESENT.key })).text).toBe('closed')
})

test('a guarded group keeps out of a guarded app mounted in it', async () => {
  const { plugin } = createTestPlugin()
  const app = new Elysia()
    .use(plugin)
    .guard({ apiKey: true }, (inner) => inner.mount('/mounted', createInner().app.fetch))
  expectRefusal(await handle(app, '/mounted/me', { headers: PRESENT['user token'] }), 401, 'credential_missing')
  expectRefusal(await handle(app, '/mounted/me', { headers: PRESENT.key }), 403, 'user_required')
  const both = { ...PRESENT.key, ...PRESENT['user token'] }
  expect((await handle(app, '/mounted/me', { headers: both })).text).toBe('user_bob')
  expect((await handle(app, '/mounted/free', { headers: PRESENT.key })).text).toBe('free')
})

test('a module is one and the same in two apps', async () => {
  const { plugin } = createTestPlugin()
  const module = new Elysia({ name: 'shared' })
    .use(plugin)
    .get('/me', ({ currentUser }) => currentUser.id, { currentUser: true })
  for (const app of [new Elysia().use(module), new Elysia({ prefix: '/api' }).use(module)]) {
    const path = app.config.prefix === undefined ? '/me' : '/api/me'
    expectRefusal(await handle(app, path), 401, 'credential_missing')
    expect((await handle(app, path, { headers: PRESENT['user token'] })).text).toBe('user_bob')
  }
})

test('a WebSocket of a module under a prefix is guarded', async () => {
  const { plugin } = createTestPlugin()
  const feature = new Elysia({ prefix: '/feature' }).use(plugin).ws('/ws', {
    currentUser: true,
    open: (ws) => void ws.send(ws.data.currentUser.id),
    message() {},
  })
  await withServer(new Elysia({ prefix: '/api' }).use(feature), async (origin) => {
    expect(await openSocket(origin, '/api/feature/ws')).toBeNull()
    expect(await openSocket(origin, '/api/feature/ws', PRESENT['user token'])).toBe('user_bob')
  })
})

test('the request id is the same inside and outside', async () => {
  const outer = createTestPlugin().plugin
  const app = new Elysia().use(outer).mount('/mounted', createInner().app.fetch)
  const answer = await handle(app, '/mounted/me', { headers: { 'x-request-id': 'one-and-same' } })
  expectRefusal(answer, 401, 'credential_missing')
  expect(answer.problem.requestId).toBe('one-and-same')
})

describe('two cores', () => {
  const a = () => createTestPlugin({ keys: { mac_live_a: keyPrincipal('key_a') } })
  const b = () => createTestPlugin({ keys: { mac_live_b: keyPrincipal('key_b') } })
  const guarded = (plugin: ReturnType<typeof a>['plugin']) =>
    new Elysia().use(plugin).get('/x', ({ apiKey }) => apiKey.id, { apiKey: true })

  test('in one app are refused at the start', async () => {
    const { plugin, engine } = a()
    const app = guarded(plugin).use(b().plugin)
    const { result } = await withLog(() => handle(app, '/x', { headers: { 'x-api-key': 'mac_live_a' } }))
    expect(summary(result)).toBe('500 internal_error')
    expect(engine).toBeDefined()
  })

  test('in two apps do not believe each other where one is mounted', async () => {
    const app = guarded(a().plugin).mount('/b', guarded(b().plugin).fetch)
    const call = async (path: string, key: string) =>
      summary(await handle(app, path, { headers: { 'x-api-key': key } }))
    expect(await call('/x', 'mac_live_a')).toBe('200')
    expect(await call('/x', 'mac_live_b')).toBe('401 api_key_invalid')
    expect(await call('/b/x', 'mac_live_a')).toBe('401 api_key_invalid')
    expect(await call('/b/x', 'mac_live_b')).toBe('200')
  })

  test('in two apps do not believe each other where one hands its request to the other', async () => {
    const inner = guarded(b().plugin)
    const app = new Elysia().use(a().plugin).all('/x', ({ request }) => inner.handle(request))
    const call = async (key: string) => summary(await handle(app, '/x', { headers: { 'x-api-key': key } }))
    expect(await call('mac_live_a')).toBe('401 api_key_invalid')
    expect(await call('mac_live_b')).toBe('200')
  })
})

test('a request that another plugin wraps anew is refused, not let through', async () => {
  const { plugin } = createTestPlugin()
  const app = new Elysia()
    .wrap((handler) => (request: Request) => handler(new Request(request)))
    .use(plugin)
    .wrap((handler) => (request: Request) => handler(new Request(request)))
    .get('/x', ({ currentUser }) => currentUser.id, { currentUser: true })
  const { result } = await withLog(() => handle(app, '/x'))
  expect([401, 500]).toContain(result.status)
})
