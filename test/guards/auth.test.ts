/** `auth` in a handler: what a route cannot say in its options. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { MachineAuthError } from '../../src/errors.ts'
import { Auth } from '../../src/guards/auth.ts'
import { createTestPlugin, STANDARD, withServer } from '../support/guarded-app.ts'
import { ask, expectRefusal, handle, PRESENT, type Presented, summary, VARY } from './support.ts'

interface Post {
  readonly id: string
  readonly by: string | readonly string[] | null
}

const MINE: Post = { id: '1', by: 'user_bob' }
const OURS: Post = { id: '2', by: ['user_carol', 'user_bob'] }
const HERS: Post = { id: '3', by: 'user_alice' }
const NOBODYS: Post = { id: '4', by: null }
const owner = (post: Post) => post.by

type Ask = (auth: Auth) => Promise<unknown>

/** Each call, what is presented, and what comes: a value, or status and code. */
const TABLE: readonly [name: string, call: Ask, presented: Presented, expected: unknown][] = [
  ['apiKey', async (auth) => (await auth.apiKey()).id, 'key', 'key_1'],
  ['apiKey', (auth) => auth.apiKey(), 'nothing', '401 credential_missing'],
  ['apiKey', (auth) => auth.apiKey(), 'wrong key', '401 api_key_invalid'],
  ['apiKey', (auth) => auth.apiKey(), 'two keys', '400 request_malformed'],
  ['apiKey({ environment })', (auth) => auth.apiKey({ environment: 'live' }), 'test key', '403 environment_mismatch'],
  ['apiKey({ permissions })', (auth) => auth.apiKey({ permissions: ['a.b'] }), 'key', '403 permission_required'],
  ['apiKey({ permissions })', async (auth) => (await auth.apiKey({ permissions: ['users.view'] })).id, 'key', 'key_1'],
  ['bearerToken', async (auth) => (await auth.bearerToken()).userId, 'user token', 'user_bob'],
  ['bearerToken', (auth) => auth.bearerToken(), 'key', '401 credential_missing'],
  ['session', async (auth) => (await auth.session()).id, 'user session', 'sess_1'],
  ['session', (auth) => auth.session(), 'stale session', '401 session_expired'],
  ['currentUser', async (auth) => (await auth.currentUser()).id, 'owned key', 'user_bob'],
  ['currentUser', (auth) => auth.currentUser(), 'key', '403 user_required'],
  ['currentUser', (auth) => auth.currentUser(), 'master as Bearer', '401 token_invalid'],
  ['optionalUser', (auth) => auth.optionalUser(), 'nothing', null],
  ['optionalUser', (auth) => auth.optionalUser(), 'stale session', null],
  ['optionalUser', (auth) => auth.optionalUser(), 'wrong token', '401 token_invalid'],
  ['optionalUser', async (auth) => (await auth.optionalUser())?.id, 'user session', 'user_bob'],
  ['requireRole', async (auth) => (await auth.requireRole('admin')).id, 'admin token', 'user_alice'],
  ['requireRole', (auth) => auth.requireRole('admin'), 'user token', '403 role_required'],
  ['requireRole([])', (auth) => auth.requireRole([]), 'admin token', '403 role_required'],
  ['requireRole of several', async (auth) => (await auth.requireRole(['x', 'user'])).id, 'user token', 'user_bob'],
  ['requirePermission', async (auth) => (await auth.requirePermission('users.view')).id, 'key', 'key_1'],
  ['requirePermission', (auth) => auth.requirePermission('users.view'), 'user token', '403 permission_required'],
  ['requirePermission', (auth) => auth.requirePermission('unheard.of'), 'key', '403 permission_required'],
  ['requirePermission of all', (auth) => auth.requirePermission(['users.view', 'x']), 'key', '403 permission_required'],
  [
    'requirePermission of any',
    async (a) => (await a.requirePermission({ any: ['x', 'users.view'] })).id,
    'key',
    'key_1',
  ],
  ['requirePermission of none', (auth) => auth.requirePermission({ any: [] }), 'key', '403 permission_required'],
  ['authorizedResource', async (auth) => (await auth.authorizedResource(MINE, { owner })).id, 'user token', '1'],
  ['authorizedResource', async (auth) => (await auth.authorizedResource(OURS, { owner })).id, 'user token', '2'],
  ['authorizedResource', (auth) => auth.authorizedResource(HERS, { owner }), 'user token', '403 not_owner'],
  ['authorizedResource', (auth) => auth.authorizedResource(NOBODYS, { owner }), 'user token', '403 not_owner'],
  ['authorizedResource', (auth) => auth.authorizedResource<Post>(null, { owner }), 'user token', '404 not_found'],
  ['authorizedResource', (auth) => auth.authorizedResource<Post>(undefined, { owner }), 'user token', '404 not_found'],
  ['authorizedResource', (auth) => auth.authorizedResource<Post>(null, { owner }), 'nothing', '401 credential_missing'],
  ['authorizedResource', (auth) => auth.authorizedResource(HERS, { owner }), 'key', '403 user_required'],
  [
    'authorizedResource by role',
    async (auth) => (await auth.authorizedResource(MINE, { owner, roles: ['admin'] })).id,
    'admin token',
    '1',
  ],
  [
    'authorizedResource by permission',
    async (auth) => (await auth.authorizedResource(HERS, { owner, permission: 'posts.view' })).id,
    'user token',
    '3',
  ],
  [
    'authorizedResource concealed',
    (auth) => auth.authorizedResource(HERS, { owner, concealExistence: true }),
    'user token',
    '404 not_found',
  ],
]

