/** What a request costs that presents somebody known: no statement, no promise, and one look into the caches. */

import { heapStats } from 'bun:jsc'
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test'
import { CredentialCache } from '../../src/authentication/cache.ts'
import { addKey, addPeople, addSession, addTokens, createTestApp, type TestApp } from '../support/test-app.ts'

const REQUESTS = 100
const LIMIT = { limit: 1_000_000, window: '1h' }

const ask = ({ app }: TestApp, path: string, headers: Readonly<Record<string, string>>) =>
  app.fetch(new Request(`http://localhost${path}`, { headers }))

/** Promises that were made and not collected yet. */
function countPromises(): number {
  return heapStats().objectTypeCounts.Promise ?? 0
}

interface Measured {
  readonly statuses: readonly number[]
  /** Answers that had to be waited for. */
  readonly late: number
  /** Looks into caches of credentials. */
  readonly looks: number
  readonly statements: readonly string[]
}

/** Asks again and again, as a server does, without leaving it room to do anything else meanwhile. */
function measure(app: TestApp, path: string, headers: Readonly<Record<string, string>>): Measured {
  for (let warm = 0; warm < 3; warm += 1) ask(app, path, headers)
  const look = spyOn(CredentialCache.prototype, 'get')
  app.takeStatements()
  const answers = Array.from({ length: REQUESTS }, () => ask(app, path, headers))
  const looks = look.mock.calls.length
  look.mockRestore()
  const given = answers.filter((answer) => answer instanceof Response)
  const statuses = [...new Set(given.map(({ status }) => status))]
  return { statuses, late: answers.length - given.length, looks, statements: app.takeStatements() }
}

/** How many promises are made meanwhile. Counting takes long in a large heap: once for all that is asked. */
function promisesOf(run: () => void): number {
  Bun.gc(true)
  const before = countPromises()
  run()
  return countPromises() - before
}

const CASES = [
  ['key', '/key', 200, 1],
  ['key', '/live', 200, 1],
  ['key', '/limited', 200, 1],
  ['key in Authorization', '/key', 200, 1],
  ["alice's key", '/user', 200, 1],
  ["alice's key", '/users', 200, 1],
  ["alice's key", '/admin', 200, 1],
  ['access token', '/user', 200, 1],
  ['access token', '/admin', 200, 1],
  ['access token', '/token', 200, 1],
  ['session', '/user', 200, 1],
  ['session', '/session', 200, 1],
  ['session', '/optional', 200, 1],
  ['nobody', '/open', 200, 0],
  ['nobody', '/by-ip', 200, 0],
  ['nobody', '/key', 401, 0],
  ['key', '/session', 401, 1],
  ['key', '/user', 403, 1],
  ['session', '/key', 401, 1],
] as const

describe.each([
  ['with all that is on by default', {}],
  ['with nothing recorded', { usage: false, metrics: false }],
  ['with a limit of its key in all headers', { apiKeys: { defaultRateLimit: LIMIT } }],
  ['with a default limit', { rateLimit: { default: LIMIT } }],
  ['with blocks and wrong credentials counted', { abuse: {} }],
] as const)('a request of somebody known, %s', (_, options) => {
  let app: TestApp
  const headersOf: Record<string, Readonly<Record<string, string>>> = {}
  beforeAll(async () => {
    app = await createTestApp(
      options,
      (routes) =>
        routes
          .get('/limited', () => 'limited', { rateLimit: LIMIT, apiKey: true })
          .get('/by-ip', () => 'by ip', { rateLimit: { ...LIMIT, by: 'ip' } }),
      null,
    )
    await addPeople(app)
    const { pair } = await addTokens(app, 'user_alice')
    headersOf.key = (await addKey(app)).headers
    headersOf['key in Authorization'] = { authorization: `Bearer ${headersOf.key['x-api-key']}` }
    headersOf["alice's key"] = (await addKey(app, { userId: 'user_alice', permissions: ['users.view'] })).headers
    headersOf['access token'] = { authorization: `Bearer ${pair.access_token}` }
    headersOf.session = (await addSession(app, 'user_alice')).headers
    headersOf.nobody = {}
    for (const headers of Object.values(headersOf)) {
      for (const path of ['/key', '/user', '/session', '/limited']) await app.ask(path, { headers })
    }
  })
  afterAll(() => app.close())

  test.each(CASES)('%s at %s: %i', (who, path, status, looks) => {
    expect(measure(app, path, headersOf[who] ?? {})).toEqual({
      statuses: [status],
      late: 0,
      looks: looks * REQUESTS,
      statements: [],
    })
  })

  test('none of these makes a promise', () => {
    const askAll = () => {
      for (const [who, path] of CASES) ask(app, path, headersOf[who] ?? {})
    }
    askAll()
    const promises = promisesOf(() => {
      for (let round = 0; round < 10; round += 1) askAll()
    })
    expect(promises).toBe(0)
  })
})

test('what is over its limit costs no more', async () => {
  await using app = await createTestApp({ apiKeys: { defaultRateLimit: { limit: 1, window: '1h' } } }, undefined, null)
  const { headers } = await addKey(app)
  expect((await app.ask('/key', { headers })).status).toBe(200)
  const over = { statuses: [429], late: 0, looks: REQUESTS, statements: [] }
  expect(promisesOf(() => expect(measure(app, '/key', headers)).toEqual(over))).toBe(0)
})

test('the count of promises sees one that is made and dropped', () => {
  const promises = promisesOf(() => {
    for (let made = 0; made < REQUESTS; made += 1) void (async () => made)()
  })
  expect(promises).toBe(REQUESTS)
})
