/** SECURITY.md, authorisation: what a permission, a path rule and a role cover, and what they do not. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth, RouteAuditError, requireGuardedRoutes } from '../../src/index.ts'
import { openSocket, sendRaw, upgradeRequest, withLog } from '../guards/support.ts'
import { expectProblem } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  createTestCore,
  MASTER_KEY,
  readAnswer,
  type TestApp,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'

const PERMISSIONS = ['users.view.get', 'user.view', 'users.viewx', 'usersx.view', 'users', 'users.view.all.more']

const t = await createTestApp({ permissions: PERMISSIONS }, (app) => {
  for (const permission of [...PERMISSIONS, 'users.create']) {
    app.get(`/needs/${permission}`, () => 'let in', { requirePermission: permission })
  }
})
const { alice, bob } = await addPeople(t)
afterAll(t.close)

describe('P69 a permission covers itself, a wildcard what is below it', () => {
  test.each([...PERMISSIONS, 'users.create'])('users.view does not cover %s', async (permission) => {
    const { headers } = await addKey(t, { permissions: ['users.view'] })
    const answer = await t.ask(`/needs/${permission}`, { headers })
    expectProblem(answer, 'permission_required', ['required'])
    expect(answer.json.required).toEqual([permission])
    expect(answer.headers.get('www-authenticate')).toContain(`scope="${permission}"`)
  })

  test.each([
    ['users.*', ['users.view.get', 'users.viewx', 'users.create', 'users.view.all.more']],
    ['users.view.*', ['users.view.get', 'users.view.all.more']],
    ['users.view.get', ['users.view.get']],
    ['*', [...PERMISSIONS, 'users.create']],
  ])('%s covers just %p', async (granted, covered) => {
    const { headers } = await addKey(t, { permissions: [granted] })
    for (const permission of [...PERMISSIONS, 'users.create']) {
      const { status } = await t.ask(`/needs/${permission}`, { headers })
      expect([permission, status]).toEqual([permission, covered.includes(permission) ? 200 : 403])
    }
  })

  test('a method decides over a module: HEAD is GET, and no other is', async () => {
    const { headers } = await addKey(t, { permissions: ['posts.view'] })
    expect((await t.ask('/posts', { headers })).status).toBe(200)
    expect((await t.ask('/posts', { method: 'HEAD', headers })).status).toBe(200)
    const creator = await addKey(t, { permissions: ['posts.create', 'posts.update', 'posts.delete'] })
    expect((await t.ask('/posts', { headers: creator.headers })).status).toBe(403)
    expect((await t.ask('/posts', { method: 'HEAD', headers: creator.headers })).status).toBe(403)
  })
})

const createGuarded = (core: TestApp['core']) =>
  new Elysia().use(machineAuth(core)).get('/open', () => 'open', { public: true })

describe('P70 a guard that names what nobody declared serves nothing', () => {
  const MISTAKES: readonly (readonly [string, RegExp, (app: ReturnType<typeof createGuarded>) => unknown])[] = [
    [
      'a permission',
      /GET \/x: permission 'users.fly'/,
      (app) => app.get('/x', () => 'x', { requirePermission: 'users.fly' }),
    ],
    ['a role', /role 'nobody'/, (app) => app.get('/x', () => 'x', { requireRole: 'nobody' })],
    ['a module', /module 'nothing'/, (app) => app.get('/x', () => 'x', { requireModule: 'nothing' })],
    [
      'an action',
      /users.fly.get/,
      (app) => app.get('/x', () => 'x', { requireModule: { module: 'users', action: 'fly' } }),
    ],
    ['a method without permission', /users.delete/, (app) => app.delete('/x', () => 'x', { requireModule: 'users' })],
    [
      'a permission of a key',
      /users.fly/,
      (app) => app.get('/x', () => 'x', { apiKey: { permissions: ['users.fly'] } }),
    ],
  ]

  test.each(MISTAKES)('%s', async (_, message, declare) => {
    const { core } = createTestCore()
    const app = createGuarded(core)
    declare(app)
    await core.ready
    for (const path of ['/x', '/open', '/auth/me']) {
      const { result, log } = await withLog(() =>
        app.handle(new Request(`http://localhost${path}`, { headers: asMaster })),
      )
      expectProblem(await readAnswer(result), 'internal_error')
      expect(log.join()).toMatch(message)
    }
  })
})

describe('P71 a path rule', () => {
  const served = ['/api', '/api/', '/api/users', '/api/users/', '/API', '/Api/users']
  let app: TestApp

  test('guards the path and all below it, and nothing beside it', async () => {
    app = await createTestApp({ protect: [{ path: '/api/*', require: { apiKey: true } }] }, (routes) =>
      routes
        .get('/api', () => 'reached')
        .get('/api/users', () => 'reached')
        .get('/API', () => 'reached')
        .get('/Api/users', () => 'reached')
        .get('/apix', () => 'reached')
        .get('/x/api', () => 'reached')
        .get('/api/health', () => 'reached', { public: true }),
    )
    const { headers } = await addKey(app)
    for (const path of served) {
      expectProblem(await app.ask(path), 'credential_missing')
      expect([path, (await app.ask(path, { headers })).text]).toEqual([path, 'reached'])
    }
    for (const path of ['/apix', '/x/api', '/api/health'])
      expect([path, (await app.ask(path)).text]).toEqual([path, 'reached'])
    expectProblem(await app.ask('/api/nothing/there'), 'credential_missing')
    expect((await app.ask('/api/nothing/there', { headers })).status).toBe(404)
  })

  test('cannot be walked around by another spelling', async () => {
    const spellings = [
      ...[
        '//api',
        '/api//',
        '//api//users',
        '/%61pi',
        '/%61%70%69/users',
        '/api%2fusers',
        '/x/../api',
        '/x/%2e%2e/api',
      ],
      ...[
        '/./api',
        '/api/.',
        '/api/../api/users',
        '/api/users?x=/apix',
        '/api/users#/apix',
        '/api;x=1',
        '/api/users/%00',
      ],
      ...['/API/', '/aPi/users', '/%2561pi', '/api/health/../users', '/\\api', '/api\\users'],
    ]
    for (const path of spellings) {
      const answer = await sendRaw(app.origin, `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
      expect([path, answer?.text.includes('reached') ?? false]).toEqual([path, false])
    }
    for (const method of ['POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE']) {
      expect((await app.ask('/api/users', { method })).status).toBe(401)
    }
    await app.close()
  })
})

describe('P72 the order of declaration', () => {
  test('a guard on a route declared before the plugin serves nothing', async () => {
    // TypeScript refuses it; JavaScript does not.
    const early = new Elysia() as unknown as ReturnType<typeof machineAuth<string, object>>
    const app = early.get('/early', () => 'let in', { apiKey: true }).use(machineAuth(createTestCore().core))
    const { result, log } = await withLog(() => app.handle(new Request('http://localhost/early')))
    expectProblem(await readAnswer(result), 'internal_error')
    expect(log.join()).toContain("GET /early: 'apiKey' is not applied")
  })

  test('a path rule covers what is declared before, after, mounted, and not there at all', async () => {
    const inner = new Elysia().get('/deep', () => 'let in')
    await using app = await createTestApp({ protect: [{ path: '/', require: { currentUser: true } }] }, (routes) =>
      routes.mount('/mounted', inner).get('/after', () => 'let in'),
    )
    await addPeople(app)
    const { headers } = await addTokens(app, 'user_bob')
    for (const path of ['/after', '/mounted/deep', '/nowhere', '/optional', '/auth/nothing']) {
      expectProblem(await app.ask(path), 'credential_missing')
    }
    expect((await app.ask('/after', { headers })).text).toBe('let in')
    expect((await app.ask('/mounted/deep', { headers })).text).toBe('let in')
    expect((await sendRaw(app.origin, upgradeRequest('/ws')))?.status).toBe(401)
    // What says public stays so: without it nobody could log in.
    expect((await app.ask('/open')).text).toBe('open')
    expect((await app.ask('/auth/login', { body: {} })).status).toBe(422)
  })

  test('routes without a guard are named', () => {
    const app = new Elysia()
      .use(machineAuth(createTestCore().core))
      .get('/forgotten', () => 'x')
      .get('/fine', () => 'x', { apiKey: true })
    expect(() => requireGuardedRoutes(app)).toThrow(RouteAuditError)
    expect(() => requireGuardedRoutes(app)).toThrow(/GET \/forgotten/)
    expect(() => requireGuardedRoutes(new Elysia().use(machineAuth(createTestCore().core)))).not.toThrow()
  })
})

test('P74 a changed role counts on the next request, whatever the credential says', async () => {
  const user = await t.core.users.create({ email: 'demoted@example.com', roles: ['admin'] })
  const credentials = [
    await addTokens(t, user.id),
    await addSession(t, user.id),
    await addKey(t, { userId: user.id, permissions: ['*'] }),
  ]
  const statuses = (path: string) =>
    Promise.all(credentials.map(async ({ headers }) => (await t.ask(path, { headers })).status))
  expect(await statuses('/admin')).toEqual([200, 200, 200])
  expect(await statuses('/auth/keys')).toEqual([200, 200, 200])
  await t.core.users.setRoles(user.id, ['user'])
  expect(await statuses('/admin')).toEqual([403, 403, 403])
  expect(await statuses('/auth/keys')).toEqual([403, 403, 403])
  await t.core.users.setRoles(user.id, ['admin'])
  expect(await statuses('/admin')).toEqual([200, 200, 200])
})

describe('P86 the master key', () => {
  const USER_ROUTES = [
    '/key',
    '/live',
    '/token',
    '/session',
    '/user',
    '/admin',
    '/users',
    '/posts',
    '/profile',
    '/auth/me',
    '/auth/sessions',
  ]

  test.each(USER_ROUTES)('opens nothing at %s', async (path) => {
    for (const headers of [asMaster, withBearer(MASTER_KEY), withKey(MASTER_KEY), withCookie(MASTER_KEY)]) {
      expect((await t.ask(path, { headers })).status).toBe(401)
    }
  })

  test('is nobody where a user is welcome but not needed', async () => {
    expect((await t.ask('/optional', { headers: asMaster })).json).toEqual({ id: null })
    expectProblem(await t.ask('/optional', { headers: withBearer(MASTER_KEY) }), 'token_invalid')
    expect(await openSocket(t.origin, '/ws', withBearer(MASTER_KEY))).toBeNull()
  })

  test('does not help another credential', async () => {
    const { headers } = await addTokens(t, bob.id)
    expectProblem(await t.ask('/admin', { headers: { ...headers, ...asMaster } }), 'role_required', ['required'])
    expect((await t.ask('/user', { headers: { ...headers, ...asMaster } })).json).toEqual({ id: bob.id })
  })

  test('opens management and what asks for it, from its addresses only', async () => {
    expect((await t.ask('/master', { headers: asMaster })).json).toEqual({ id: 'master' })
    expect((await t.ask('/master', { headers: withBearer(MASTER_KEY) })).json).toEqual({ id: 'master' })
    expectProblem(await t.ask('/master', { headers: (await addTokens(t, alice.id)).headers }), 'master_key_invalid')
    for (const [from, status] of [
      ['127.0.0.0/8', 200],
      ['10.0.0.0/8', 403],
    ] as const) {
      await using app = await createTestApp({ masterKeyAddresses: [from] })
      for (const headers of [asMaster, withBearer(MASTER_KEY)]) {
        for (const path of ['/master', '/auth/keys']) {
          expect((await app.ask(path, { headers: { ...headers, 'x-forwarded-for': '10.0.0.1' } })).status).toBe(status)
        }
      }
    }
  })

  test('works in each of its values while it is replaced', async () => {
    const next = 'next-master-key-of-tests-Xw7Rk2Vd9Bn4Jm5Q'
    await using app = await createTestApp({ masterKey: [next, MASTER_KEY] })
    for (const key of [next, MASTER_KEY])
      expect((await app.ask('/master', { headers: { 'x-admin-key': key } })).status).toBe(200)
    expectProblem(await t.ask('/master', { headers: { 'x-admin-key': next } }), 'master_key_invalid')
  })
})

describe('P95 a WebSocket', () => {
  test.each([
    ['without a credential', {}, 401],
    ['with a wrong token', withBearer('a.b.c'), 401],
    ['with a wrong key', withKey('x'), 401],
    ['with a token in the protocol', { 'sec-websocket-protocol': 'bearer, a.b.c' }, 401],
  ])('%s is refused at the upgrade', async (_, headers, status) => {
    expect((await sendRaw(t.origin, upgradeRequest('/ws', headers)))?.status).toBe(status)
    expect((await sendRaw(t.origin, upgradeRequest('/ws?access_token=x', headers)))?.status).toBe(status)
  })

  test('with a right one is open, and refused again once that is revoked', async () => {
    const key = await addKey(t, { userId: bob.id })
    expect(await openSocket(t.origin, '/ws', key.headers)).toBe(bob.id)
    await t.core.keys.revoke(key.id)
    expect((await sendRaw(t.origin, upgradeRequest('/ws', key.headers)))?.status).toBe(401)
  })
})
