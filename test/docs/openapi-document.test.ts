/** Which routes the document has, and what it makes of them. */
import { describe, expect, test } from 'bun:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Elysia, t } from 'elysia'
import { createDocs } from '../../src/docs/plugin.ts'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { createDocumented, fetchDocument, operationOf, SETTINGS, schemaOf } from './openapi-support.ts'

const post = authorizedResource('post', { load: () => ({}), owner: () => 'user_alice' })

describe('the document', () => {
  test('is valid OpenAPI 3.1 for an app with every guard and every kind of route', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .use(post)
      .model({ Post: t.Object({ title: t.String(), replies: t.Array(t.Ref('Post')) }), 'a/b': t.String() })
      .get('/key', () => 'ok', { apiKey: { permissions: ['users.view'] } })
      .get('/token', () => 'ok', { bearerToken: true, apiKey: true })
      .get('/session', () => 'ok', { session: true })
      .get('/user/:id?', () => 'ok', { currentUser: true, params: t.Object({ id: t.Optional(t.Numeric()) }) })
      .get('/optional', () => 'ok', { optionalUser: true, query: t.Object({ since: t.Optional(t.Date()) }) })
      .post('/role', () => ({ title: '', replies: [] }), { requireRole: 'admin', body: 'Post', response: 'Post' })
      .put('/permission', () => 'ok', { requirePermission: { any: ['users.view'] }, body: t.Tuple([t.String()]) })
      .get('/module', () => 'ok', { requireModule: 'users' })
      .get('/master', () => 'ok', { masterKey: true })
      .post('/posts/:id/files', () => new Response(), {
        authorizedPost: true,
        body: t.Object({ file: t.File(), when: t.Date(), big: t.BigInt(), tree: t.Recursive((self) => t.Array(self)) }),
        response: { 200: t.Union([t.Null(), t.Array(t.String())]), 204: t.Void(), 409: t.Literal('taken') },
      })
      .all('/all', () => 'ok', { public: true, body: t.String() })
      .ws('/ws', { currentUser: true, body: t.String(), message: () => undefined })
      .get('/limited', () => 'ok', { rateLimit: [{ limit: 5, window: '1m', lockout: '1h' }, { concurrent: 2 }] })
      .get('/files/*', () => 'ok')
      .get('/.well-known/thing.json', () => 'ok', { detail: { tags: ['Things'], responses: { 200: {} as never } } })
    const document = await fetchDocument(app)
    expect(await new Validator().validate(document as never)).toEqual({ valid: true })
    expect(document.openapi).toBe('3.1.0')
    expect(Object.keys(document.paths)).toContainEqual('/.well-known/thing.json')
    expect(JSON.stringify(document)).not.toContain('$id')
    for (const [, name] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]*)"/g)) {
      expect(Object.keys(document.components.schemas)).toContain(name ?? '')
    }
    const shared = JSON.stringify(document).matchAll(/"#\/components\/responses\/([^"]*)"/g)
    expect([...new Set([...shared].map(([, name]) => name))]).toEqual(Object.keys(document.components.responses ?? {}))
  })

  test('has the title that the settings give', async () => {
    const app = new Elysia().use(createDocumented({ info: { title: 'Blog', description: 'Posts.' } }))
    expect((await fetchDocument(app)).info).toEqual({ title: 'Blog', version: '0.0.0', description: 'Posts.' })
  })

  test('has the routes of later plugins, and none of its own or hidden', async () => {
    const later = new Elysia({ prefix: '/later' }).get('/', () => 'ok').get('/x', () => 'ok')
    const app = new Elysia()
      .use(createDocumented())
      .get('/hidden', () => 'ok', { detail: { hide: true } })
      .use(later)
    expect(Object.keys((await fetchDocument(app)).paths)).toEqual(['/later/', '/later/x'])
  })

  test('is under the prefix of the app, with the paths as they are requested', async () => {
    const app = new Elysia({ prefix: '/api/v1' }).use(createDocumented({ path: '/docs/' })).get('/x', () => 'ok')
    expect(Object.keys((await fetchDocument(app, '/api/v1/docs/json')).paths)).toEqual(['/api/v1/x'])
  })

  test('is kept until there are more routes', async () => {
    const detail = { summary: 'Before' }
    const app = new Elysia().use(createDocumented()).get('/x', () => 'ok', { detail })
    expect(operationOf(await fetchDocument(app), 'get', '/x').summary).toBe('Before')
    detail.summary = 'After'
    expect(operationOf(await fetchDocument(app), 'get', '/x').summary).toBe('Before')
    app.get('/y', () => 'ok')
    const renewed = await fetchDocument(app)
    expect(operationOf(renewed, 'get', '/x').summary).toBe('After')
    expect(Object.keys(renewed.paths)).toEqual(['/x', '/y'])
  })

  test('describes the app that is asked when several share the plugin', async () => {
    const plugin = createDocumented()
    const first = new Elysia().use(plugin).get('/first', () => 'ok')
    const second = new Elysia().use(plugin).get('/second', () => 'ok')
    expect(Object.keys((await fetchDocument(first)).paths)).toEqual(['/first'])
    expect(Object.keys((await fetchDocument(second)).paths)).toEqual(['/second'])
  })

  test('is at one place when modules with prefixes use the plugin too', async () => {
    const plugin = createDocumented().get('/auth/me', () => 'ok', { currentUser: true })
    const posts = new Elysia({ prefix: '/posts' }).use(plugin).get('/new', () => 'ok', { currentUser: true })
    const app = new Elysia().use(plugin).use(posts)
    expect(Object.keys((await fetchDocument(app)).paths)).toEqual(['/auth/me', '/posts/new'])
    for (const path of ['/posts/swagger', '/posts/swagger/json', '/posts/swagger/assets/swagger-ui.css']) {
      expect((await app.handle(new Request(`http://localhost${path}`))).status).toBe(404)
    }
  })

  test('is not there when it is switched off', async () => {
    const app = new Elysia().use(createDocumented(false)).get('/x', () => 'ok')
    for (const path of ['/swagger', '/swagger/json', '/swagger/assets/swagger-ui.css']) {
      expect((await app.handle(new Request(`http://localhost${path}`))).status).toBe(404)
    }
  })

  test('is refused by the rule of the app that protects it', async () => {
    const { plugin, engine } = createTestPlugin(undefined, {
      protect: [{ path: '/swagger', require: { masterKey: true } }],
    })
    createDocs(SETTINGS, () => engine.apps.roots())(plugin)
    const app = new Elysia().use(plugin)
    for (const path of ['/swagger', '/swagger/json', '/swagger/assets/swagger-ui.css']) {
      expect((await app.handle(new Request(`http://localhost${path}`))).status).toBe(401)
    }
  })
})

