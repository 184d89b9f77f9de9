/** The guess which route a request comes to: as the router decides, and the same parameters. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { RouteGuesser } from '../../src/guards/route-guess.ts'

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
] as const

const app = new Elysia()
for (const path of PATHS) app.get(path, ({ route, params }) => ({ route, params }))
app.post('/a', ({ route, params }) => ({ route, params }))
app.all('/every', ({ route, params }) => ({ route, params }))
const routes = [
  ...PATHS.map((path) => ({ method: 'GET', path: path as string })),
  { method: 'POST', path: '/a' },
  { method: 'ALL', path: '/every' },
]
const guesser = new RouteGuesser(routes)

test.each([
  ['GET', '/'],
  ['GET', '/a'],
  ['GET', '/a/'],
  ['GET', '/A'],
  ['POST', '/a'],
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
  ['GET', '/files/a/b'],
  ['GET', '/files/'],
  ['GET', '/files/x/1'],
  ['GET', '/files/x/1/2'],
  ['GET', '/maybe'],
  ['GET', '/maybe/1'],
  ['GET', '/x/known'],
  ['GET', '/a/known'],
  ['GET', '/long/1/2'],
  ['GET', '/long/1'],
  ['GET', '/every'],
  ['DELETE', '/every'],
  ['GET', '/nowhere'],
] as const)('%s %s', async (method, path) => {
  const request = new Request(`http://localhost${path}`, { method })
  const answer = await app.handle(request)
  const routed: unknown = answer.status === 200 ? await answer.json() : null
  const guess = guesser.guess(request, path)
  // The router gives no parameters where a pattern has none.
  const params = guess !== null && /[:*]/.test(guess.route.path) ? { params: { ...guess.params } } : {}
  expect<unknown>(guess === null ? null : { route: guess.route.path, ...params }).toEqual(routed)
})
