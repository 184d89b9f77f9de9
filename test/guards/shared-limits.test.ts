/** Limits that are counted elsewhere: what is asked there, how often, and what becomes of the answers. */
import { describe, expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { askTimes, BLOCKED, type Extend, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { addKey, createTestApp, type Question, type TestApp } from '../support/test-app.ts'
import { openSocket, sendRaw } from './support.ts'

const OWN = { limit: 3, window: '1m', name: 'own' } as const
const BY_KEY = { limit: 5, window: '1m', by: 'apiKey', name: 'by-key' } as const
const RATE = { limit: 10, window: '1m' } as const

const routes: Extend = (app) =>
  app
    .get('/own', 'own', { rateLimit: OWN })
    .get('/own/item/:id', ({ params }) => params.id, { rateLimit: OWN })
    .get('/two', () => 'two', { rateLimit: [OWN, BY_KEY] })
    .get('/guarded', () => 'guarded', { apiKey: true, rateLimit: OWN })
    .get('/over', () => 'over', { apiKey: true, rateLimit: { ...OWN, by: 'apiKey', override: true } })
    .get('/session/own', () => 'own', { session: true, rateLimit: OWN })
    .post('/body', ({ body }) => JSON.stringify(body), { rateLimit: OWN })
    .get('/free', () => 'free')
    .get('/ruled/free', () => 'free')
    .get('/ruled/own', () => 'own', { rateLimit: OWN })
    .get('/ruled/public', () => 'own', { public: true, rateLimit: OWN })
    .get('/ask/key', async ({ auth }) => (await auth.apiKey()).id)
    .get('/ask/twice', async ({ auth }) => (await Promise.all([auth.apiKey(), auth.requirePermission('*')]))[0].id)
    .get('/ask/session', async ({ auth }) => (await auth.session()).id)
    .get('/ask/limit', async ({ auth }) => (await auth.rateLimit(OWN)).remaining)
    .get('/ask/same', async ({ auth }) => {
      const [one, other] = await Promise.all([auth.rateLimit(OWN), auth.rateLimit(OWN)])
      return `${one.remaining} ${other.remaining}`
    })
    .ws('/socket', { rateLimit: OWN, open: (ws) => void ws.send('open'), message: () => undefined })

const OPTIONS = { ...PROXIED, protect: [{ path: '/ruled', require: { apiKey: true } }] } as const
const DEFAULT = { limit: 100, window: '1m', name: 'default' } as const

interface Asked extends Question {
  readonly path: string
  readonly key?: 'rated' | 'plain' | 'wrong'
}

async function headersOf(t: TestApp, key: Asked['key']): Promise<Readonly<Record<string, string>>> {
  if (key === undefined) return {}
  if (key === 'wrong') return { 'x-api-key': 'wrong' }
  const { headers } = await addKey(t, { permissions: ['*'], ...(key === 'rated' ? { rateLimit: RATE } : {}) })
  return headers
}

/** How many claims each question had. */
async function claimsOf(
  options: Parameters<typeof createTestApp>[0],
  { path, key, ...question }: Asked,
): Promise<{ readonly claims: readonly number[]; readonly said: string }> {
  const shared = new MemorySharedLimits()
  await using t = await createTestApp({ ...OPTIONS, ...options }, routes, shared)
  const headers = { ...question.headers, ...(await headersOf(t, key)) }
  const { said } = await t.ask(path, { ...question, headers })
  return { claims: shared.calls.hits.map((claims) => claims.length), said }
}

describe('of one request', () => {
  test.each<[name: string, asked: Asked, said: string, claims: readonly number[]]>([
    ['a route without limits', { path: '/free' }, '200', []],
    ['a route without limits, with a key', { path: '/free', key: 'rated' }, '200', []],
    ['an unknown path', { path: '/nowhere' }, '404 not_found', []],
    ['a probe', { path: '/auth/health/live' }, '200', []],
    ['a limit', { path: '/own' }, '200', [1]],
    ['a limit of a route with a parameter', { path: '/own/item/a%20b' }, '200', [1]],
    ['its HEAD', { path: '/own', method: 'HEAD' }, '200', [1]],
    ['a method that it has not', { path: '/own', method: 'PUT' }, '404 not_found', []],
    ['OPTIONS', { path: '/own', method: 'OPTIONS' }, '404 not_found', []],
    ['two limits', { path: '/two' }, '200', [2]],
    ['a body', { path: '/body', body: { a: 1 } }, '200', [1]],
    ['a limit and the key’s own', { path: '/guarded', key: 'rated' }, '200', [2]],
    ['a limit and a key without one', { path: '/guarded', key: 'plain' }, '200', [1]],
    ['a limit and a wrong key', { path: '/guarded', key: 'wrong' }, '401 api_key_invalid', [1]],
    ['a limit in place of the key’s own', { path: '/over', key: 'rated' }, '200', [1]],
    ['a limit, and a key that nobody asks for', { path: '/session/own', key: 'rated' }, '401 credential_missing', [1]],
    ['the key’s own', { path: '/key', key: 'rated' }, '200', [1]],
    ['the key’s own, of another guard', { path: '/posts', key: 'rated' }, '200', [1]],
    ['the key’s own, of a guard that takes no keys', { path: '/session', key: 'rated' }, '401 credential_missing', []],
    ['a key without one', { path: '/key', key: 'plain' }, '200', []],
    ['a wrong key', { path: '/key', key: 'wrong' }, '401 api_key_invalid', []],
    ['management', { path: '/auth/keys', key: 'rated' }, '200', [1]],
    ['a rule that asks for the key', { path: '/ruled/free', key: 'rated' }, '200', [1]],
    ['a rule, where no route is', { path: '/ruled/nowhere', key: 'rated' }, '404 not_found', [1]],
    ['a rule that asks for the key, and a limit', { path: '/ruled/own', key: 'rated' }, '200', [2]],
    ['a rule that refuses', { path: '/ruled/own' }, '401 credential_missing', []],
    ['a rule that leaves a public route alone', { path: '/ruled/public' }, '200', [1]],
    ['a handler that asks for the key', { path: '/ask/key', key: 'rated' }, '200', [1]],
    ['a handler that asks for it twice at once', { path: '/ask/twice', key: 'rated' }, '200', [1]],
    ['a handler that asks for a session', { path: '/ask/session', key: 'rated' }, '401 credential_missing', []],
    ['a handler that asks for a limit', { path: '/ask/limit' }, '200', [1]],
    ['a handler that asks for the same limit twice at once', { path: '/ask/same' }, '200', [1]],
  ])('asks for %s', async (_, asked, said, claims) => {
    expect(await claimsOf({}, asked)).toEqual({ said, claims })
  })

  test.each<[name: string, by: 'ip' | 'apiKey', asked: Asked, said: string, claims: readonly number[]]>([
    ['by address', 'ip', { path: '/free' }, '200', [1]],
    ['by address, of a wrong key', 'ip', { path: '/key', key: 'wrong' }, '401 api_key_invalid', [1]],
    ['by address, of an unknown path', 'ip', { path: '/nowhere' }, '404 not_found', [1]],
    ['by address, before the key is known, and the key’s own', 'ip', { path: '/key', key: 'rated' }, '200', [1, 1]],
    ['by address, not where a route has its own', 'ip', { path: '/own' }, '200', [1]],
    ['by address, of a rule that refused', 'ip', { path: '/ruled/own' }, '401 credential_missing', [1]],
    ['by key, and the key’s own', 'apiKey', { path: '/key', key: 'rated' }, '200', [2]],
    ['by key, not where a route has its own', 'apiKey', { path: '/guarded', key: 'rated' }, '200', [2]],
    ['by key, of an unknown path', 'apiKey', { path: '/nowhere', key: 'rated' }, '404 not_found', [1]],
    ['by key, not of a probe', 'apiKey', { path: '/auth/health/live', key: 'rated' }, '200', []],
  ])('asks for a default limit %s', async (_, by, asked, said, claims) => {
    expect(await claimsOf({ rateLimit: { default: { ...DEFAULT, by } } }, asked)).toEqual({ said, claims })
  })

  test('asks once for a WebSocket, whose hooks run twice', async () => {
    const shared = new MemorySharedLimits()
    await using t = await createTestApp(OPTIONS, routes, shared)
    expect(await openSocket(t.origin, '/socket')).toBe('open')
    expect(shared.calls.hits.map((claims) => claims.length)).toEqual([1])
  })

  test('asks for nobody who is blocked, locked out, or over his quota', async () => {
    const shared = new MemorySharedLimits()
    const limit = { limit: 1, window: '1m', by: 'apiKey', lockout: '1h' } as const
    await using t = await createTestApp(PROXIED, (app) => app.get('/lock', () => 'in', { rateLimit: limit }), shared)
    const spent = await addKey(t, { rateLimit: RATE, monthlyQuota: 1 })
    expect(await askTimes(t, 1, '/key', { headers: spent.headers })).toEqual(['200'])
    const locked = await addKey(t)
    expect(await askTimes(t, 2, '/lock', { headers: locked.headers })).toEqual(['200', '429 locked_out'])
    const blocked = await addKey(t, { rateLimit: RATE })
    await t.core.blocks.add({ subject: blocked.id, duration: '1h' })
    await t.core.blocks.add({ subject: '10.0.0.1', duration: '1h' })
    const before = shared.calls.hits.length
    expect(await askTimes(t, 2, '/key', { headers: spent.headers })).toEqual(Array(2).fill('429 quota_exceeded'))
    expect(await askTimes(t, 2, '/lock', { headers: locked.headers })).toEqual(Array(2).fill('429 locked_out'))
    expect(await askTimes(t, 2, '/key', { headers: blocked.headers })).toEqual(Array(2).fill(BLOCKED))
    expect(await askTimes(t, 2, '/lock', { headers: from('10.0.0.1') })).toEqual(Array(2).fill(BLOCKED))
    expect(shared.calls.hits.length).toBe(before)
  })
})

describe('to whoever asks it is all the same', () => {
  const KEPT = ['ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

  /** All that answers say, but for what is different in each. */
  async function answersOf(shared: MemorySharedLimits | null) {
    const options = { ...OPTIONS, rateLimit: { default: { ...DEFAULT, limit: 6 } } }
    await using t = await createTestApp(options, routes, shared)
    const { headers } = await addKey(t, { rateLimit: { limit: 4, window: '1m' } })
    const said: unknown[] = []
    const paths = ['/own', '/two', '/guarded', '/over', '/key', '/free', '/nowhere', '/body', '/ruled/own']
    for (const path of [...paths, '/ask/limit', '/ask/same', '/ask/key']) {
      for (const question of [{ headers: from('10.0.0.1') }, { headers: { ...from('10.0.0.2'), ...headers } }]) {
        for (let time = 0; time < 5; time += 1) {
          const answer = await t.ask(path, path === '/body' ? { ...question, body: {} } : question)
          const { requestId: _, id: _id, ...body } = answer.json
          const kept = [...KEPT, 'retry-after', 'vary'].map((name) => answer.headers.get(name))
          said.push([path, answer.said, body, answer.said === '200' ? answer.text.slice(0, 4) : '', kept])
        }
        t.time.now += 7000
      }
    }
    return said
  }

  test('status, headers and bodies', async () => {
    const alone = await answersOf(null)
    expect(alone.length).toBe(120)
    expect(await answersOf(new MemorySharedLimits())).toEqual(alone)
  })
})

describe('several processes', () => {
  test.each([
    ['of a route', '/own', 3],
    ['of a route, by key', '/two', 3],
    ['of a key', '/key', 10],
    ['of a key, and of a route', '/guarded', 3],
    ['in code', '/ask/limit', 3],
    ['of a key, asked for in code', '/ask/key', 10],
  ] as const)('have a limit %s together', async (_, path, most) => {
    const shared = new MemorySharedLimits()
    await using one = await createTestApp(OPTIONS, routes, shared)
    await using other = await createTestApp({ ...OPTIONS, database: { db: drizzle(one.client) } }, routes, shared)
    const { headers } = await addKey(one, { rateLimit: RATE })
    const asked = Array.from({ length: 40 }, (_none, index) => (index % 2 ? one : other).ask(path, { headers }))
    const said = (await Promise.all(asked)).map((answer) => answer.said)
    expect(said.filter((each) => each === '200').length).toBe(most)
    expect(said.filter((each) => each === LIMITED).length).toBe(40 - most)
  })

  test('have a default limit together', async () => {
    const shared = new MemorySharedLimits()
    const options = { ...OPTIONS, rateLimit: { default: { ...DEFAULT, limit: 7 } } }
    await using one = await createTestApp(options, routes, shared)
    await using other = await createTestApp(options, routes, shared)
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => [one, other][index % 2]?.ask('/free')))
    expect(answers.filter((answer) => answer?.said === '200').length).toBe(7)
  })
})

describe('who is known to be over his limit', () => {
  test('is refused without asking, and his key is not looked up', async () => {
    const shared = new MemorySharedLimits({ remembers: true })
    await using t = await createTestApp({ rateLimit: { default: { limit: 2, window: '1m' } } }, routes, shared)
    expect(await askTimes(t, 3, '/free')).toEqual(['200', '200', LIMITED])
    const before = shared.calls.hits.length
    const { headers } = await addKey(t)
    t.takeStatements()
    expect(await askTimes(t, 5, '/key', { headers })).toEqual(Array(5).fill(LIMITED))
    expect(t.takeStatements()).toEqual([])
    expect(shared.calls.hits.length).toBe(before)
    t.time.now += 60_000
    expect(await askTimes(t, 1, '/key', { headers })).toEqual(['200'])
  })

  test('is let in nowhere by that: what was not taken counts at once', async () => {
    const shared = new MemorySharedLimits({ remembers: true })
    const byKey = { limit: 4, window: '1m', by: 'apiKey' } as const
    await using t = await createTestApp({ rateLimit: { default: byKey } }, routes, shared)
    const { headers } = await addKey(t, { rateLimit: { limit: 1, window: '1m' } })
    expect(await askTimes(t, 3, '/key', { headers })).toEqual(['200', LIMITED, LIMITED])
    // Those two count for the default limit as well: one was asked for, the other told.
    expect(await askTimes(t, 4, '/free', { headers })).toEqual(['200', LIMITED, LIMITED, LIMITED])
  })
})

/** What `fetch` would never send: the router goes by these bytes, the URL that is left is another one’s. */
test.each(['/own/item/..', '/own/item/%2e%2e', '/own/item/.', '/x/../own', '/own/item/%zz'])(
  'a route that the URL does not show counts all the same: %s',
  async (target) => {
    await using t = await createTestApp(OPTIONS, routes, new MemorySharedLimits())
    const statuses: (number | undefined)[] = []
    for (let time = 0; time < 5; time += 1) {
      statuses.push((await sendRaw(t.origin, `GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`))?.status)
    }
    const isRouted = statuses[0] === 200
    expect(statuses.slice(3)).toEqual(Array(2).fill(isRouted ? 429 : statuses[0]))
  },
)

test('nobody uses up what is somebody else’s at a rule that refuses him', async () => {
  const shared = new MemorySharedLimits()
  const by = ({ params }: { params: Readonly<Record<string, string | undefined>> }) => params.id ?? ''
  const limit = { limit: 2, window: '1m', by, name: 'item' } as const
  const add: Extend = (app) => app.get('/ruled/item/:id', () => 'in', { rateLimit: limit })
  await using t = await createTestApp(OPTIONS, add, shared)
  const { headers } = await addKey(t)
  expect(await askTimes(t, 5, '/ruled/item/1')).toEqual(Array(5).fill('401 credential_missing'))
  expect(await askTimes(t, 3, '/ruled/item/1', { headers })).toEqual(['200', '200', LIMITED])
})

test('one process alone asks nobody', async () => {
  const shared = new MemorySharedLimits()
  await using t = await createTestApp(OPTIONS, routes, null)
  expect(remainingOf(await t.ask('/own'))).toEqual({ own: 2 })
  expect(shared.calls.hits).toEqual([])
})
