/** The limit that each API key has, of its own, of its organization's, or by default. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import { expectProblem } from '../support/answers.ts'
import { askTimes, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import { type Answer, addKey, createTestApp, START, type TestApp } from '../support/test-app.ts'

const OWN = { limit: 2, window: '1m' } as const

const t = await createTestApp(
  {
    ...PROXIED,
    apiKeys: { defaultRateLimit: { limit: 3, window: '30s' } },
    protect: [{ path: '/ruled', require: { apiKey: true } }],
  },
  (app) =>
    app
      .get('/guarded/thrice', ({ auth }) => auth.apiKey(), {
        apiKey: true,
        requirePermission: 'users.view',
        optionalUser: true,
      })
      .get('/code', async ({ auth }) => (await auth.apiKey()).id)
      .get('/ruled/x', ({ auth }) => auth.principal?.id ?? 'nobody')
      .get('/ruled/guarded', ({ apiKey }) => apiKey.id, { apiKey: true })
      .ws('/ws/key', { apiKey: true, open: (ws) => void ws.send('open'), message: () => undefined }),
)
afterAll(t.close)
afterEach(() => {
  t.time.now += 60_000
})

/** The limit that an answer tells of, such as `2/60`. */
function toldLimit({ headers }: Answer): string | null {
  return headers.get('ratelimit-policy')?.replace(/^"key";q=(\d+);w=(\d+)$/, '$1/$2') ?? null
}

async function limitOf(app: TestApp, headers: Readonly<Record<string, string>>): Promise<string | null> {
  return toldLimit(await app.ask('/key', { headers }))
}

test('unless anything is said, a key may be used 60 times a minute', async () => {
  await using app = await createTestApp({ apiKeys: {} })
  const { headers } = await addKey(app)
  const first = await app.ask('/key', { headers })
  expect([toldLimit(first), remainingOf(first)]).toEqual(['60/60', { key: 59 }])
  expect(new Set(await askTimes(app, 59, '/key', { headers }))).toEqual(new Set(['200']))
  const refused = await app.ask('/key', { headers })
  expectProblem(refused, 'rate_limited', ['retryAfter'])
  expect(refused.headers.get('retry-after')).toBe('60')
  app.time.now = START + 60_000
  expect(await askTimes(app, 1, '/key', { headers })).toEqual(['200'])
})

test('with the option false, a key has none', async () => {
  await using app = await createTestApp({ apiKeys: { defaultRateLimit: false } })
  const { headers } = await addKey(app)
  expect(new Set(await askTimes(app, 70, '/key', { headers }))).toEqual(new Set(['200']))
  expect(await limitOf(app, headers)).toBeNull()
})

describe('a key is limited', () => {
  test('by the option, when it has no limit and no organization', async () => {
    const { headers } = await addKey(t)
    expect(await limitOf(t, headers)).toBe('3/30')
    expect(await askTimes(t, 3, '/key', { headers })).toEqual(['200', '200', LIMITED])
  })

  test('by its own limit', async () => {
    const { headers } = await addKey(t, { rateLimit: OWN })
    expect(await askTimes(t, 3, '/key', { headers })).toEqual(['200', '200', LIMITED])
    t.time.now += 30_000
    expect(await limitOf(t, headers)).toBe('2/60')
  })

  test('by its organization’s when it has none, each key for itself', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Limited', rateLimit: OWN })
    const [one, two] = [await addKey(t, { organizationId }), await addKey(t, { organizationId })]
    const own = await addKey(t, { organizationId, rateLimit: { limit: 9, window: '1h' } })
    for (const { headers } of [one, two]) {
      expect(await askTimes(t, 3, '/key', { headers })).toEqual(['200', '200', LIMITED])
    }
    expect(await limitOf(t, own.headers)).toBe('9/3600')
  })

  test('by what its organization’s has just become', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Changing' })
    const { headers } = await addKey(t, { organizationId })
    expect(await limitOf(t, headers)).toBe('3/30')
    await t.core.organizations.setLimits(organizationId, { rateLimit: { limit: 50, window: '1h' } })
    expect(await limitOf(t, headers)).toBe('50/3600')
    await t.core.organizations.setLimits(organizationId, { rateLimit: { limit: 1, window: '1h' } })
    expect(await askTimes(t, 2, '/key', { headers })).toEqual(['200', LIMITED])
    await t.core.organizations.setLimits(organizationId, { rateLimit: null })
    expect(await limitOf(t, headers)).toBe('3/30')
  })

  test('by its owner’s organization’s', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Owner’s', rateLimit: OWN })
    const owner = await t.core.users.create({ email: 'owner@example.com', organizationId })
    const { headers } = await addKey(t, { userId: owner.id })
    expect(await limitOf(t, headers)).toBe('2/60')
  })
})

describe('a request counts for its key', () => {
  test('on all routes together, in either header, from everywhere', async () => {
    const key = await addKey(t, { permissions: ['users.view'] })
    const [header, scheme] = [key.headers, { authorization: `ApiKey ${key.rawKey}` }]
    const said: string[] = []
    for (const [path, headers] of [
      ['/key', { ...header, ...from('10.0.0.1') }],
      ['/users', { ...scheme, ...from('10.0.0.2') }],
      ['/live', { ...header, ...from('10.0.0.3') }],
      ['/auth/me', { ...scheme, ...from('10.0.0.4') }],
      ['/key', header],
    ] as const) {
      said.push((await t.ask(path, { headers })).said)
    }
    expect(said).toEqual(['200', '200', '200', LIMITED, LIMITED])
  })

  test.each(['/guarded/thrice', '/code', '/ruled/x', '/ruled/guarded'])('once, however many ask: %s', async (path) => {
    const { headers } = await addKey(t, { permissions: ['users.view'] })
    expect(await askTimes(t, 4, path, { headers })).toEqual(['200', '200', '200', LIMITED])
  })

  test('when a guard refuses it for what the key may not do', async () => {
    const { headers } = await addKey(t)
    const said = '403 permission_required'
    expect(await askTimes(t, 4, '/users', { headers })).toEqual([said, said, said, LIMITED])
  })

  test('not where nothing asks for a key', async () => {
    const { headers } = await addKey(t)
    for (const path of ['/open', '/nowhere', '/token']) {
      expect(new Set(await askTimes(t, 5, path, { headers })).has(LIMITED)).toBe(false)
    }
    expect(remainingOf(await t.ask('/key', { headers }))).toEqual({ key: 2 })
  })

  test('not for another key', async () => {
    const [one, two] = [await addKey(t), await addKey(t)]
    await askTimes(t, 4, '/key', { headers: one.headers })
    expect(remainingOf(await t.ask('/key', { headers: two.headers }))).toEqual({ key: 2 })
  })
})

test('of 100 requests at once as many are let in as its limit has', async () => {
  const { headers } = await addKey(t)
  const said = await Promise.all(Array.from({ length: 100 }, async () => (await t.ask('/key', { headers })).said))
  expect(said.filter((each) => each === '200')).toHaveLength(3)
  expect(said.filter((each) => each === LIMITED)).toHaveLength(97)
})

test('costs no statement from the second request on, and a refusal none', async () => {
  const { headers } = await addKey(t)
  await t.ask('/key', { headers })
  t.takeStatements()
  expect(await askTimes(t, 5, '/key', { headers })).toEqual(['200', '200', LIMITED, LIMITED, LIMITED])
  expect(t.takeStatements()).toEqual([])
})
