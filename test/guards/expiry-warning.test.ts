/** `X-API-Key-Expires`: whoever uses a key hears of its end in time. */
import { afterAll, describe, expect, test } from 'bun:test'
import { askTimes } from '../support/limited.ts'
import { addKey, addPeople, addTokens, createTestApp, START, type TestApp } from '../support/test-app.ts'

const HEADER = 'x-api-key-expires'
const DAY = 86_400_000

const at = (ms: number) => new Date(START + ms).toISOString()

async function warningFor(t: TestApp, expiresAt: string | undefined, path = '/key'): Promise<string | null> {
  const key = await addKey(t, expiresAt === undefined ? {} : { expiresAt })
  const answer = await t.ask(path, { headers: key.headers })
  expect(answer.status).toBe(200)
  return answer.headers.get(HEADER)
}

async function create(expiryWarning?: string, extend?: Parameters<typeof createTestApp>[1]) {
  return createTestApp({ apiKeys: { defaultRateLimit: false, ...(expiryWarning && { expiryWarning }) } }, extend)
}

const t = await create(undefined, (app) =>
  app
    .get('/called', async ({ auth }) => (await auth.apiKey()).id)
    .get('/fails', () => Promise.reject(new Error('expected by the test')), { apiKey: true })
    .get('/raw', () => new Response('raw'), { apiKey: true })
    .post('/body', () => 'ok', { apiKey: true }),
)
afterAll(t.close)

describe('an answer to an API key', () => {
  test.each([
    ['8 days', 8 * DAY, false],
    ['7 days and a millisecond', 7 * DAY + 1, false],
    ['7 days', 7 * DAY, true],
    ['an hour', DAY / 24, true],
  ])('that expires in %s', async (_, ms, isTold) => {
    expect(await warningFor(t, at(ms))).toBe(isTold ? at(ms) : null)
  })

  test('that does not expire says nothing', async () => {
    expect(await warningFor(t, undefined)).toBeNull()
  })

  test.each(['/key', '/called', '/raw', '/auth/me'])('on %s says it', async (path) => {
    expect(await warningFor(t, at(DAY), path)).toBe(at(DAY))
  })

  test('that is remembered says it without a statement', async () => {
    const { headers } = await addKey(t, { expiresAt: at(DAY) })
    await t.ask('/key', { headers })
    t.takeStatements()
    expect((await t.ask('/key', { headers })).headers.get(HEADER)).toBe(at(DAY))
    expect(t.takeStatements()).toEqual([])
  })

  test.each([
    ['/users', 'GET', 403],
    ['/user', 'GET', 403],
    ['/body', 'POST', 200],
  ])('%s %s (%p) says it, refused or not', async (path, method, status) => {
    const { headers } = await addKey(t, { expiresAt: at(DAY) })
    const answer = await t.ask(path, { headers, method })
    expect([answer.status, answer.headers.get(HEADER)]).toEqual([status, at(DAY)])
  })

  test('over its limit says it', async () => {
    const { headers } = await addKey(t, { expiresAt: at(DAY), rateLimit: { limit: 1, window: '1m' } })
    expect(await askTimes(t, 1, '/key', { headers })).toEqual(['200'])
    const answer = await t.ask('/key', { headers })
    expect([answer.said, answer.headers.get(HEADER)]).toEqual(['429 rate_limited', at(DAY)])
  })
})

describe('an answer says nothing of a key', () => {
  test.each([
    ['that no guard asked for', '/open', 200],
    ['that has expired', '/key', 401],
  ])('%s', async (_, path, status) => {
    const { headers } = await addKey(t, { expiresAt: at(1000) })
    t.time.now += status === 401 ? 1000 : 0
    const answer = await t.ask(path, { headers })
    t.time.now = START
    expect([answer.status, answer.headers.get(HEADER)]).toEqual([status, null])
  })

  test('to whoever comes with a token', async () => {
    const { bob } = await addPeople(t)
    const { headers } = await addTokens(t, bob.id)
    expect((await t.ask('/user', { headers })).headers.get(HEADER)).toBeNull()
  })

  test('whose secret is wrong', async () => {
    const { rawKey } = await addKey(t, { expiresAt: at(DAY) })
    const { status, headers } = await t.ask('/key', { headers: { 'x-api-key': `${rawKey.slice(0, -1)}_` } })
    expect([status, headers.get(HEADER)]).toEqual([401, null])
  })
})

describe('apiKeys.expiryWarning', () => {
  test("'0s' is never", async () => {
    await using app = await create('0s')
    expect(await warningFor(app, at(1))).toBeNull()
  })

  test('says when', async () => {
    await using app = await create('1h')
    expect(await warningFor(app, at(DAY / 24))).toBe(at(DAY / 24))
    expect(await warningFor(app, at(DAY / 24 + 1))).toBeNull()
  })

  test('a remembered key is told of once it is looked at anew, after apiKeys.cacheTtl at most', async () => {
    await using app = await create('1h')
    const end = at(DAY / 24 + 1000)
    const { headers } = await addKey(app, { expiresAt: end })
    const ask = async () => (await app.ask('/key', { headers })).headers.get(HEADER)
    expect(await ask()).toBeNull()
    app.time.now += 60_000
    expect(await ask()).toBe(end)
  })
})
