/** Every way an answer leaves has the request's id: the caller's when it is well formed, else one that was made. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { join } from 'node:path'
import { Elysia, redirect, t } from 'elysia'
import { MachineAuthError, machineAuth } from '../../src/index.ts'
import { sendRaw } from '../guards/support.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { createTestApp, createTestCore, type TestApp } from '../support/test-app.ts'

const MADE = /^[A-Za-z0-9._-]{8,128}$/
const MINE = 'request-of-mine'

const folder = createDatabaseDirectory('machine-auth-ids')
const file = join(folder, 'served.txt')

/** A server of somebody else's, that answers ids of its own. */
const elsewhere = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: () => new Response('elsewhere', { headers: { 'x-elsewhere': 'yes' } }),
})

async function* numbers() {
  yield 'one'
  await Promise.resolve()
  yield 'two'
}

/** Answers of an app, by how they are made. */
function addAnswers(app: Elysia): void {
  app
    .get('/text', () => 'text')
    .get('/json', () => ({ a: 1 }))
    .get('/nothing', ({ set }) => {
      set.status = 204
    })
    .get('/late', async () => {
      await Promise.resolve()
      return 'late'
    })
    .get('/response', () => new Response('response'))
    .get('/response/late', async () => new Response('response', { headers: { 'x-own': 'yes' } }))
    .get('/static', 'static')
    .get('/static/response', new Response('static'))
    .get('/thrown', () => {
      throw new Response('thrown', { status: 418 })
    })
    .get('/status', ({ status }) => status(418, 'status'))
    .get('/status/thrown', ({ status }) => {
      throw status(418, 'status')
    })
    .get('/proxy', () => fetch(elsewhere.url))
    .get('/redirect', () => redirect('/text'))
    .get('/redirect/native', () => Response.redirect('http://localhost/text', 302))
    .get('/file', () => Bun.file(file))
    .get('/stream', () => numbers())
    .get('/readable', () => new Response(new ReadableStream({ start: (sink) => sink.close() })))
    .get('/form', () => new FormData())
    .get('/fault', () => {
      throw new Error('a fault')
    })
    .get('/fault/frozen', () => {
      throw Object.freeze(new Error('a fault'))
    })
    .get('/fault/late', async () => {
      await Promise.resolve()
      throw new Error('a fault')
    })
    .get('/refused', () => {
      throw new MachineAuthError('not_owner')
    })
    .get('/invalid', () => 'never', { query: t.Object({ n: t.Numeric() }) })
    .post('/body', ({ body }) => body)
    .all('/all', () => new Response('all'))
    .mount('/mounted', () => new Response('mounted'))
    .mount('/mounted/app', new Elysia().get('/x', () => 'mounted').handle)
}

interface Way {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly raw?: string
  readonly status: number
}

