/** `public: true` takes its own route out of a `protect` rule, and no other. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import fc from 'fast-check'
import { createPublicPaths, matchesPattern } from '../../src/guards/public-paths.ts'
import { createTestPlugin, STANDARD, withServer } from '../support/guarded-app.ts'
import { handle, openSocket, PRESENT, sendRaw, summary, upgradeRequest } from './support.ts'

const open = () => 'open'
const PUBLIC = { public: true } as const

function createPlugin() {
  return createTestPlugin(STANDARD, { protect: [{ path: '/api', require: { apiKey: true } }] }).plugin
}

interface Case {
  readonly app: { handle: (request: Request) => Promise<Response>; listen: unknown }
  /** What each path answers without a credential. */
  readonly expected: Readonly<Record<string, string>>
}

const REFUSED = '401 credential_missing'

function inModule(plugin: ReturnType<typeof createPlugin>) {
  return new Elysia().use(plugin).use(new Elysia({ prefix: '/api/docs' }).use(plugin).get('/json', open, PUBLIC))
}

const CASES: Readonly<Record<string, Case>> = {
  'a static route': {
    app: new Elysia().use(createPlugin()).get('/api/login', open, PUBLIC).get('/api/me', open),
    expected: {
      'GET /api/login': '200',
      'GET /api/login/': '200',
      'GET /api/login?x=/api/me': '200',
      'HEAD /api/login': '200',
      'POST /api/login': REFUSED,
      'GET /api/login/x': REFUSED,
      'GET /api/LOGIN': REFUSED,
      'GET /api/me': REFUSED,
      'GET /api': REFUSED,
      'GET /api/log%69n': REFUSED,
    },
  },
  'a dynamic route': {
    app: new Elysia().use(createPlugin()).get('/api/pages/:id', open, PUBLIC).get('/api/pages/secret', open),
    expected: {
      'GET /api/pages/1': '200',
      'GET /api/pages/1/': '200',
      'GET /api/pages/secret': REFUSED,
      'GET /api/pages/secret/': REFUSED,
      'GET /api/pages': REFUSED,
      'GET /api/pages/1/2': REFUSED,
      'PUT /api/pages/1': REFUSED,
    },
  },
  'a static route beside guarded patterns': {
    app: new Elysia().use(createPlugin()).get('/api/:id', open).get('/api/*', open).get('/api/about', open, PUBLIC),
    expected: { 'GET /api/about': '200', 'GET /api/x': REFUSED, 'GET /api/about/x': REFUSED },
  },
  'a pattern beside a guarded pattern': {
    app: new Elysia().use(createPlugin()).get('/api/a/:id', open, PUBLIC).get('/api/:name/b', open),
    expected: { 'GET /api/a/c': '200', 'GET /api/c/b': REFUSED, 'GET /api/a/b': REFUSED },
  },
  'a wildcard': {
    app: new Elysia().use(createPlugin()).get('/api/assets/*', open, PUBLIC).get('/api/assets/private/*', open),
    expected: {
      'GET /api/assets/a.css': '200',
      'GET /api/assets/a/b/c': '200',
      'GET /api/assets/private/x': REFUSED,
      'GET /api/assets/../me': REFUSED,
      'GET /api/me': REFUSED,
    },
  },
  'an optional parameter': {
    app: new Elysia().use(createPlugin()).get('/api/list/:page?', open, PUBLIC),
    expected: { 'GET /api/list': '200', 'GET /api/list/1': '200', 'GET /api/list/1/2': REFUSED },
  },
  'all methods': {
    app: new Elysia().use(createPlugin()).all('/api/hook', open, PUBLIC).delete('/api/hook', open),
    expected: { 'GET /api/hook': '200', 'PATCH /api/hook': '200', 'DELETE /api/hook': REFUSED },
  },
  'a group': {
    app: new Elysia()
      .use(createPlugin())
      .group('/api/public', PUBLIC, (inner) => inner.get('', open).get('/x', open))
      .group('/api/private', (inner) => inner.get('', open)),
    expected: { 'GET /api/public': '200', 'GET /api/public/x': '200', 'GET /api/private': REFUSED },
  },
  'a module': {
    app: inModule(createPlugin()),
    expected: { 'GET /api/docs/json': '200', 'GET /api/docs': REFUSED },
  },
  'an app under a prefix': {
    app: new Elysia({ prefix: '/api' }).use(createPlugin()).get('/login', open, PUBLIC).get('/me', open),
    expected: { 'GET /api/login': '200', 'GET /api/me': REFUSED, 'GET /login': '404' },
  },
  'a strict app, where a slash leads elsewhere': {
    app: new Elysia({ strictPath: true }).use(createPlugin()).get('/api/login', open, PUBLIC).get('/api/*', open),
    expected: { 'GET /api/login': '200', 'GET /api/login/': REFUSED, 'GET /api/x': REFUSED },
  },
  'a guarded route that says public': {
    app: new Elysia().use(createPlugin()).get('/api/me', open, { public: true, currentUser: true }),
    expected: { 'GET /api/me': REFUSED },
  },
}

