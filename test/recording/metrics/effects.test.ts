/** What happens is counted where it belongs, and nowhere else. */
import { describe, expect, spyOn, test } from 'bun:test'
import { changes, scrape } from '../../support/metrics.ts'
import {
  addKey,
  addSession,
  addTokens,
  createTestApp,
  MASTER_KEY,
  PASSWORD,
  PASSWORD_HASH,
  type TestApp,
} from '../../support/test-app.ts'

type Options = Parameters<typeof createTestApp>[0]

interface Case {
  readonly name: string
  readonly options?: Options
  /** What goes before, and is not looked at. */
  readonly prepare?: (app: TestApp) => Promise<Readonly<Record<string, string>>>
  readonly act: (app: TestApp, headers: Readonly<Record<string, string>>) => Promise<unknown>
  /** The beginnings of the names that are looked at. */
  readonly of: readonly string[]
  readonly changes: Readonly<Record<string, number>>
}

const EMAIL = 'alice@example.com'
const REQUESTS = ['requests_total', 'request_duration_seconds_count', 'denials_total', 'authentications_total']

async function addUser({ core }: TestApp): Promise<string> {
  const { id } = await core.users.create({ email: EMAIL, passwordHash: PASSWORD_HASH })
  return id
}

function accepted(credential: string): Readonly<Record<string, number>> {
  return {
    'requests_total{outcome="allowed"}': 1,
    request_duration_seconds_count: 1,
    [`authentications_total{credential="${credential}",result="accepted"}`]: 1,
  }
}

function denied(code: string, credential: string, result = 'refused'): Readonly<Record<string, number>> {
  return {
    'requests_total{outcome="denied"}': 1,
    request_duration_seconds_count: 1,
    [`denials_total{code="${code}"}`]: 1,
    [`authentications_total{credential="${credential}",result="${result}"}`]: 1,
  }
}

const get = (path: string) => (app: TestApp, headers: Readonly<Record<string, string>>) => app.ask(path, { headers })

const CREDENTIALS: readonly Case[] = [
  {
    name: 'a key that is accepted',
    prepare: async (app) => (await addKey(app)).headers,
    act: get('/key'),
    of: REQUESTS,
    changes: accepted('api_key'),
  },
  {
    name: 'a token that is accepted',
    prepare: async (app) => (await addTokens(app, await addUser(app))).headers,
    act: get('/user'),
    of: REQUESTS,
    changes: accepted('jwt'),
  },
  {
    name: 'a session that is accepted',
    prepare: async (app) => (await addSession(app, await addUser(app))).headers,
    act: get('/session'),
    of: REQUESTS,
    changes: accepted('session'),
  },
  {
    name: 'the master key',
    act: (app) => app.ask('/master', { headers: { 'x-admin-key': MASTER_KEY } }),
    of: [...REQUESTS, 'limit_decisions_total'],
    changes: { ...accepted('master_key'), 'limit_decisions_total{limit="master_key",decision="allowed"}': 1 },
  },
  ...(
    [
      ['where nothing else will do', '/master', 'x-admin-key', 'wrong', 'master_key_invalid'],
      ['at an endpoint', '/auth/stats', 'x-admin-key', 'wrong', 'master_key_invalid'],
      ['twice over', '/auth/stats', 'x-admin-key', 'wrong, wrong', 'request_malformed'],
      ['as a bearer token', '/master', 'authorization', 'Bearer wrong', 'master_key_invalid'],
      ['as a bearer token at an endpoint', '/auth/stats', 'authorization', 'Bearer wrong', 'token_invalid'],
    ] as const
  ).map(
    ([name, path, header, value, code]): Case => ({
      name: `a wrong master key, ${name}`,
      act: (app) => app.ask(path, { headers: { [header]: value } }),
      of: REQUESTS,
      changes: denied(code, 'master_key'),
    }),
  ),
  {
    name: 'a wrong master key beside a session that is right',
    prepare: async (app) => (await addSession(app, await addUser(app))).headers,
    act: (app, headers) => app.ask('/master', { headers: { ...headers, 'x-admin-key': 'wrong' } }),
    of: REQUESTS,
    changes: denied('master_key_invalid', 'master_key'),
  },
  {
    name: 'the master key while its address must wait',
    async prepare(app) {
      for (let guess = 0; guess < 6; guess++) await app.ask('/master', { headers: { 'x-admin-key': 'wrong' } })
      return { 'x-admin-key': MASTER_KEY }
    },
    act: get('/master'),
    of: REQUESTS,
    changes: denied('locked_out', 'master_key'),
  },
  {
    name: 'a wrong master key that no guard asks for',
    act: (app) => app.ask('/key', { headers: { 'x-admin-key': 'wrong' } }),
    of: REQUESTS,
    changes: denied('credential_missing', 'none', 'missing'),
  },
  {
    name: 'nothing presented',
    act: (app) => app.ask('/key'),
    of: REQUESTS,
    changes: denied('credential_missing', 'none', 'missing'),
  },
  {
    name: 'a key that is none',
    act: (app) => app.ask('/key', { headers: { 'x-api-key': 'nonsense' } }),
    of: REQUESTS,
    changes: denied('api_key_invalid', 'api_key'),
  },
  {
    name: 'a key that was revoked',
    async prepare(app) {
      const { id, headers } = await addKey(app)
      await app.core.keys.revoke(id, { reason: 'leaked' })
      return headers
    },
    act: get('/key'),
    of: REQUESTS,
    changes: denied('api_key_revoked', 'api_key'),
  },
  {
    name: 'a role that is missing',
    prepare: async (app) => (await addTokens(app, await addUser(app))).headers,
    act: get('/admin'),
    of: REQUESTS,
    changes: denied('role_required', 'jwt', 'accepted'),
  },
  { name: 'a public route, which nobody guards', act: (app) => app.ask('/open'), of: REQUESTS, changes: {} },
]

