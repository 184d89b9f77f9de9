/** `rateLimit.default`: one limit for everything, that no cheap request slips past. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { askTimes, type Extend, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { addKey, askServer, createTestApp, createTestCore, type Question, type TestApp } from '../support/test-app.ts'
import { handle, sendRaw, unfinishedUpload, upgradeRequest } from './support.ts'

const open = () => 'open'
const OWN = { limit: 2, window: '1m', name: 'own' } as const

/** Routes with limits of their own, in place of the default one, and some without. */
const routes: Extend = (app) =>
  app
    .get('/', open, { rateLimit: OWN })
    .get('/own', open, { rateLimit: OWN })
    .get('/own/item/:id', open, { rateLimit: OWN })
    .get('/own/files/*', open, { rateLimit: OWN })
    .get('/own/maybe/:id?', open, { rateLimit: OWN })
    .get('/own/key', open, { apiKey: true, rateLimit: OWN })
    .get('/ruled/own', open, { rateLimit: OWN })
    .ws('/own/ws', { rateLimit: OWN, message: () => undefined })
    .guard({ rateLimit: OWN }, (inner) => inner.mount('/own/mounted', () => new Response('mounted')))
    .get('/free/:id', open)
    .get('/constant', 'constant')
    .post('/json', ({ body }) => JSON.stringify(body))
    .post('/raw', ({ request }) => request.text())

/** Three requests a minute, from every address. */
const DEFAULT = { limit: 3, window: '1m', name: 'default' } as const
const OPTIONS = {
  ...PROXIED,
  rateLimit: { default: DEFAULT },
  protect: [{ path: '/ruled', require: { apiKey: true } }],
} as const

const t = await createTestApp(OPTIONS, routes)
afterAll(t.close)

let addresses = 0
/** An address that nobody has come from yet. */
function newcomer() {
  addresses += 1
  return from(`10.5.${addresses >> 8}.${addresses & 255}`)
}

type Junk = readonly [name: string, path: string, question?: Question]

/** Rows of one length: Bun takes a parameter that a row does not have for a callback. */
const fill = (rows: readonly Junk[]) => rows.map(([name, path, question = {}]) => [name, path, question] as const)

const JUNK: readonly Junk[] = [
  ['a route', '/open'],
  ['HEAD', '/open', { method: 'HEAD' }],
  ['OPTIONS', '/open', { method: 'OPTIONS' }],
  ['a method that nothing has', '/open', { method: 'PROPFIND' }],
  ['a slash at the end', '/open/'],
  ['a slash twice', '//open'],
  ['other case', '/OPEN'],
  ['a query', '/open?x=1'],
  ['an unknown path', '/nowhere'],
  ['another unknown path', '/nowhere/else'],
  ['a constant', '/constant'],
  ['malformed JSON', '/json', { raw: '{' }],
  ['a body of no known type', '/json', { raw: 'x', headers: { 'content-type': 'x/y' } }],
  ['a guard that refuses', '/key'],
  ['a wrong credential', '/key', { headers: { 'x-api-key': 'wrong' } }],
  ['two credentials of one kind', '/key', { headers: { 'x-api-key': 'a, b' } }],
  ['a rule that refuses', '/ruled/anything'],
  ['an endpoint of ours', '/auth/me'],
  ['management', '/auth/keys'],
  ['an unknown path of ours', '/auth/nowhere'],
  ['a path with a wrong escape', '/free/%zz'],
  ['a very long path', `/${'x'.repeat(5000)}`],
]

