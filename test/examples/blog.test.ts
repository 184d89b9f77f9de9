import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { isPostgresInstalled, startPostgres } from '../support/servers/postgres.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { isRedisInstalled, startRedis } from '../support/servers/redis.ts'
import { bearer, type Example, login, request, START_TIMEOUT, startExample } from './support.ts'
import { openSocket, requestUpgrade } from './websocket-client.ts'

const BLOG = 'examples/blog/main.ts'
const PASSWORD = 'correct horse battery staple'
const MASTER_KEY = 'oQb2v9ZrT4nLx7KdPw1MsYc8HjUe5GaF'
const SECRET = 'Zk4xWq9TtB2mPv7LcYh1RnUe6JsGd3Fa'

const areServersHere = process.env.REQUIRE_SERVICES === '1' || (isPostgresInstalled && isRedisInstalled)

type Caller = 'anonymous' | 'alice' | 'bob' | 'key' | 'bobs key'

/** A status alone, or with the code of its problem. */
function outcomeOf({ status, body }: Awaited<ReturnType<typeof request>>): string {
  return typeof body?.code === 'string' ? `${status} ${body.code}` : String(status)
}

const MISSING = '401 credential_missing'
const NO_USER = '403 user_required'
const NO_PERMISSION = '403 permission_required'
const CHANGE = { title: 'Changed' }
const CONTACT = { email: 'dora@example.com', name: 'Dora' }

/** Each route of the blog; the ones that delete what others need come last. */
const ROWS: readonly [target: string, body: unknown, outcomes: Readonly<Record<Caller, string>>][] = [
  ['GET /posts', undefined, { anonymous: '200', alice: '200', bob: '200', key: '200', 'bobs key': '200' }],
  ['GET /posts/1', undefined, { anonymous: MISSING, alice: '200', bob: '200', key: NO_USER, 'bobs key': '200' }],
  ['GET /posts/2', undefined, { anonymous: MISSING, alice: '200', bob: '200', key: NO_USER, 'bobs key': '200' }],
  [
    'GET /posts/9',
    undefined,
    { anonymous: MISSING, alice: '404 not_found', bob: '404 not_found', key: NO_USER, 'bobs key': '404 not_found' },
  ],
  [
    'PUT /posts/1',
    CHANGE,
    { anonymous: MISSING, alice: '200', bob: '403 not_owner', key: NO_USER, 'bobs key': '403 not_owner' },
  ],
  ['PUT /posts/2', CHANGE, { anonymous: MISSING, alice: '200', bob: '200', key: NO_USER, 'bobs key': '200' }],
  [
    'PUT /posts/9',
    CHANGE,
    { anonymous: MISSING, alice: '404 not_found', bob: '404 not_found', key: NO_USER, 'bobs key': '404 not_found' },
  ],
  [
    'DELETE /moderation/posts/9',
    undefined,
    {
      anonymous: MISSING,
      alice: '404 not_found',
      bob: '403 role_required',
      key: NO_USER,
      'bobs key': '403 role_required',
    },
  ],
  [
    'GET /admin/users',
    undefined,
    { anonymous: MISSING, alice: '200', bob: '403 role_required', key: NO_USER, 'bobs key': '403 role_required' },
  ],
  ['GET /api/data', undefined, { anonymous: MISSING, alice: MISSING, bob: MISSING, key: '200', 'bobs key': '200' }],
  [
    'GET /api/users',
    undefined,
    { anonymous: MISSING, alice: '200', bob: NO_PERMISSION, key: '200', 'bobs key': NO_PERMISSION },
  ],
  [
    'POST /api/users',
    CONTACT,
    { anonymous: MISSING, alice: '201', bob: NO_PERMISSION, key: NO_PERMISSION, 'bobs key': NO_PERMISSION },
  ],
  [
    'GET /api/users/profile',
    undefined,
    { anonymous: MISSING, alice: '200', bob: NO_PERMISSION, key: NO_PERMISSION, 'bobs key': NO_PERMISSION },
  ],
  // Five requests from one address, as many as it may send in a minute.
  [
    'POST /api/search',
    { q: 'machines' },
    { anonymous: '200', alice: '200', bob: '200', key: '200', 'bobs key': '200' },
  ],
  ['POST /withdraw', {}, { anonymous: '200', alice: '200', bob: '200', key: '200', 'bobs key': '200' }],
]

const CASES = ROWS.flatMap(([target, body, outcomes]) =>
  Object.entries(outcomes).map(([caller, outcome]) => ({ target, body, caller: caller as Caller, outcome })),
)