const WAYS: readonly Way[] = [
  { path: '/text', status: 200 },
  { path: '/json', status: 200 },
  { path: '/nothing', status: 204 },
  { path: '/late', status: 200 },
  { path: '/response', status: 200 },
  { path: '/response/late', status: 200 },
  { path: '/static', status: 200 },
  { path: '/static/response', status: 200 },
  { path: '/thrown', status: 418 },
  { path: '/status', status: 418 },
  { path: '/status/thrown', status: 418 },
  { path: '/proxy', status: 200 },
  { path: '/redirect', status: 302 },
  { path: '/redirect/native', status: 302 },
  { path: '/file', status: 200 },
  { path: '/stream', status: 200 },
  { path: '/readable', status: 200 },
  { path: '/form', status: 200 },
  { path: '/fault', status: 500 },
  { path: '/fault/frozen', status: 500 },
  { path: '/fault/late', status: 500 },
  { path: '/refused', status: 403 },
  { path: '/invalid', status: 422 },
  { path: '/body', method: 'POST', headers: { 'content-type': 'application/json' }, raw: '{', status: 400 },
  { path: '/all', method: 'DELETE', status: 200 },
  { path: '/mounted', status: 200 },
  { path: '/mounted/app/x', status: 200 },
  { path: '/nowhere', status: 404 },
  { path: '/text', method: 'HEAD', status: 200 },
  { path: '/response', method: 'HEAD', status: 200 },
  { path: '/text', method: 'OPTIONS', status: 404 },
  { path: '/all', method: 'OPTIONS', status: 200 },
  { path: '/open', status: 200 },
  { path: '/key', status: 401 },
  { path: '/key', headers: { 'x-api-key': 'mac_live_wrong' }, status: 401 },
  { path: '/ws', status: 401, headers: { connection: 'upgrade', upgrade: 'websocket' } },
  { path: '/swagger', status: 200 },
  { path: '/swagger/', status: 200 },
  { path: '/swagger/json', status: 200 },
  { path: '/swagger/assets/nothing.js', status: 404 },
  { path: '/.well-known/jwks.json', status: 200 },
  { path: '/auth/health/live', status: 200 },
  { path: '/auth/health/ready', status: 200 },
  { path: '/auth/me', status: 401 },
  { path: '/auth/login', method: 'POST', status: 422 },
  { path: '/auth/nowhere', status: 404 },
]

async function expectId(origin: string, { path, method = 'GET', headers = {}, raw, status }: Way): Promise<void> {
  const send = (more: Readonly<Record<string, string>>) =>
    fetch(origin + path, {
      method,
      headers: { ...headers, ...more },
      redirect: 'manual',
      ...(raw === undefined ? {} : { body: raw }),
    })
  const given = await send({ 'x-request-id': MINE })
  const text = await given.text()
  expect([given.status, given.headers.get('x-request-id')]).toEqual([status, MINE])
  if (given.headers.get('content-type') === 'application/problem+json' && text !== '') {
    expect(JSON.parse(text).requestId).toBe(MINE)
  }
  for (const bad of [{}, { 'x-request-id': 'short' }]) {
    const made = (await send(bad)).headers.get('x-request-id')
    expect(made).toMatch(MADE)
    expect(made).not.toBe('short')
  }
}

describe('an answer has the id of its request', () => {
  let t: TestApp
  beforeAll(async () => {
    await Bun.write(file, 'served')
    t = await createTestApp({ docs: { path: '/swagger' } }, (app) => addAnswers(app as unknown as Elysia))
  })
  afterAll(async () => {
    await t.close()
    await elsewhere.stop(true)
    removeDirectory(folder)
  })

  test.each(WAYS.map((way) => ({ name: `${way.method ?? 'GET'} ${way.path} (${way.status})`, way })))(
    '$name',
    ({ way }) => expectId(t.origin, way),
  )

  test('what was fetched elsewhere keeps its own headers', async () => {
    const answer = await t.ask('/proxy')
    expect(answer.headers.get('x-elsewhere')).toBe('yes')
  })

  test('an asset of the documentation', async () => {
    const page = (await t.ask('/swagger')).text
    const asset = /(?:src|href)="([^"]+\.(?:js|css))"/.exec(page)?.[1] ?? ''
    await expectId(t.origin, { path: new URL(asset, `${t.origin}/swagger/`).pathname, status: 200 })
  })

  test('a request that becomes a WebSocket', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const app = new Elysia().use(machineAuth(t.core)).ws('/socket', {}).listen({ port: 0, hostname: '127.0.0.1' })
    const origin = `http://127.0.0.1:${app.server?.port}`
    const text = `GET /socket HTTP/1.1\r\nHost: localhost\r\n${upgrade}${key}X-Request-Id: ${MINE}\r\n\r\n`
    const answer = await sendRaw(origin, text)
    await app.stop(true)
    expect(answer?.status).toBe(101)
    expect(answer?.text.toLowerCase()).toContain(`x-request-id: ${MINE}`)
  })
})