describe('the default limit', () => {
  test('counts each of these, and all of them together', async () => {
    await using app = await createTestApp({ ...OPTIONS, rateLimit: { default: { ...DEFAULT, limit: 1000 } } }, routes)
    const left: unknown[] = []
    for (const [, path, question] of JUNK) left.push(remainingOf(await app.ask(path, question)).default)
    expect(left).toEqual(JUNK.map((_, index) => 999 - index))
  })

  test.each(fill(JUNK))('refuses when it is used up, and no other address: %s', async (_, path, question) => {
    const headers = newcomer()
    const ask = async (address: typeof headers) =>
      (await t.ask(path, { ...question, headers: { ...question.headers, ...address } })).status
    expect(await askTimes(t, 3, '/open', { headers })).toEqual(['200', '200', '200'])
    expect([await ask(headers), await ask(headers)]).toEqual([429, 429])
    expect(await ask(newcomer())).not.toBe(429)
  })

  test('refuses an upload before any of it is read', async () => {
    const headers = newcomer()
    await askTimes(t, 3, '/open', { headers })
    for (const path of ['/json', '/raw', '/nowhere', '/key']) {
      const upload = unfinishedUpload('POST', path, { 'Content-Type': 'application/json', ...headers })
      expect((await sendRaw(t.origin, upload))?.status).toBe(429)
    }
  })

  test('counts and refuses the upgrade of a WebSocket, once', async () => {
    const request = upgradeRequest('/ws', newcomer())
    const statuses: (number | undefined)[] = []
    for (let time = 0; time < 4; time += 1) statuses.push((await sendRaw(t.origin, request))?.status)
    expect(statuses).toEqual([401, 401, 401, 429])
  })

  test('counts what does not come over a socket as one client', async () => {
    const statuses: number[] = []
    for (const path of ['/open', '/nowhere', '/constant', '/open', '/key']) {
      statuses.push((await handle(t.app, path, { headers: newcomer() })).status)
    }
    expect(statuses).toEqual([200, 404, 200, 429, 429])
  })

  test('of scope path stops the start: tried path by path it would be none', async () => {
    const options = { rateLimit: { default: { limit: 1, window: '1m', scope: 'path' } } } as const
    await expect(createTestApp(options)).rejects.toThrow('rateLimit.default')
  })

  test('may be several: a request counts for all or for none', async () => {
    const limits = [
      { limit: 1, window: '1s', name: 'burst' },
      { limit: 2, window: '1m', name: 'long' },
    ]
    await using t = await createTestApp({ rateLimit: { default: limits } })
    const left = async () => remainingOf(await t.ask('/nowhere'))
    expect([await left(), await left(), await left()]).toEqual([
      { burst: 0, long: 1 },
      { burst: 0, long: 1 },
      { burst: 0, long: 1 },
    ])
    t.time.now += 1000
    expect(await left()).toEqual({ burst: 0, long: 0 })
    t.time.now += 1000
    const refused = await t.ask('/nowhere')
    expect([refused.said, remainingOf(refused)]).toEqual([LIMITED, { burst: 1, long: 0 }])
  })

  test('may count by key, and by address where there is none', async () => {
    await using t = await createTestApp({
      ...PROXIED,
      rateLimit: { default: { limit: 1, window: '1m', by: 'apiKey' } },
    })
    const [one, two] = [await addKey(t), await addKey(t)]
    for (const headers of [one.headers, two.headers, {}]) {
      expect(await askTimes(t, 2, '/open', { headers: { ...from('10.0.0.1'), ...headers } })).toEqual(['200', LIMITED])
    }
    expect(await askTimes(t, 1, '/key', { headers: { ...from('10.0.0.2'), ...one.headers } })).toEqual([LIMITED])
    // Who makes up keys stays what his address is.
    for (const wrong of ['a', 'b', one.rawKey.replace(/.$/, '#')]) {
      expect((await t.ask('/open', { headers: { ...from('10.0.0.1'), 'x-api-key': wrong } })).said).toBe(LIMITED)
    }
  })
})

