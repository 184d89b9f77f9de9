/** What stops the start besides guards that were not applied, and when routes are looked at. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { RouteAuditError } from '../../src/guards/audit.ts'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin, STANDARD, withServer } from '../support/guarded-app.ts'
import { ask, handle, PRESENT, summary, withLog } from './support.ts'

type Plugin = ReturnType<typeof createTestPlugin>['plugin']
type App = { handle: (request: Request) => Promise<Response> }

const open = () => 'open'
const noHook = () => undefined

interface Mistake {
  readonly create: (plugin: Plugin) => App
  readonly says: string
}

const MISTAKES: Readonly<Record<string, Mistake>> = {
  'an unknown role': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { requireRole: 'nobody' }),
    says: "GET /x: role 'nobody' is not declared (options: roles)",
  },
  'one unknown role of several': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { requireRole: ['admin', 'Admin'] }),
    says: "GET /x: role 'Admin' is not declared",
  },
  'an unknown permission': {
    create: (plugin) => new Elysia().use(plugin).post('/x', open, { requirePermission: 'users.destroy' }),
    says: "POST /x: permission 'users.destroy' is not declared (options: modules or permissions)",
  },
  'one unknown permission of any': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { requirePermission: { any: ['users.view', 'no'] } }),
    says: "GET /x: permission 'no' is not declared",
  },
  'a permission in another case': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { requirePermission: ['users.view', 'USERS.VIEW'] }),
    says: "GET /x: permission 'USERS.VIEW' is not declared",
  },
  'an unknown permission in another form': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { requirePermission: 'users:destroy' }),
    says: "GET /x: permission 'users.destroy' is not declared",
  },
  'an unknown permission of a key': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { apiKey: { permissions: ['posts.burn'] } }),
    says: "GET /x: permission 'posts.burn' is not declared",
  },
  'an unknown module': {
    create: (plugin) => new Elysia().use(plugin).get('/x', open, { requireModule: 'invoices' }),
    says: "GET /x: module 'invoices' is not declared (options: modules)",
  },
  'P70: an unknown action': {
    create: (plugin) =>
      new Elysia().use(plugin).get('/x', open, { requireModule: { module: 'users', action: 'burn' } }),
    says: "GET /x: permission 'users.burn.get' is not declared",
  },
  'a method without a permission': {
    create: (plugin) => new Elysia().use(plugin).options('/x', open, { requireModule: 'users' }),
    says: "OPTIONS /x: method OPTIONS has no permission in module 'users'",
  },
  'a module on all methods': {
    create: (plugin) => new Elysia().use(plugin).all('/x', open, { requireModule: { module: 'users', action: 'a' } }),
    says: "ALL /x: permission 'users.a.delete' is not declared",
  },
  'an unknown role in a group': {
    create: (plugin) =>
      new Elysia().use(plugin).group('/g', { requireRole: 'nobody' }, (inner) => inner.get('/x', open)),
    says: "GET /g/x: role 'nobody' is not declared",
  },
  'an unknown role in a module': {
    create: (plugin) =>
      new Elysia({ prefix: '/api' })
        .use(plugin)
        .use(new Elysia({ prefix: '/v1' }).use(plugin).get('/x', open, { requireRole: 'nobody' })),
    says: "GET /api/v1/x: role 'nobody' is not declared",
  },
  'an unknown role of a WebSocket': {
    create: (plugin) => new Elysia().use(plugin).ws('/x', { requireRole: 'nobody', message() {} }),
    says: "WS /x: role 'nobody' is not declared",
  },
  'an unknown role of a resource': {
    create: (plugin) =>
      new Elysia()
        .use(plugin)
        .use(authorizedResource('page', { load: () => ({}), owner: () => null, roles: ['nobody'] }))
        .get('/x', open, { authorizedPage: true }),
    says: "GET /x: role 'nobody' is not declared",
  },
  'an unknown permission of a resource': {
    create: (plugin) =>
      new Elysia()
        .use(plugin)
        .use(authorizedResource('page', { load: () => ({}), owner: () => null, permission: 'pages.all' }))
        .get('/x', open, { authorizedPage: true }),
    says: "GET /x: permission 'pages.all' is not declared",
  },
  'T20: a constant with all four kinds of hooks': {
    create: (plugin) =>
      new Elysia().use(plugin).post('/x', 'constant', {
        currentUser: true,
        parse: noHook,
        beforeHandle: noHook,
        afterHandle: noHook,
      }),
    says: 'POST /x: a constant cannot be guarded',
  },
  'T20: a constant in a guarded group with hooks': {
    create: (plugin) =>
      new Elysia()
        .use(plugin)
        .onParse(noHook)
        .onBeforeHandle(noHook)
        .onAfterHandle(noHook)
        .group('/g', { currentUser: true }, (inner) => inner.get('/x', 'constant')),
    says: 'GET /g/x: a constant cannot be guarded',
  },
}

describe.each(Object.entries(MISTAKES))('%s', (_, { create, says }) => {
  test('stops the start, naming the route', () => {
    const { plugin, engine } = createTestPlugin()
    create(plugin)
    expect(() => engine.routes.audit()).toThrow(RouteAuditError)
    expect(() => engine.routes.audit()).toThrow(says)
  })

  test('nothing is served', async () => {
    const app = create(createTestPlugin().plugin)
    const { result, log } = await withLog(() =>
      Promise.all(
        ['/x', '/g/x', '/api/v1/x', '/nowhere'].map((path) =>
          handle(app, path, { headers: PRESENT['admin token'] }).catch(() => null),
        ),
      ),
    )
    expect(result.map((answer) => answer?.status ?? 500)).toEqual([500, 500, 500, 500])
    for (const answer of result) expect(answer?.text ?? '').not.toMatch(/open|constant|role|permission|module/)
    expect(log.join('\n')).toContain(says.slice(0, 40).replaceAll('"', '\\"'))
  })
})

test('an app without compiled handlers does not start, and opens nothing', async () => {
  const { plugin, engine } = createTestPlugin(STANDARD, { protect: [{ path: '/api', require: { apiKey: true } }] })
  const app = new Elysia({ aot: false }).use(plugin).get('/x', open, { currentUser: true }).get('/api/x', open)
  expect(() => engine.routes.audit()).toThrow(/this app sets aot: false/)
  const { result } = await withLog(() =>
    Promise.all(['/x', '/api/x'].map((path) => handle(app, path, { headers: PRESENT['user token'] }))),
  )
  expect(result.map(summary)).toEqual(['500 internal_error', '500 internal_error'])
})

test('all mistakes are named at once, each once', () => {
  const { plugin, engine } = createTestPlugin()
  const app = new Elysia().use(plugin)
  app.get('/a', open, { requireRole: 'x' }).get('/b', open, { requireModule: 'y', requirePermission: 'z' })
  app.get('/c', open, { requireRole: ['admin'] })
  try {
    engine.routes.audit()
    expect.unreachable()
  } catch (error) {
    if (!(error instanceof RouteAuditError)) throw error
    expect(error.mistakes.map((mistake) => mistake.split(':')[0])).toEqual(['GET /a', 'GET /b', 'GET /b'])
    expect(error.message.split('\n')).toHaveLength(4)
  }
})

test('roles that are not known yet are not called unknown', () => {
  const knownNames = () => ({ hasRole: null, hasPermission: () => true, hasModule: () => true })
  const { plugin, engine } = createTestPlugin(STANDARD, { knownNames })
  new Elysia().use(plugin).get('/x', open, { requireRole: 'stored' })
  expect(() => engine.routes.audit()).not.toThrow()
})

test('roles that become known are looked at again', async () => {
  let known: ((name: string) => boolean) | null = null
  const knownNames = () => ({ hasRole: known, hasPermission: () => true, hasModule: () => true })
  const { plugin, engine } = createTestPlugin(STANDARD, { knownNames })
  const app = new Elysia().use(plugin).get('/x', open, { requireRole: 'stored' })
  expect(summary(await handle(app, '/x'))).toBe('401 credential_missing')
  known = () => false
  engine.routes.forget()
  const { result } = await withLog(() => handle(app, '/x'))
  expect(summary(result)).toBe('500 internal_error')
  known = () => true
  engine.routes.forget()
  expect(summary(await handle(app, '/x'))).toBe('401 credential_missing')
})

describe('T19: routes that come later are looked at before they answer', () => {
  test('a lazily imported module that is guarded, listening', async () => {
    const { plugin } = createTestPlugin()
    const lazy = Promise.resolve(
      new Elysia().use(plugin).post('/lazy', ({ request }) => request.text(), { currentUser: true }),
    )
    const app = new Elysia().use(plugin).use(lazy)
    await withServer(app, async (origin) => {
      await app.modules
      const body = { method: 'POST', body: 'raw', headers: { 'content-type': 'text/plain' } }
      expect(summary(await ask(`${origin}/lazy`, body))).toBe('401 credential_missing')
      const headers = { ...body.headers, ...PRESENT['user token'] }
      expect((await ask(`${origin}/lazy`, { ...body, headers })).text).toBe('raw')
    })
  })

  test.each([false, true])('a lazily imported module with a mistake (listening: %p)', async (isListening) => {
    const { plugin } = createTestPlugin()
    const lazy = Promise.resolve(new Elysia().use(plugin).get('/lazy', open, { requireRole: 'nobody' }))
    const app = new Elysia().use(plugin).get('/early', open).use(lazy)
    const { result, log } = await withLog(async () => {
      if (!isListening) {
        await app.modules
        return [await handle(app, '/lazy'), await handle(app, '/early')]
      }
      return withServer(app, async (origin) => {
        await app.modules
        return [await ask(`${origin}/lazy`), await ask(`${origin}/early`)]
      })
    })
    expect(result.map(summary)).toEqual(['500 internal_error', '500 internal_error'])
    expect(log[0]).toContain("GET /lazy: role 'nobody' is not declared")
  })

  test('a route added while the app serves', async () => {
    const app = new Elysia().use(createTestPlugin().plugin).get('/early', open)
    expect((await handle(app, '/early')).text).toBe('open')
    app.get('/late', open, { requireRole: 'nobody' })
    const { result } = await withLog(() => handle(app, '/early'))
    expect(summary(result)).toBe('500 internal_error')
  })

  test('a route added while the app serves is served when Elysia is told to, and guarded', async () => {
    const app = new Elysia().use(createTestPlugin().plugin).get('/early', open)
    await withServer(app, async (origin) => {
      expect((await ask(`${origin}/early`)).text).toBe('open')
      app.get('/late', open, { currentUser: true })
      expect((await ask(`${origin}/late`)).status).toBe(404)
      app.compile()
      expect(summary(await ask(`${origin}/late`))).toBe('401 credential_missing')
    })
  })

  test('an app that is served by its fetch alone', async () => {
    const app = new Elysia()
      .use(createTestPlugin().plugin)
      .get('/x', open, { currentUser: true })
      .get('/y', open, { requireRole: 'nobody' })
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch })
    try {
      const { result } = await withLog(() => ask(`http://127.0.0.1:${server.port}/x`))
      expect(summary(result)).toBe('500 internal_error')
    } finally {
      await server.stop(true)
    }
  })
})

describe('precompiled apps', () => {
  const create = (plugin: Plugin) =>
    new Elysia({ precompile: true })
      .use(plugin)
      .get('/get', open, { currentUser: true })
      .post('/post', ({ body }) => JSON.stringify(body), { currentUser: true })
      .post('/unread', open, { currentUser: true })

  test('are guarded', async () => {
    const app = create(createTestPlugin().plugin)
    await withServer(app, async (origin) => {
      for (const [method, path] of [
        ['GET', '/get'],
        ['POST', '/post'],
        ['POST', '/unread'],
      ] as const) {
        const init = { method, ...(method === 'POST' && { body: '{"a":1}' }) }
        const json = { 'content-type': 'application/json' }
        expect(summary(await ask(origin + path, { ...init, headers: json }))).toBe('401 credential_missing')
        const headers = { ...json, ...PRESENT['user token'] }
        expect((await ask(origin + path, { ...init, headers })).text).toBe(path === '/post' ? '{"a":1}' : 'open')
      }
    })
  })

  test('are audited', async () => {
    const app = create(createTestPlugin().plugin).get('/x', open, { requireRole: 'nobody' })
    const { result } = await withLog(() => handle(app, '/get'))
    expect(summary(result)).toBe('500 internal_error')
  })

  test('routes that read the request themselves are refused: Elysia would read their body first', async () => {
    const app = new Elysia({ precompile: true })
      .use(createTestPlugin().plugin)
      .post('/raw', ({ request }) => request.text(), { currentUser: true })
    const headers = { 'content-type': 'application/json', ...PRESENT['user token'] }
    const { result, log } = await withLog(() => handle(app, '/raw', { method: 'POST', body: '{"a":1}', headers }))
    expect(summary(result)).toBe('500 internal_error')
    expect(log.join()).toContain('POST /raw: a guarded route that reads the request itself')
  })
})

test('two apps that share a plugin are both looked at', async () => {
  const { plugin } = createTestPlugin()
  const sound = new Elysia().use(plugin).get('/x', open, { currentUser: true })
  expect(summary(await handle(sound, '/x'))).toBe('401 credential_missing')
  const wrong = new Elysia().use(plugin).get('/x', open, { requireRole: 'nobody' })
  const { result } = await withLog(() => handle(wrong, '/x'))
  expect(summary(result)).toBe('500 internal_error')
})

test('two apps that share a module are both looked at', async () => {
  const { plugin, engine } = createTestPlugin()
  const shared = new Elysia({ name: 'shared' }).use(plugin)
  const wrong = new Elysia().get('/x', open, { requireRole: 'nobody' } as Record<never, never>).use(shared)
  const sound = new Elysia().use(shared).get('/x', open, { currentUser: true })
  expect([wrong, sound]).toHaveLength(2)
  expect(() => engine.routes.audit()).toThrow('GET /x')
})