/** What the blog runs on: said by its environment alone. */
interface Surroundings {
  readonly name: string
  start(): Promise<Readonly<Record<string, string>>>
  stop(): Promise<void>
}

const sqlite: Surroundings = { name: 'SQLite', start: async () => ({}), stop: async () => undefined }

function postgresAndRedis(): Surroundings {
  const servers: PrivateServer[] = []
  return {
    name: 'PostgreSQL and Redis',
    async start() {
      const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
      servers.push(postgres, redis)
      return { MACHINE_AUTH_DATABASE: postgres.url, MACHINE_AUTH_REDIS: redis.url, MACHINE_AUTH_SECRET: SECRET }
    },
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}

function testBlog(surroundings: Surroundings): void {
  let blog: Example
  const credentials = { anonymous: {} } as Record<Caller, Readonly<Record<string, string>>>

  async function createKey(body: Readonly<Record<string, unknown>>): Promise<{ readonly 'x-api-key': string }> {
    const created = await request(blog.origin, 'POST /auth/keys', { headers: { 'x-admin-key': MASTER_KEY }, body })
    expect(created.status).toBe(201)
    return { 'x-api-key': created.body.rawKey }
  }

  beforeAll(async () => {
    const env = { DEMO_PASSWORD: PASSWORD, MACHINE_AUTH_MASTER_KEY: MASTER_KEY, ...(await surroundings.start()) }
    blog = await startExample(BLOG, { env })
    credentials.alice = bearer((await login(blog.origin, 'alice@example.com', PASSWORD)).access_token)
    credentials.bob = bearer((await login(blog.origin, 'bob@example.com', PASSWORD)).access_token)
    const { body: bob } = await request(blog.origin, 'GET /auth/me', { headers: credentials.bob })
    credentials.key = await createKey({ name: 'reports', permissions: ['users.view'] })
    credentials['bobs key'] = await createKey({ name: 'bob-cli', userId: bob.user.id, permissions: ['posts.view'] })
  }, START_TIMEOUT)

  afterAll(async () => {
    await blog[Symbol.asyncDispose]()
    await surroundings.stop()
  })

  describe('each route, each caller', () => {
    test.each(CASES)('$target by $caller: $outcome', async ({ target, body, caller, outcome }) => {
      expect(outcomeOf(await request(blog.origin, target, { headers: credentials[caller], body }))).toBe(outcome)
    })

    test('POST /api/users is refused before its body is looked at', async () => {
      const wrong = { headers: {}, body: { email: 7 } }
      expect(outcomeOf(await request(blog.origin, 'POST /api/users', wrong))).toBe(MISSING)
      const { status } = await request(blog.origin, 'POST /api/users', { ...wrong, headers: credentials.alice })
      expect(status).toBe(422)
    })

    test.each([
      ['DELETE /posts/1', { anonymous: MISSING, bob: '403 not_owner', key: NO_USER, alice: '200' }],
      ['DELETE /moderation/posts/2', { anonymous: MISSING, bob: '403 role_required', key: NO_USER, alice: '200' }],
    ])('%s deletes for those who may, once', async (target, outcomes) => {
      for (const [caller, outcome] of Object.entries(outcomes)) {
        const headers = credentials[caller as Caller]
        expect(outcomeOf(await request(blog.origin, target, { headers }))).toBe(outcome)
      }
      expect(outcomeOf(await request(blog.origin, target, { headers: credentials.alice }))).toBe('404 not_found')
    })
  })

  test('POST /api/search refuses the sixth request of an address, before its body is read', async () => {
    for (const body of [{ q: 'machines' }, { q: 7 }]) {
      const { status, headers, body: problem } = await request(blog.origin, 'POST /api/search', { body })
      expect([status, problem.code]).toEqual([429, 'rate_limited'])
      expect(Number(headers.get('retry-after'))).toBeWithin(1, 61)
      expect(headers.get('ratelimit-policy')).toBe('"ip-5-1m";q=5;w=60')
      expect(headers.get('ratelimit')).toMatch(/^"ip-5-1m";r=0;t=\d+$/)
      expect(headers.get('x-ratelimit-limit')).toBe('5')
      expect(headers.get('x-ratelimit-remaining')).toBe('0')
      expect(Number(headers.get('x-ratelimit-reset')) * 1000).toBeWithin(Date.now() - 1000, Date.now() + 61_000)
    }
  })

  test('POST /withdraw blocks the address that it catches at fraud, for an hour and on that path only', async () => {
    const caught = await request(blog.origin, 'POST /withdraw', { body: { fraud: true } })
    expect([caught.status, caught.body]).toEqual([200, { blocked: true }])
    for (const caller of ['anonymous', 'alice', 'key'] as const) {
      const refused = await request(blog.origin, 'POST /withdraw', { headers: credentials[caller], body: {} })
      expect(outcomeOf(refused)).toBe('403 address_blocked')
      expect(Number(refused.headers.get('retry-after'))).toBeWithin(3500, 3601)
    }
    expect((await request(blog.origin, 'GET /posts')).status).toBe(200)

    const master = { headers: { 'x-admin-key': MASTER_KEY } }
    const { body: blocks } = await request(blog.origin, 'GET /auth/blocks', master)
    expect(blocks.items).toMatchObject([{ kind: 'manual', scope: 'path', path: '/withdraw', reason: 'fraud' }])
    expect((await request(blog.origin, `DELETE /auth/blocks/${blocks.items[0].id}`, master)).status).toBe(204)
    expect((await request(blog.origin, 'POST /withdraw', { body: {} })).status).toBe(200)
  })

  describe('the socket', () => {
    test.each(['alice', 'bobs key'] as const)('echoes to %s', async (caller) => {
      using socket = await openSocket(`${blog.origin}/ws/echo`, credentials[caller])
      socket.send('hello')
      expect(await socket.next()).toBe('hello')
    })

    test.each([
      ['anonymous', 401, 'credential_missing'],
      ['key', 403, 'user_required'],
    ] as const)('refuses the upgrade to %s', async (caller, status, code) => {
      expect(await requestUpgrade(`${blog.origin}/ws/echo`, credentials[caller])).toEqual({ status, code })
    })
  })

  test('opens a session by cookie, as a browser would', async () => {
    const body = { email: 'BOB@example.com', password: PASSWORD }
    const opened = await request(blog.origin, 'POST /auth/sessions', { body })
    expect(opened.status).toBe(201)
    const [cookie = ''] = (opened.headers.get('set-cookie') ?? '').split(';')
    const me = await request(blog.origin, 'GET /auth/me', { headers: { cookie } })
    expect(me.body.user).toMatchObject({ email: 'bob@example.com', roles: ['user'] })
    expect((await request(blog.origin, 'DELETE /auth/sessions/current', { headers: { cookie } })).status).toBe(204)
    const gone = await request(blog.origin, 'GET /auth/me', { headers: { cookie } })
    expect(outcomeOf(gone)).toBe('401 session_invalid')
  })

  test('refuses a revoked key on the very next request', async () => {
    const { 'x-api-key': rawKey } = await createKey({ name: 'short-lived' })
    expect((await request(blog.origin, 'GET /api/data', { headers: { 'x-api-key': rawKey } })).status).toBe(200)
    const id = `key_${rawKey.split('_')[2]}`
    const revoked = await request(blog.origin, `POST /auth/keys/${id}/revoke`, {
      headers: { 'x-admin-key': MASTER_KEY },
      body: { reason: 'done' },
    })
    expect(revoked.body).toMatchObject({ id, status: 'revoked', revokedReason: 'done' })
    const refused = await request(blog.origin, 'GET /api/data', { headers: { 'x-api-key': rawKey } })
    expect(outcomeOf(refused)).toBe('401 api_key_revoked')
  })

  test('its documentation lists every route with what it demands', async () => {
    expect((await request(blog.origin, 'GET /swagger')).text).toContain('swagger-ui')
    const { body } = await request(blog.origin, 'GET /swagger/json')
    const operations = Object.entries<Record<string, unknown>>(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const documented = ROWS.map(([target]) => target.replace(/\/posts\/\d$/, '/posts/{id}'))
    expect(operations).toEqual(expect.arrayContaining([...documented, 'POST /auth/login', 'POST /auth/keys']))
    expect(Object.keys(body.paths['/admin/users'].get.responses)).toEqual(expect.arrayContaining(['200', '401', '403']))
    expect(body.paths['/api/data'].get.security).not.toBeEmpty()
    const search = body.paths['/api/search'].post
    expect(search.description).toBe('At most 5 requests in 1m for each address.')
    expect([search.security, Object.keys(search.responses)]).toEqual([[], ['200', '429', '503']])
  })
}

describe('on SQLite', () => testBlog(sqlite))
describe.skipIf(!areServersHere)('on PostgreSQL and Redis, by environment alone', () => testBlog(postgresAndRedis()))
