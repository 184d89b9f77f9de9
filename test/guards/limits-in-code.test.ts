/** `auth.rateLimit()`: limits that a handler asks for. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectProblem } from '../support/answers.ts'
import { askTimes, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { addPeople, addTokens, createTestApp } from '../support/test-app.ts'
import { withLog } from './support.ts'

const TWICE = { limit: 2, window: '1m', name: 'twice' } as const
const GLOBAL = { limit: 2, window: '1m', name: 'global', scope: 'global' } as const
const ONCE = { limit: 1, window: '1m', name: 'once' } as const
const BY_USER = { limit: 1, window: '1m', by: 'user' } as const
const OPTION = { limit: 2, window: '1m', name: 'option', scope: 'global' } as const
let ran = 0

const t = await createTestApp(PROXIED, (app) =>
  app
    .get('/status', ({ auth }) => auth.rateLimit(TWICE))
    .get('/again', async ({ auth }) => [await auth.rateLimit(TWICE), await auth.rateLimit(TWICE)])
    .get('/literal', ({ auth }) => auth.rateLimit({ limit: 2, window: '1m' }))
    .get('/a', ({ auth }) => auth.rateLimit(TWICE))
    .get('/b', ({ auth }) => auth.rateLimit(TWICE))
    .get('/global/a', ({ auth }) => auth.rateLimit(GLOBAL))
    .get('/global/b', ({ auth }) => auth.rateLimit(GLOBAL))
    .get('/item/:id', ({ auth }) => auth.rateLimit(TWICE))
    .get('/list', ({ auth }) => auth.rateLimit([TWICE, ONCE]))
    .get('/user', async ({ auth }) => {
      const { id } = await auth.currentUser()
      await auth.rateLimit(BY_USER)
      return id
    })
    .get('/beside', ({ auth }) => auth.rateLimit(TWICE), { rateLimit: { limit: 9, window: '1m', name: 'route' } })
    .get('/same', ({ auth }) => auth.rateLimit(TWICE), { rateLimit: TWICE })
    .get('/option', () => 'option', { rateLimit: OPTION })
    .get('/code', ({ auth }) => auth.rateLimit(OPTION))
    .post('/caught', async ({ auth, body }) => {
      const refusal = await auth.rateLimit(ONCE).then(
        () => null,
        (error: unknown) => error,
      )
      ran += 1
      return refusal === null ? { body } : String(refusal)
    })
    .get('/wrong/:kind', async ({ auth, params: { kind } }) => {
      await auth.rateLimit(JSON.parse(kind))
      ran += 1
    }),
)
afterAll(t.close)
const { alice, bob } = await addPeople(t)

let addresses = 0
function newcomer() {
  addresses += 1
  return from(`10.1.0.${addresses}`)
}

test('says how the limit stands', async () => {
  const headers = newcomer()
  expect((await t.ask('/status', { headers })).json).toEqual({ limit: 2, remaining: 1, resetAfter: 60 })
  t.time.now += 15_500
  expect((await t.ask('/status', { headers })).json).toEqual({ limit: 2, remaining: 0, resetAfter: 60 })
  const refused = await t.ask('/status', { headers })
  expectProblem(refused, 'rate_limited', ['retryAfter'])
  // Half of a second is a whole one: who comes back sooner would be refused again.
  expect(refused.headers.get('retry-after')).toBe('45')
})

describe('a request counts', () => {
  test.each<[name: string, paths: readonly string[], said: readonly string[]]>([
    ['once, however often it is asked', ['/again', '/again', '/again'], ['200', '200', LIMITED]],
    ['for a limit that is written anew each time', ['/literal', '/literal', '/literal'], ['200', '200', LIMITED]],
    ['for each route apart', ['/a', '/a', '/a', '/b', '/b', '/b'], ['200', '200', LIMITED, '200', '200', LIMITED]],
    ['for a global limit together', ['/global/a', '/global/b', '/global/a'], ['200', '200', LIMITED]],
    ['for the pattern of its route', ['/item/1', '/item/2', '/item/3'], ['200', '200', LIMITED]],
    ['for all of a list or for none', ['/list', '/list', '/list'], ['200', LIMITED, LIMITED]],
    ['for the route’s own limit too', ['/beside', '/beside', '/beside'], ['200', '200', LIMITED]],
    ['once for a limit that is the route’s own as well', ['/same', '/same', '/same'], ['200', '200', LIMITED]],
    ['for a global limit that a route has as an option', ['/option', '/code', '/option'], ['200', '200', LIMITED]],
    ['for one that an option counted before', ['/option', '/option', '/code'], ['200', '200', LIMITED]],
  ])('%s', async (_, paths, said) => {
    const headers = newcomer()
    const heard: string[] = []
    for (const path of paths) heard.push((await t.ask(path, { headers })).said)
    expect(heard).toEqual([...said])
  })

  test('for the user whom it has just found out', async () => {
    const [ofAlice, ofBob] = [await addTokens(t, alice.id), await addTokens(t, bob.id)]
    const ask = (headers: Readonly<Record<string, string>>) => askTimes(t, 2, '/user', { headers })
    expect(await ask({ ...newcomer(), ...ofAlice.headers })).toEqual(['200', LIMITED])
    expect(await ask({ ...newcomer(), ...ofAlice.headers })).toEqual([LIMITED, LIMITED])
    expect(await ask({ ...newcomer(), ...ofBob.headers })).toEqual(['200', LIMITED])
    expect(await ask(newcomer())).toEqual(['401 credential_missing', '401 credential_missing'])
  })
})

test('the answer tells of the route’s limit and of the handler’s', async () => {
  const answer = await t.ask('/beside', { headers: newcomer() })
  expect(remainingOf(answer)).toEqual({ route: 8, twice: 1 })
})

test('a handler may catch the refusal and go on', async () => {
  const headers = newcomer()
  ran = 0
  expect((await t.ask('/caught', { headers, body: { a: 1 } })).json).toEqual({ body: { a: 1 } })
  const second = await t.ask('/caught', { headers, body: { a: 1 } })
  expect([second.status, second.text]).toEqual([200, expect.stringContaining('Too many requests')])
  expect(ran).toBe(2)
})

const WRONG: readonly unknown[] = [
  {},
  [],
  { limit: 0, window: '1m' },
  { limit: 1, window: 'soon' },
  { limit: 1, window: '1m', y: 1 },
  { concurrent: 1 },
  [{ limit: 1, window: '1m' }, { concurrent: 1 }],
  'x',
  5,
  true,
  null,
]

test.each(WRONG.map((policy) => [JSON.stringify(policy)]))(
  '%s is no limit: the handler does not go on',
  async (text) => {
    ran = 0
    const { result, log } = await withLog(() => t.ask(`/wrong/${encodeURIComponent(text)}`))
    expectProblem(result, 'internal_error')
    expect(ran).toBe(0)
    expect(log.join()).toContain('TypeError')
  },
)