const RATE = { limit: 1, window: '1m' } as const
const LIMITED = 'limit_decisions_total'

function twice(limit: string): Readonly<Record<string, number>> {
  return {
    [`limit_decisions_total{limit="${limit}",decision="allowed"}`]: 1,
    [`limit_decisions_total{limit="${limit}",decision="refused"}`]: 1,
  }
}

async function askTwice(app: TestApp, path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  await app.ask(path, { headers })
  await app.ask(path, { headers })
}

const LIMITS: readonly Case[] = [
  {
    name: "a key's own rate",
    prepare: async (app) => (await addKey(app, { rateLimit: RATE })).headers,
    act: (app, headers) => askTwice(app, '/key', headers),
    of: [LIMITED],
    changes: twice('key'),
  },
  {
    name: "a key's quota",
    prepare: async (app) => (await addKey(app, { monthlyQuota: 1 })).headers,
    act: (app, headers) => askTwice(app, '/key', headers),
    of: [LIMITED],
    changes: twice('quota'),
  },
  {
    name: "a key's credits",
    prepare: async (app) => (await addKey(app, { credits: { remaining: 1 } })).headers,
    act: (app, headers) => askTwice(app, '/key', headers),
    of: [LIMITED],
    changes: twice('credits'),
  },
  {
    name: 'a quota that is left where credits are used up',
    prepare: async (app) => (await addKey(app, { monthlyQuota: 10, credits: { remaining: 1 } })).headers,
    act: (app, headers) => askTwice(app, '/key', headers),
    of: [LIMITED],
    changes: { ...twice('credits'), 'limit_decisions_total{limit="quota",decision="allowed"}': 2 },
  },
  { name: 'the limit of a route', act: (app) => askTwice(app, '/limited'), of: [LIMITED], changes: twice('route') },
  {
    name: 'a limit that a handler asks for',
    act: (app) => askTwice(app, '/in-handler'),
    of: [LIMITED],
    changes: twice('handler'),
  },
  {
    name: 'the limit of all requests',
    options: { rateLimit: { default: { ...RATE, by: 'ip' }, login: { limit: 9, window: '1m' } } },
    act: (app) => askTwice(app, '/open'),
    of: [LIMITED],
    changes: twice('default'),
  },
  {
    name: 'requests at once',
    async act(app) {
      const first = app.ask('/one-at-a-time')
      await entered.promise
      await app.ask('/one-at-a-time')
      release.resolve()
      await first
    },
    of: [LIMITED],
    changes: twice('concurrency'),
  },
  {
    name: 'wrong passwords',
    options: { rateLimit: { login: { limit: 1, window: '15m' } } },
    prepare: async (app) => ({ id: await addUser(app) }),
    async act(app) {
      await app.ask('/auth/login', { body: { email: EMAIL, password: 'wrong' } })
      await app.ask('/auth/login', { body: { email: EMAIL, password: PASSWORD } })
    },
    of: [LIMITED],
    changes: twice('login'),
  },
  {
    name: 'guesses at the master key',
    async act(app) {
      for (let guess = 0; guess < 6; guess++) await app.ask('/master', { headers: { 'x-admin-key': 'wrong' } })
    },
    of: [LIMITED],
    changes: { ...twice('master_key'), 'limit_decisions_total{limit="master_key",decision="allowed"}': 5 },
  },
  {
    name: 'a block',
    async prepare(app) {
      const { id, headers } = await addKey(app)
      await app.core.blocks.add({ subject: `apiKey:${id}`, duration: '1h' })
      return headers
    },
    act: get('/key'),
    of: [LIMITED],
    changes: { 'limit_decisions_total{limit="block",decision="refused"}': 1 },
  },
  {
    name: 'too many wrong credentials',
    options: { abuse: { threshold: 2, window: '1h', blockFor: '1h' } },
    async act(app) {
      for (let guess = 0; guess < 4; guess++) await app.ask('/key', { headers: { 'x-api-key': `nonsense${guess}` } })
    },
    of: [LIMITED],
    changes: { 'limit_decisions_total{limit="abuse",decision="refused"}': 2 },
  },
]