describe.each([false, true])('credentials that must be looked up: %p', (slow) => {
  test.each(TABLE)('%s: %p given %s: %p', async (_, call, presented, expected) => {
    const { plugin } = createTestPlugin({ ...STANDARD, slow })
    const app = new Elysia().use(plugin).get('/x', async ({ auth }) => ({ value: await call(auth) }))
    const answer = await handle(app, '/x', { headers: PRESENT[presented] })
    if (typeof expected === 'string' && /^\d{3} /.test(expected)) {
      const [status, code = ''] = expected.split(' ')
      expectRefusal(answer, Number(status), code)
    } else {
      expect(JSON.parse(answer.text)).toEqual({ value: expected })
    }
  })
})

test('throws MachineAuthError, with the code, to whoever catches it', async () => {
  const app = new Elysia().use(createTestPlugin().plugin).get('/x', async ({ auth }) => {
    try {
      await auth.requireRole('admin')
      return 'let in'
    } catch (error) {
      if (!(error instanceof MachineAuthError)) throw error
      return [error.code, error.status, error.extras.required, error.requestId === auth.requestId]
    }
  })
  const answer = await handle(app, '/x', { headers: PRESENT['user token'] })
  expect(JSON.parse(answer.text)).toEqual(['role_required', 403, ['admin'], true])
})

test('is there on every route, also in hooks and modules, and looks at credentials once', async () => {
  const { plugin, seen } = createTestPlugin()
  const app = new Elysia()
    .use(plugin)
    .derive(async ({ auth }) => ({ me: (await auth.optionalUser())?.id ?? 'nobody' }))
    .use(new Elysia().get('/module', (context) => String('auth' in context && context.auth instanceof Auth)))
    .get('/x', async ({ auth, me }) => [me, (await auth.currentUser()).id, (await auth.currentUser()).email])
  const answer = await handle(app, '/x', { headers: PRESENT['user token'] })
  expect(JSON.parse(answer.text)).toEqual(['user_bob', 'user_bob', 'bob@example.com'])
  expect(seen.verifications).toBe(1)
  expect((await handle(app, '/module')).text).toBe('true')
})

test('gives the same user for the whole request', async () => {
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .get('/x', async ({ auth, currentUser }) => String((await auth.currentUser()) === currentUser), {
      currentUser: true,
    })
  expect((await handle(app, '/x', { headers: PRESENT['user token'] })).text).toBe('true')
})

test('knows the request: its id and the client’s address', async () => {
  const app = new Elysia().use(createTestPlugin().plugin).get('/x', ({ auth }) => [auth.requestId, auth.address])
  await withServer(app, async (origin) => {
    const answer = await ask(`${origin}/x`, { headers: { 'x-request-id': 'my-request-1' } })
    expect(JSON.parse(answer.text)).toEqual(['my-request-1', '127.0.0.1'])
    expect(answer.headers.get('x-request-id')).toBe('my-request-1')
  })
  expect(JSON.parse((await handle(app, '/x')).text)[1]).toBeNull()
})

describe('addresses', () => {
  const restricted = (allowed: string) => {
    const key = STANDARD.keys?.mac_live_key
    if (key?.kind !== 'apiKey') throw new Error('the table has no key')
    const keys = { mac_live_key: { ...key, allowsAddress: (address: string) => address === allowed } }
    return new Elysia()
      .use(createTestPlugin({ keys }, { clientAddress: (socket) => socket?.replace('::ffff:', '') ?? null }).plugin)
      .get('/x', ({ apiKey }) => apiKey.id, { apiKey: true })
  }

  test('a key is let in from where it may come, and from nowhere else', async () => {
    await withServer(restricted('127.0.0.1'), async (origin) => {
      expect((await ask(`${origin}/x`, { headers: PRESENT.key })).text).toBe('key_1')
    })
    await withServer(restricted('10.0.0.1'), async (origin) => {
      expectRefusal(await ask(`${origin}/x`, { headers: PRESENT.key }), 403, 'ip_not_allowed')
    })
  })

  test('a key with addresses is refused where nobody can tell the address', async () => {
    expectRefusal(await handle(restricted('127.0.0.1'), '/x', { headers: PRESENT.key }), 403, 'ip_not_allowed')
  })
})

describe('P45: a cookie counts only for what a page of ours has sent', () => {
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .all('/x', ({ currentUser }) => currentUser.id, { currentUser: true })
    .all('/optional', ({ optionalUser }) => optionalUser?.id ?? 'nobody', { optionalUser: true })
    .all('/auth', async ({ auth }) => (await auth.session()).id)
  const evil = { origin: 'https://evil.example', host: 'localhost' }

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])('%s from elsewhere is refused', async (method) => {
    for (const path of ['/x', '/optional', '/auth']) {
      const headers = { ...evil, ...PRESENT['user session'] }
      expectRefusal(await handle(app, path, { method, headers }), 403, 'csrf_rejected')
      expect((await handle(app, path, { method, headers: PRESENT['user session'] })).status).toBe(200)
    }
  })

  test.each(['GET', 'HEAD', 'OPTIONS'])('%s changes nothing and is let in', async (method) => {
    expect((await handle(app, '/x', { method, headers: { ...evil, ...PRESENT['user session'] } })).status).toBe(200)
  })

  test('a header credential is exempt, also beside a cookie', async () => {
    for (const headers of [PRESENT['user token'], { ...PRESENT['user token'], ...PRESENT['admin session'] }]) {
      expect((await handle(app, '/x', { method: 'POST', headers: { ...evil, ...headers } })).text).toBe('user_bob')
    }
  })

  test('the answer to a cross-site request tells no more than others', async () => {
    const answer = await handle(app, '/x', { method: 'POST', headers: { ...evil, ...PRESENT['user session'] } })
    expect(summary(answer)).toBe('403 csrf_rejected')
    expect(answer.headers.get('vary')).toBe(VARY)
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })
})