/** Apps in which something else than a handler answers. */
const APPS: readonly {
  readonly name: string
  readonly options?: Parameters<typeof createTestCore>[0]
  readonly build: (plugin: ReturnType<typeof createPlugin>) => unknown
  readonly path?: string
  readonly status: number
}[] = [
  {
    name: 'a hook before the plugin',
    build: (plugin) => new Elysia().onRequest(() => new Response('early')).use(plugin),
    status: 200,
  },
  {
    name: 'a hook after the plugin',
    build: (plugin) => new Elysia().use(plugin).onRequest(() => new Response('early')),
    status: 200,
  },
  {
    name: 'an error hook with text',
    build: (plugin) =>
      new Elysia()
        .use(plugin)
        .onError(() => 'sorry')
        .get('/x', () => {
          throw new Error('x')
        }),
    status: 500,
  },
  {
    name: 'an error hook with an answer of its own, for a refusal',
    build: (plugin) =>
      new Elysia()
        .use(plugin)
        .onError(() => new Response('sorry', { status: 418 }))
        .get('/x', () => 'x', { apiKey: true }),
    status: 418,
  },
  {
    name: 'an error hook with an answer of its own, for no route',
    build: (plugin) => new Elysia().use(plugin).onError(() => new Response('sorry', { status: 418 })),
    status: 418,
  },
  {
    name: 'an error hook before the plugin',
    build: (plugin) => new Elysia().onError(() => new Response('sorry', { status: 418 })).use(plugin),
    status: 418,
  },
  {
    name: 'onDenied',
    options: { onDenied: () => new Response('denied', { status: 418 }) },
    build: (plugin) => new Elysia().use(plugin).get('/x', () => 'x', { apiKey: true }),
    status: 418,
  },
  {
    name: 'onDenied, later',
    options: { onDenied: async () => new Response('denied', { status: 418 }) },
    build: (plugin) => new Elysia().use(plugin).get('/x', () => 'x', { apiKey: true }),
    status: 418,
  },
  {
    name: 'onDenied, to a rule',
    options: {
      onDenied: () => new Response('denied', { status: 418 }),
      protect: [{ path: '/x', require: { apiKey: true } }],
    },
    build: (plugin) => new Elysia().use(plugin),
    status: 418,
  },
  {
    name: 'a rule',
    options: { protect: [{ path: '/x', require: { apiKey: true } }] },
    build: (plugin) => new Elysia().use(plugin),
    status: 401,
  },
  {
    name: 'the default limit',
    options: { rateLimit: { default: { limit: 1, window: '1h', by: () => 'all', cost: 1 } } },
    build: (plugin) => new Elysia().use(plugin),
    path: '/limited',
    status: 429,
  },
  {
    name: 'routes that are not guarded as they say',
    build: (plugin) => new Elysia().use(plugin).get('/x', () => 'x', { requireRole: 'nobody-has-it' } as object),
    status: 500,
  },
  {
    name: 'an app that puts an answer of its own in place of what a handler says',
    build: (plugin) =>
      new Elysia()
        .use(plugin)
        .mapResponse(() => new Response('mapped'))
        .get('/x', () => 'x'),
    status: 200,
  },
]

function createPlugin(core: ReturnType<typeof createTestCore>['core']) {
  return machineAuth(core)
}

describe('whoever answers', () => {
  test.each(APPS.map((row) => ({ ...row })))('$name', async ({ options = {}, build, path = '/x', status }) => {
    // Faults are logged, and one of these apps has them on purpose.
    using _ = spyOn(console, 'error').mockImplementation(() => undefined)
    const { core } = createTestCore(options)
    await core.ready
    const app = build(createPlugin(core)) as Elysia
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: app.fetch })
    const origin = `http://127.0.0.1:${server.port}`
    if (status === 429) await fetch(origin + path)
    await expectId(origin, { path, status })
    await server.stop(true)
    await core.close()
  })

  test('a block of the address', async () => {
    await using t = await createTestApp()
    await t.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    await expectId(t.origin, { path: '/open', status: 403 })
  })
})