describe('a route with a limit of its own', () => {
  test('counts for that one alone', async () => {
    const headers = newcomer()
    expect(remainingOf(await t.ask('/own', { headers }))).toEqual({ own: 1 })
    expect(remainingOf(await t.ask('/own', { headers }))).toEqual({ own: 0 })
    expect((await t.ask('/own', { headers })).said).toBe(LIMITED)
    expect(remainingOf(await t.ask('/open', { headers }))).toEqual({ default: 2 })
    expect(await askTimes(t, 3, '/nowhere', { headers })).toEqual(['404 not_found', '404 not_found', LIMITED])
    expect(await askTimes(t, 1, '/own/item/1', { headers })).toEqual(['200'])
  })

  /** Whatever it is: whoever sends it again and again is refused in the end. */
  async function expectLimited(ask: TestApp['ask'], path: string, question: Question): Promise<void> {
    const headers = { ...question.headers, ...newcomer() }
    const statuses: number[] = []
    for (let time = 0; time < 6; time += 1) statuses.push((await ask(path, { ...question, headers })).status)
    expect(statuses.slice(-2)).toEqual([429, 429])
  }

  const NEAR: readonly Junk[] = [
    ['the route', '/own'],
    ['its HEAD', '/own', { method: 'HEAD' }],
    ['another method', '/own', { method: 'POST' }],
    ['OPTIONS', '/own', { method: 'OPTIONS' }],
    ['a slash at the end', '/own/'],
    ['a slash twice', '//own'],
    ['two slashes at the end', '/own//'],
    ['other case', '/OWN'],
    ['a path below it', '/own/below/it'],
    ['a parameter', '/own/item/1'],
    ['a parameter and a slash', '/own/item/1/'],
    ['no parameter', '/own/item'],
    ['an empty parameter', '/own/item/'],
    ['a parameter with a wrong escape', '/own/item/%zz'],
    ['a parameter with a slash in it', '/own/item/a%2fb'],
    ['one segment too many', '/own/item/1/2'],
    ['a wildcard', '/own/files/a/b'],
    ['an empty wildcard', '/own/files/'],
    ['a wildcard’s own path', '/own/files'],
    ['an optional parameter', '/own/maybe/1'],
    ['an optional parameter that is missing', '/own/maybe'],
    ['a mounted app', '/own/mounted'],
    ['below a mounted app', '/own/mounted/x'],
    ['a guard that refuses', '/own/key'],
    ['a guard that refuses a wrong credential', '/own/key', { headers: { 'x-api-key': 'wrong' } }],
    ['a rule that refuses', '/ruled/own'],
    ['a rule that refuses a wrong credential', '/ruled/own', { headers: { 'x-api-key': 'wrong' } }],
    ['a WebSocket that nobody upgrades', '/own/ws'],
    ['HEAD of a WebSocket', '/own/ws', { method: 'HEAD' }],
  ]

  test.each(fill(NEAR))('is no way past the default one: %s', async (_, path, question) => {
    await expectLimited(t.ask, path, question)
  })

  describe('in an app of strict paths', () => {
    const { core } = createTestCore(OPTIONS)
    const app = new Elysia({ strictPath: true }).use(machineAuth(core))
    // They need nothing of the test app but the plugin.
    routes(app as unknown as Parameters<Extend>[0])
    app.listen({ port: 0, hostname: '127.0.0.1' })
    const origin = `http://127.0.0.1:${app.server?.port}`
    afterAll(async () => {
      await app.stop(true)
      await core.close()
    })

    test.each(fill(NEAR))('is no way past the default one: %s', async (_, path, question) => {
      await expectLimited((asked, given) => askServer(origin, asked, given), path, question)
    })
  })

  /** What `fetch` would never send: the router goes by these bytes, the URL that is left is another one’s. */
  test.each([
    '/free/..',
    '/free/%2e%2e',
    '/free/.',
    '/free/../',
    '/free/../own',
    '/x/../own',
    '/own/item/..',
    '/own/item/../..',
    '/own/item/%2e%2e',
    '/own/files/../../free/1',
    '/free\\..',
    '\\own',
    'http://other/own',
    '*',
  ])('is no way past the default one for the target %j', async (target) => {
    const head = `Host: localhost\r\nX-Forwarded-For: ${newcomer()['x-forwarded-for']}`
    const statuses: (number | undefined)[] = []
    for (let time = 0; time < 6; time += 1) {
      statuses.push((await sendRaw(t.origin, `GET ${target} HTTP/1.1\r\n${head}\r\n\r\n`))?.status)
    }
    // Bun itself refuses some of them.
    if (statuses.every((status) => status === 400)) return
    expect(statuses.slice(-2)).toEqual([429, 429])
  })
})