describe('operations', () => {
  test('of one path are together, and parameters are in the path’s template', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .get('/posts/:id', () => 'ok', { params: t.Object({ id: t.Numeric({ description: 'Of a post.' }) }) })
      .put('/posts/:postId', () => 'ok', { params: t.Object({ postId: t.String({ maxLength: 9 }) }) })
      .delete('/posts/:id', () => 'ok')
    const document = await fetchDocument(app)
    expect(Object.keys(document.paths)).toEqual(['/posts/{id}'])
    expect(Object.keys(document.paths['/posts/{id}'] ?? {})).toEqual(['get', 'put', 'delete'])
    const parameters = ['get', 'put', 'delete'].map((method) => operationOf(document, method, '/posts/{id}').parameters)
    const common = { in: 'path', name: 'id', required: true }
    expect(parameters).toEqual([
      [{ ...common, description: 'Of a post.', schema: { type: 'number' } }],
      [{ ...common, schema: { type: 'string', maxLength: 9 } }],
      [{ ...common, schema: { type: 'string' } }],
    ])
  })

  test('of an optional parameter have two paths, of which a route of its own wins', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .get('/posts/:id?', () => 'ok', { params: t.Object({ id: t.Optional(t.String()) }) })
      .get('/pages/:id?', () => 'ok')
      .get('/pages', () => 'ok', { detail: { summary: 'All' } })
      .get('/tags', () => 'ok', { detail: { summary: 'All' } })
      .get('/tags/:id?', () => 'ok')
    const document = await fetchDocument(app)
    expect(Object.keys(document.paths)).toEqual([
      '/posts/{id}',
      '/posts',
      '/pages/{id}',
      '/pages',
      '/tags',
      '/tags/{id}',
    ])
    expect(operationOf(document, 'get', '/posts/{id}').parameters).toHaveLength(1)
    expect(operationOf(document, 'get', '/posts').parameters).toBeUndefined()
    expect(operationOf(document, 'get', '/pages').summary).toBe('All')
    expect(operationOf(document, 'get', '/tags').summary).toBe('All')
  })

  test('of a WebSocket are its upgrade, with its guard and without its messages', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .ws('/ws', { currentUser: true, body: t.String(), response: t.String(), message: () => undefined })
      .ws('/both', { message: () => undefined })
      .get('/both', () => 'ok')
      .get('/other', () => 'ok')
      .ws('/other', { message: () => undefined })
    const document = await fetchDocument(app)
    const upgrade = operationOf(document, 'get', '/ws')
    expect(Object.keys(upgrade.responses ?? {})).toEqual(['101', '400', '401', '403', '429', '503'])
    expect(upgrade.description).toBe('Opens a WebSocket: a request with `Upgrade: websocket`.\n\nRequires a user.')
    expect(upgrade.requestBody).toBeUndefined()
    expect(upgrade.security).toHaveLength(3)
    expect(upgrade['x-websocket']).toBe(true)
    for (const path of ['/both', '/other']) expect(operationOf(document, 'get', path)['x-websocket']).toBeUndefined()
  })

  test('of `.all` are the usual methods, of which a route of its own wins; each has its module permission', async () => {
    const app = new Elysia()
      .use(
        createDocumented(
          {},
          { knownNames: () => ({ hasRole: null, hasModule: () => true, hasPermission: () => true }) },
        ),
      )
      .all('/users', () => 'ok', { requireModule: 'users', body: t.String() })
      .post('/users', () => 'ok', { public: true })
    const document = await fetchDocument(app)
    const operations = document.paths['/users'] ?? {}
    expect(Object.keys(operations)).toEqual(['get', 'post', 'put', 'patch', 'delete'])
    expect(operations.post?.security).toEqual([])
    expect(operations.get?.requestBody).toBeUndefined()
    expect(operations.put?.requestBody).toBeDefined()
    const permissions = ['get', 'put', 'delete'].map((method) => operations[method]?.['x-required-permissions'])
    expect(permissions).toEqual([['users.view'], ['users.update'], ['users.delete']])
  })

  test('have ids that no other has', async () => {
    const detail = { operationId: 'same' }
    const app = new Elysia()
      .use(createDocumented())
      .get('/a', () => 'ok', { detail })
      .get('/b', () => 'ok', { detail })
      .get('/c.d', () => 'ok')
    const { paths } = await fetchDocument(app)
    expect(Object.values(paths).map(({ get }) => get?.operationId)).toEqual(['same', 'same_2', 'getC_d'])
  })

  test('keep the description and the responses that the route gives', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .get('/x', () => ({ ok: true }), {
        requireRole: 'admin',
        detail: { description: 'Mine.' },
        response: { 200: t.Object({ ok: t.Boolean() }), 401: t.Object({ mine: t.String() }) },
      })
      .get('/y', () => 'ok', { requireRole: 'admin', detail: { responses: { 200: { description: 'Fine.' } } } })
    const document = await fetchDocument(app)
    const x = operationOf(document, 'get', '/x')
    expect(x.description).toBe('Mine.\n\nRequires role `admin`.')
    expect(schemaOf(x, 200)).toMatchObject({ properties: { ok: { type: 'boolean' } } })
    expect(schemaOf(x, 401)).toMatchObject({ properties: { mine: { type: 'string' } } })
    expect(schemaOf(x, 403)).toEqual({ $ref: '#/components/schemas/Problem403' })
    const y = operationOf(document, 'get', '/y').responses
    expect([y?.[200]?.description, Object.keys(y ?? {})]).toEqual(['Fine.', ['200', '400', '401', '403', '429', '503']])
  })

  test('have the refusals that the route names', async () => {
    const refusals = { 'x-problems': [401, 429] }
    const app = new Elysia()
      .use(createDocumented())
      .post('/login', () => 'ok', { detail: { summary: 'Log in', ...refusals } })
    const login = operationOf(await fetchDocument(app), 'post', '/login')
    expect(Object.keys(login.responses ?? {})).toEqual(['200', '401', '429'])
    expect(schemaOf(login, 429)).toEqual({ $ref: '#/components/schemas/Problem429' })
    expect(Object.keys(login)).not.toContain('x-problems')
    expect(login.security).toBeUndefined()
  })

  test.each([
    [400, 'Malformed, for example two credentials of one kind, or a body that is not JSON.', 'request_malformed', []],
    [413, 'The body is larger than this takes.', 'body_too_large', []],
    [429, 'Too many requests or attempts. `Retry-After` says when to try again.', 'locked_out', ['Retry-After']],
  ])('say what a refusal with %i means', async (status, description, code, headers) => {
    const app = new Elysia()
      .use(createDocumented())
      .post('/x', () => 'ok', { detail: { 'x-problems': [status] } as object })
    const refusal = operationOf(await fetchDocument(app), 'post', '/x').responses?.[status]
    expect(refusal?.description).toBe(description)
    expect(Object.keys(refusal?.headers ?? {})).toEqual(headers)
    expect(refusal?.content?.['application/problem+json']?.example).toMatchObject({ status, code })
  })

  test('leave an app its own schema of the name Problem', async () => {
    const app = new Elysia()
      .use(createDocumented())
      .model({ Problem: t.Object({ mine: t.String() }) })
      .get('/x', () => 'ok', { session: true })
    const document = await fetchDocument(app)
    expect(document.components.schemas.Problem).toMatchObject({ properties: { mine: { type: 'string' } } })
    expect(schemaOf(operationOf(document, 'get', '/x'), 401)).toEqual({
      $ref: '#/components/schemas/MachineAuthProblem401',
    })
  })

  test('say what a `protect` rule demands of them, besides their own guards and unless they are public', async () => {
    const app = new Elysia()
      .use(createDocumented({ protect: [{ path: '/api/*', require: { requireRole: 'admin' } }] }))
      .get('/api/x', () => 'ok')
      .get('/api/same', () => 'ok', { requireRole: 'admin' })
      .get('/api/open', () => 'ok', { public: true })
      .get('/apix', () => 'ok')
    const { paths } = await fetchDocument(app)
    expect(paths['/api/x']?.get?.description).toBe('Requires role `admin`.')
    expect(paths['/api/x']?.get?.security).toHaveLength(3)
    expect(paths['/api/same']?.get?.description).toBe('Requires role `admin`.')
    expect(paths['/api/open']?.get?.security).toEqual([])
    expect(paths['/apix']?.get?.security).toBeUndefined()
  })
})
