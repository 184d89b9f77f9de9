/** The guess which route a request comes to: as the router decides, and the same parameters. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { internalsOf } from '../../src/guards/elysia-internals.ts'
import { RouteGuesser } from '../../src/guards/route-guess.ts'
import { describeRoutes } from '../../src/guards/routes.ts'

const PATHS = [
  '/',
  '/a',
  '/a/b/',
  '/a/:id',
  '/a/:id/c',
  '/a/b/c',
  '/files/*',
  '/files/x/:id',
  '/maybe/:id?',
  '/:any/known',
  '/long/:one/:two',
  '/all/*',
  '/é',
  '/a b',
  '/größe/:id',
  '/v:version/x',
  '/file.:ext',
  '/pre*',
  '/head',
] as const

function createApp(config: ConstructorParameters<typeof Elysia>[0] = {}) {
  const app = new Elysia(config)
  for (const path of PATHS) app.get(path, ({ route, params }) => ({ route, method: 'GET', params }))
  return app
    .post('/a', ({ route, params }) => ({ route, method: 'POST', params }))
    .all('/every', ({ route, params }) => ({ route, method: 'ALL', params }))
    .all('/both/:id', ({ route, params }) => ({ route, method: 'ALL', params }))
    .get('/both/:id', ({ route, params }) => ({ route, method: 'GET', params }))
    .get('/upgrade/:id', ({ route, params }) => ({ route, method: 'GET', params }))
    .ws('/socket', { message: () => undefined })
    .ws('/socket/:id', { message: () => undefined })
    .get('/socket', ({ route, params }) => ({ route, method: 'GET', params }))
}

const QUESTIONS = [
  ['GET', '/'],
  ['GET', '/a'],
  ['GET', '/a?b=/c'],
  ['GET', '/a/'],
  ['GET', '/A'],
  ['POST', '/a'],
  ['POST', '/a/'],
  ['PUT', '/a'],
  ['GET', '/a/b'],
  ['GET', '/a/b/'],
  ['GET', '/a/b/c'],
  ['GET', '/a/x'],
  ['GET', '/a/x/'],
  ['GET', '/a/x/c'],
  ['GET', '/a/x/d'],
  ['GET', '/a//c'],
  ['GET', '/a/a%20b'],
  ['GET', '/a/a%2fb'],
  ['GET', '/a/%zz'],
  ['GET', '/files/a/b'],
  ['GET', '/files/a%20b'],
  ['GET', '/files/'],
  ['GET', '/files'],
  ['GET', '/files/x/1'],
  ['GET', '/files/x/1/2'],
  ['GET', '/maybe'],
  ['GET', '/maybe/'],
  ['GET', '/maybe/1'],
  ['GET', '/x/known'],
  ['GET', '/a/known'],
  ['GET', '/files/known'],
  ['GET', '/long/1/2'],
  ['GET', '/long/1'],
  ['GET', '/%C3%A9'],
  ['GET', '/%c3%a9'],
  ['GET', '/%C3%A9/'],
  ['GET', '/a%20b'],
  ['GET', '/a%20b/'],
  ['GET', '/gr%C3%B6%C3%9Fe/1'],
  ['GET', '/v1/x'],
  ['GET', '/v1/x/'],
  ['GET', '/v/x'],
  ['GET', '/file.txt'],
  ['GET', '/file.'],
  ['GET', '/prefix/1'],
  ['GET', '/pre'],
  ['GET', '/every'],
  ['DELETE', '/every'],
  ['GET', '/both/1'],
  ['PUT', '/both/1'],
  ['GET', '/upgrade/1'],
  ['GET', '/socket'],
  ['GET', '/socket/1'],
  ['GET', '/nowhere'],
] as const

describe.each([
  ['of an app', {}],
  ['of one with strict paths', { strictPath: true }],
  ['of one below a prefix', { prefix: '/below' }],
])('%s', (_, config) => {
  const app = createApp(config)
  const internals = internalsOf(app)
  const guesser = new RouteGuesser(internals, describeRoutes(internals))
  const prefix = 'prefix' in config ? config.prefix : ''

  test.each([...QUESTIONS])('%s %s', async (method, path) => {
    const request = new Request(`http://localhost${prefix}${path}`, { method })
    const answer = await app.handle(request)
    const routed: unknown = answer.status === 200 ? await answer.json() : null
    const guess = guesser.guess(request)
    // Elysia gives no parameters where a route has none.
    const params = guess !== null && /[:*]/.test(guess.route.path) ? { params: { ...guess.params } } : {}
    expect<unknown>(guess && { route: guess.route.path, method: guess.route.method, ...params }).toEqual(routed)
  })
})

const app = createApp()
const guesser = new RouteGuesser(internalsOf(app), describeRoutes(internalsOf(app)))

test.each([
  ['/socket', 'WS /socket'],
  ['/socket/1', 'WS /socket/:id'],
  ['/a', 'GET /a'],
  ['/every', 'ALL /every'],
  ['/both/1', 'ALL /both/:id'],
  ['/upgrade/1', null],
])('an upgrade of %s', (path, expected) => {
  const guess = guesser.guess(new Request(`http://localhost${path}`, { headers: { upgrade: 'websocket' } }))
  expect(guess && `${guess.route.method} ${guess.route.path}`).toBe(expected)
})

test.each([
  ['/head', 'GET /head'],
  ['/every', 'ALL /every'],
  ['/both/1', 'GET /both/:id'],
  ['/socket/1', null],
])('HEAD of %s', async (path, expected) => {
  const request = new Request(`http://localhost${path}`, { method: 'HEAD' })
  const guess = guesser.guess(request)
  expect(guess && `${guess.route.method} ${guess.route.path}`).toBe(expected)
  expect((await app.handle(request)).status).toBe(expected === null ? 404 : 200)
})

test.each([
  ['http://a/aaaaaaaaaaaa/a/x', {}],
  ['http://a/files/aaaa/a/x', {}],
  ['http://a', {}],
  ['http://x/a/x', {}],
  ['http://x/a/x', { handler: { standardHostname: false } }],
  ['http://a/files/aaaa/a/x', { handler: { standardHostname: false } }],
])('looks for the path where the router does: %s', async (url, config) => {
  const given = createApp(config)
  const request = new Request(url)
  const answer = await given.handle(request)
  const routed = answer.status === 200 ? ((await answer.json()) as { route: string }).route : null
  const internals = internalsOf(given)
  expect(new RouteGuesser(internals, describeRoutes(internals)).guess(request)?.route.path ?? null).toBe(routed)
})

test.each([
  ['GET', '/a', 'GET /a'],
  ['POST', '/a', 'POST /a'],
  ['HEAD', '/a/:id', 'GET /a/:id'],
  ['PUT', '/a', null],
  ['GET', '/a/x', null],
])('the route %s %s', (method, path, expected) => {
  const found = guesser.find(method, path)
  expect(found && `${found.method} ${found.path}`).toBe(expected)
})