const CACHE = ['cache_lookups_total', 'cache_entries']

const MEMORY: readonly Case[] = [
  {
    name: 'a key that is seen for the first time, and then again',
    prepare: async (app) => (await addKey(app)).headers,
    act: (app, headers) => askTwice(app, '/key', headers),
    of: CACHE,
    changes: {
      'cache_lookups_total{cache="api_key",result="hit"}': 1,
      'cache_lookups_total{cache="api_key",result="miss"}': 1,
      'cache_entries{cache="api_key"}': 1,
    },
  },
  {
    name: 'a session that is seen for the first time, and then again',
    prepare: async (app) => (await addSession(app, await addUser(app))).headers,
    act: (app, headers) => askTwice(app, '/session', headers),
    of: CACHE,
    changes: {
      'cache_lookups_total{cache="session",result="hit"}': 1,
      'cache_lookups_total{cache="session",result="miss"}': 1,
      'cache_entries{cache="session"}': 1,
    },
  },
  {
    name: 'malformed keys, which are not looked for',
    act: (app) => app.ask('/key', { headers: { 'x-api-key': 'nonsense' } }),
    of: CACHE,
    changes: {},
  },
  {
    name: 'a cache with no room',
    options: { apiKeys: { cacheSize: 2, defaultRateLimit: false } },
    async act(app) {
      for (let key = 0; key < 3; key++) await app.ask('/key', { headers: (await addKey(app)).headers })
    },
    of: ['cache_evictions_total'],
    changes: { 'cache_evictions_total{cache="api_key"}': 1 },
  },
  {
    name: 'what storage is asked for a key that is seen for the first time',
    prepare: async (app) => (await addKey(app)).headers,
    act: get('/key'),
    of: ['storage_duration_seconds_count{port="keys"}', 'storage_errors_total'],
    changes: { 'storage_duration_seconds_count{port="keys"}': 1 },
  },
  {
    name: 'a database that fails',
    prepare: async (app) => (await addKey(app)).headers,
    async act(app, headers) {
      const printed = spyOn(console, 'error').mockImplementation(() => undefined)
      app.client.run('alter table machine_auth_api_keys rename to gone')
      await app.ask('/key', { headers })
      printed.mockRestore()
    },
    of: ['storage_errors_total', 'requests_total'],
    changes: { 'storage_errors_total{port="keys"}': 1, 'requests_total{outcome="failed"}': 1 },
  },
]

let entered = Promise.withResolvers<void>()
let release = Promise.withResolvers<void>()

async function run({ options = {}, prepare, act, of, changes: expected }: Case): Promise<void> {
  entered = Promise.withResolvers()
  release = Promise.withResolvers()
  await using app = await createTestApp(options, (extended) =>
    extended
      .get('/limited', () => 'ok', { rateLimit: { ...RATE, by: 'ip' } })
      .get('/in-handler', async ({ auth }) => void (await auth.rateLimit({ ...RATE, by: 'ip' })))
      .get(
        '/one-at-a-time',
        async () => {
          entered.resolve()
          await release.promise
          return 'ok'
        },
        { rateLimit: { concurrent: 1, by: 'ip' } },
      ),
  )
  const headers = (await prepare?.(app)) ?? {}
  const before = await scrape(app)
  await act(app, headers)
  expect(changes(before, await scrape(app), ...of)).toEqual(expected)
}

describe.each([
  { subject: 'requests and credentials', cases: CREDENTIALS },
  { subject: 'limits', cases: LIMITS },
  { subject: 'memory and storage', cases: MEMORY },
])('$subject', ({ cases }) => {
  test.each(cases.map((each) => [each.name, each] as const))('%s', (_, each) => run(each))
})

test('usage waits in memory until it is written', async () => {
  await using app = await createTestApp({ usage: { flushInterval: '1h' } })
  const figures = async () => {
    const series = await scrape(app)
    return ['buffered_counters', 'flushes_total', 'flush_failures_total', 'flush_failing'].map((name) =>
      series.get(`machine_auth_usage_${name}`),
    )
  }
  expect(await figures()).toEqual([0, 0, 0, 0])
  await app.ask('/key')
  const [buffered, ...others] = await figures()
  expect(buffered).toBeGreaterThan(0)
  expect(others).toEqual([0, 0, 0])
  await app.core.usage.stats()
  expect(await figures()).toEqual([0, 1, 0, 0])
})

test('the request log waits in memory until it is written', async () => {
  await using app = await createTestApp({ logging: { mode: 'metadata_only' } })
  await app.ask('/key')
  await app.ask('/auth/logs', { headers: { 'x-admin-key': MASTER_KEY } })
  const series = await scrape(app)
  expect(series.get('machine_auth_request_log_written_total')).toBeGreaterThan(0)
  expect(series.get('machine_auth_request_log_dropped_total')).toBe(0)
})
