/** `rateLimit` on routes, in groups and in code: what counts together, what apart, and what for nothing. */
import { afterAll, describe, expect, test } from 'bun:test'
import { askTimes, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { addKey, createTestApp } from '../support/test-app.ts'

const TWICE = { limit: 2, window: '1m' } as const
const SHARED = { limit: 2, window: '1m', scope: 'global', name: 'shared' } as const
const open = () => 'open'

const t = await createTestApp(PROXIED, (app) =>
  app
    .get('/route', open, { rateLimit: TWICE })
    .post('/route', open, { rateLimit: TWICE })
    .get('/other', open, { rateLimit: TWICE })
    .get('/item/:id', open, { rateLimit: TWICE })
    .guard({ rateLimit: TWICE }, (inner) => inner.get('/guard/a', open).get('/guard/b', open))
    .guard({ rateLimit: { ...TWICE, scope: 'global', name: 'guard' } }, (inner) =>
      inner.get('/guard/global/a', open).get('/guard/global/b', open),
    )
    .group('/group', { rateLimit: TWICE }, (inner) => inner.get('/a', open).get('/b', open))
    .group('/group/global', { rateLimit: { ...TWICE, scope: 'global', name: 'group' } }, (inner) =>
      inner.get('/a', open).get('/b', open).post('/b', open),
    )
    .group('/nested', { rateLimit: { limit: 3, window: '1m', scope: 'global', name: 'outer' } }, (inner) =>
      inner.get('/a', open, { rateLimit: { limit: 1, window: '1m', name: 'inner' } }).get('/b', open),
    )
    .get('/shared/a', open, { rateLimit: SHARED })
    .get('/shared/b', open, { rateLimit: SHARED })
    .get('/shared/c', open, { rateLimit: { ...SHARED, name: 'alone' } })
    .get('/list', open, {
      rateLimit: [
        { ...TWICE, name: 'burst' },
        { limit: 3, window: '1h', name: 'long' },
      ],
    })
    .get('/said/twice', open, { rateLimit: [TWICE, TWICE] })
    .guard({ rateLimit: SHARED }, (inner) => inner.get('/shared/twice', open, { rateLimit: SHARED }))
    .get('/keyed', ({ apiKey }) => apiKey.id, {
      apiKey: true,
      rateLimit: [
        { limit: 9, window: '1m', name: 'route' },
        { limit: 1, window: '1m', by: 'apiKey', name: 'once' },
      ],
    })
    .get('/keyed/wide', ({ apiKey }) => apiKey.id, {
      apiKey: true,
      rateLimit: { limit: 9, window: '1m', name: 'route' },
    })
    .get('/unkeyed', open, { rateLimit: { limit: 9, window: '1m', name: 'route' } }),
)
afterAll(t.close)

let addresses = 0
/** An address that nobody has come from yet. */
function newcomer() {
  addresses += 1
  return from(`10.0.${addresses >> 8}.${addresses & 255}`)
}

describe('a request counts', () => {
  test.each<[name: string, paths: readonly string[], said: readonly string[]]>([
    ['for its route', ['/route', '/route', '/route'], ['200', '200', LIMITED]],
    ['for its route alone', ['/route', '/route', '/other', '/other', '/other'], ['200', '200', '200', '200', LIMITED]],
    ['for the pattern of its route', ['/item/1', '/item/2', '/item/3'], ['200', '200', LIMITED]],
    [
      'in a guard for each route apart',
      ['/guard/a', '/guard/a', '/guard/a', '/guard/b'],
      ['200', '200', LIMITED, '200'],
    ],
    [
      'in a global guard for all its routes together',
      ['/guard/global/a', '/guard/global/b', '/guard/global/a', '/guard/global/b'],
      ['200', '200', LIMITED, LIMITED],
    ],
    [
      'in a group for each route apart',
      ['/group/a', '/group/a', '/group/a', '/group/b'],
      ['200', '200', LIMITED, '200'],
    ],
    [
      'in a global group for all its routes together',
      ['/group/global/a', '/group/global/b', '/group/global/b', '/group/global/a'],
      ['200', '200', LIMITED, LIMITED],
    ],
    [
      'for the same global limit wherever it is written',
      ['/shared/a', '/shared/b', '/shared/a'],
      ['200', '200', LIMITED],
    ],
    ['apart for a global limit of another name', ['/shared/a', '/shared/b', '/shared/c'], ['200', '200', '200']],
    [
      'for the group’s limit and the route’s own',
      ['/nested/a', '/nested/b', '/nested/b', '/nested/b'],
      ['200', '200', '200', LIMITED],
    ],
    [
      'for none of two limits when one refuses it',
      ['/nested/a', '/nested/a', '/nested/a', '/nested/b', '/nested/b', '/nested/b'],
      ['200', LIMITED, LIMITED, '200', '200', LIMITED],
    ],
    ['once for a limit that is written twice', ['/said/twice', '/said/twice', '/said/twice'], ['200', '200', LIMITED]],
    [
      'once for a limit that its guard has as well',
      ['/shared/twice', '/shared/twice', '/shared/a'],
      ['200', '200', LIMITED],
    ],
  ])('%s', async (_, paths, said) => {
    const headers = newcomer()
    const heard: string[] = []
    for (const path of paths) heard.push((await t.ask(path, { headers })).said)
    expect(heard).toEqual([...said])
  })

  test('for both methods of one path together', async () => {
    const headers = newcomer()
    expect(await askTimes(t, 1, '/route', { headers })).toEqual(['200'])
    expect(await askTimes(t, 2, '/route', { headers, method: 'POST' })).toEqual(['200', LIMITED])
  })

  test('again when its window is over, and not a moment sooner', async () => {
    const headers = newcomer()
    const start = t.time.now
    expect(await askTimes(t, 3, '/route', { headers })).toEqual(['200', '200', LIMITED])
    t.time.now = start + 59_999
    expect(await askTimes(t, 1, '/route', { headers })).toEqual([LIMITED])
    t.time.now = start + 60_000
    expect(await askTimes(t, 3, '/route', { headers })).toEqual(['200', '200', LIMITED])
  })
})

describe('a list of limits', () => {
  test('refuses by any of them, and then counts for none', async () => {
    const headers = newcomer()
    const left = async () => remainingOf(await t.ask('/list', { headers }))
    expect(await left()).toEqual({ burst: 1, long: 2 })
    expect(await left()).toEqual({ burst: 0, long: 1 })
    for (let time = 0; time < 5; time += 1) expect(await left()).toEqual({ burst: 0, long: 1 })
    t.time.now += 60_000
    expect(await left()).toEqual({ burst: 1, long: 0 })
    const refused = await t.ask('/list', { headers })
    expect([refused.said, remainingOf(refused)]).toEqual([LIMITED, { burst: 1, long: 0 }])
    t.time.now += 3_600_000
  })

  test('counts for the key’s own limit when all of them let it in, else for nothing', async () => {
    const headers = { ...newcomer(), ...(await addKey(t, { rateLimit: { limit: 5, window: '1m' } })).headers }
    const first = await t.ask('/keyed', { headers })
    expect([first.said, remainingOf(first)]).toEqual(['200', { route: 8, once: 0, key: 4 }])
    for (let time = 0; time < 3; time += 1) {
      const refused = await t.ask('/keyed', { headers })
      expect([refused.said, remainingOf(refused)]).toEqual([LIMITED, { route: 8, once: 0, key: 4 }])
    }
    // The key has lost no use elsewhere either.
    expect(remainingOf(await t.ask('/key', { headers }))).toEqual({ key: 3 })
  })

  test('counts for nothing when the key’s own limit refuses', async () => {
    const address = newcomer()
    const [spent, fresh] = [
      await addKey(t, { rateLimit: { limit: 1, window: '1m' } }),
      await addKey(t, { rateLimit: { limit: 1, window: '1m' } }),
    ]
    const ask = (headers: Readonly<Record<string, string>>) =>
      t.ask('/keyed/wide', { headers: { ...address, ...headers } })
    expect(remainingOf(await ask(spent.headers))).toEqual({ route: 8, key: 0 })
    for (let time = 0; time < 3; time += 1) expect((await ask(spent.headers)).said).toBe(LIMITED)
    expect(remainingOf(await ask(fresh.headers))).toEqual({ route: 7, key: 0 })
  })

  test('on a route that asks for no key leaves the key’s own limit alone', async () => {
    const headers = { ...newcomer(), ...(await addKey(t, { rateLimit: { limit: 1, window: '1m' } })).headers }
    for (const left of [8, 7, 6]) expect(remainingOf(await t.ask('/unkeyed', { headers }))).toEqual({ route: left })
    expect(remainingOf(await t.ask('/key', { headers }))).toEqual({ key: 0 })
  })
})

test('of 100 requests at once against the two that are left, two are let in', async () => {
  const headers = newcomer()
  const said = await Promise.all(Array.from({ length: 100 }, async () => (await t.ask('/route', { headers })).said))
  expect(said.filter((each) => each === '200')).toHaveLength(2)
  expect(said.filter((each) => each === LIMITED)).toHaveLength(98)
})