describe.each(Object.entries(CASES))('%s', (_, { app, expected }) => {
  test.each(Object.entries(expected))('%s: %s', async (line, outcome) => {
    const [method = '', path = ''] = line.split(' ')
    expect((await handle(app, path, { method })).status).toBe(Number(outcome.slice(0, 3)))
  })

  test('the same through a socket', async () => {
    await withServer(app, async (origin) => {
      for (const [line, outcome] of Object.entries(expected)) {
        const [method = '', path = ''] = line.split(' ')
        const answer = await sendRaw(
          origin,
          `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n`,
        )
        expect(`${line}: ${answer?.status}`).toBe(`${line}: ${outcome.slice(0, 3)}`)
      }
    })
  })
})

test('a Host that moves the path does not make another route public', async () => {
  const app = new Elysia()
    .use(createPlugin())
    .get('/api/login', open, PUBLIC)
    .get('/api/secret', () => 'secret')
    .get('/login/api/secret', () => 'mine', PUBLIC)
  await withServer(app, async (origin) => {
    for (const path of [
      '/api/login?/api/secret',
      '/login/api/secret',
      '/api/login/../secret',
      '/aaaaaaaa/api/secret',
    ]) {
      for (const host of ['x', '', 'localhost']) {
        const answer = await sendRaw(origin, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
        expect(answer?.text ?? '').not.toContain('secret')
      }
    }
  })
})

test('a WebSocket may be public, and is not for being beside a public route', async () => {
  const handlers = { message() {}, open: (ws: { send: (text: string) => unknown }) => void ws.send('open') }
  const app = new Elysia()
    .use(createPlugin())
    .ws('/api/live', { public: true, ...handlers })
    .ws('/api/both', handlers)
    .get('/api/both', open, PUBLIC)
  await withServer(app, async (origin) => {
    expect(await openSocket(origin, '/api/live')).toBe('open')
    expect(await openSocket(origin, '/api/both')).toBeNull()
    expect((await sendRaw(origin, upgradeRequest('/api/both')))?.status).toBe(401)
    expect(await openSocket(origin, '/api/both', PRESENT.key)).toBe('open')
  })
})

test('public routes demand nothing and say nothing of credentials', async () => {
  const app = new Elysia().use(createPlugin()).get('/api/x', ({ auth }) => auth.principal === null, PUBLIC)
  for (const headers of [PRESENT.nothing, PRESENT['wrong key'], PRESENT['two tokens'], PRESENT['stale session']]) {
    expect((await handle(app, '/api/x', { headers })).text).toBe('true')
  }
})

test('routes that come later are exempt, too, and later guarded ones are not', async () => {
  const app = new Elysia().use(createPlugin()).get('/api/a/:id', open, PUBLIC)
  expect((await handle(app, '/api/a/b')).text).toBe('open')
  app.get('/api/a/b', open)
  expect(summary(await handle(app, '/api/a/b'))).toBe(REFUSED)
})

describe('matchesPattern', () => {
  test.each([
    ['/a', '/a', true],
    ['/a', '/a/', true],
    ['/a/', '/a', false],
    ['/a', '/a/b', false],
    ['/a', '/A', false],
    ['/a', '/', false],
    ['/', '/', true],
    ['/:id', '/x', true],
    ['/:id', '/', false],
    ['/:id', '//', false],
    ['/:id/b', '/x/b', true],
    ['/:id/b', '/x/c', false],
    ['/a/:id?', '/a', true],
    ['/a/:id?', '/a/x', true],
    ['/a/:id?', '/a/x/y', false],
    ['/a/:id?/b', '/a', false],
    ['/a/*', '/a/x/y', true],
    ['/a/*', '/a/', true],
    ['/a/*', '/b/x', false],
    ['/*', '/anything/at/all', true],
    ['*', '/x', false],
  ])('%s and %s: %p', (pattern, path, expected) => {
    expect(matchesPattern(pattern, path)).toBe(expected)
  })

  test('never takes a path to be public where a route that is not public matches it exactly', () => {
    const segment = fc.constantFrom('a', 'b', 'c', 'd')
    const part = fc.oneof(segment, fc.constantFrom(':id', ':other', '*'))
    const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
    const exact = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), exact, (patterns, path) => {
        const isPublic = createPublicPaths([
          ...patterns.map((each) => ({ method: 'GET', path: each, guards: [], limits: [], isPublic: true })),
          { method: 'GET', path, guards: [], limits: [], isPublic: false },
        ])
        expect(isPublic('GET', path)).toBe(false)
      }),
    )
  })

  test('agrees with Elysia on which route answers, or protects', async () => {
    const segment = fc.constantFrom('a', 'b', 'c')
    const part = fc.oneof(segment, fc.constantFrom(':id', '*'))
    const pattern = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => `/api/${parts.join('/')}`)
    const path = fc
      .array(fc.oneof(segment, fc.constantFrom('d', '%61', '')), { minLength: 1, maxLength: 4 })
      .map((parts) => `/api/${parts.join('/')}`)
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.record({ path: pattern, isPublic: fc.boolean() }), {
          selector: (route) => route.path,
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(path, { minLength: 1, maxLength: 6 }),
        async (routes, paths) => {
          const app = new Elysia().use(createPlugin())
          for (const route of routes) {
            if (route.isPublic) app.get(route.path, () => 'public', PUBLIC)
            else app.get(route.path, () => 'protected')
          }
          for (const each of paths) expect((await handle(app, each)).text).not.toBe('protected')
        },
      ),
      { numRuns: 150 },
    )
  })
})
