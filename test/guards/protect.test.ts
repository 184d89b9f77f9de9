/** `protect` rules: whole paths, whether a route is there or not, in every spelling. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import type { ProtectRule } from '../../src/options/types.ts'
import { createTestPlugin, STANDARD } from '../support/guarded-app.ts'
import { ask, expectRefusal, handle, JSON_TYPE, PRESENT, type Presented, sendRaw, summary } from './support.ts'

const open = () => 'open'

/** An app of unguarded routes under rules. */
function createApp(protect: readonly ProtectRule[], more: Parameters<typeof createTestPlugin>[1] = {}) {
  const { plugin } = createTestPlugin(STANDARD, { protect, ...more })
  return new Elysia()
    .use(plugin)
    .get('/', open)
    .get('/api', open)
    .get('/api/x', open)
    .post('/api/x', ({ body }) => body)
    .get('/api/:id/deep', open)
    .get('/api/wild/*', open)
    .get('/apix', open)
    .get('/api-x', open)
    .get('/other/api', open)
    .get('/%61pi', open)
    .get('/API', open)
    .mount('/api/mounted', () => new Response('open'))
}

describe('paths', () => {
  const app = createApp([{ path: '/api/*', require: { apiKey: true } }]).listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`
  afterAll(() => app.stop(true))

  test.each([
    '/api',
    '/api/',
    '/api/x',
    '/api/x/',
    '/api/1/deep',
    '/api/wild/a/b',
    '/api/mounted',
    '/api/mounted/x',
    '/api/nowhere',
    '/api/nowhere/at/all',
    '/api?x=1',
  ])('%s is 401 without a key, whether a route is there or not', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      expectRefusal(await ask(origin + path, { method }), 401, 'credential_missing')
      expectRefusal(await handle(app, path, { method }), 401, 'credential_missing')
    }
    expect((await ask(origin + path, { method: 'HEAD' })).status).toBe(401)
  })

  test.each(['/', '/apix', '/api-x', '/other/api'])('%s is free', async (path) => {
    expect((await ask(origin + path)).text).toBe('open')
    expect((await handle(app, path)).text).toBe('open')
  })

  test('an unknown path elsewhere is 404', async () => {
    expect((await ask(`${origin}/nowhere`)).status).toBe(404)
  })

  test.each(['/api/x', '/api/1/deep', '/api/wild/a', '/api/mounted'])('%s answers to a key', async (path) => {
    expect((await ask(origin + path, { headers: PRESENT.key })).text).toBe('open')
  })

  test('an unknown path is 404 to a key', async () => {
    expect((await ask(`${origin}/api/nowhere`, { headers: PRESENT.key })).status).toBe(404)
  })

  test.each([
    '//api',
    '//api//x',
    '/API',
    '/Api/x',
    '/%61pi',
    '/%61%70%69/x',
    '/%2561pi',
    '/x/../api',
    '/x/..%2fapi',
    '/x/%2e%2e/api/x',
    '/./api',
    '/%2e/api/x',
    '/api%2fx',
    '/api%5cx',
    '/api\\x',
    '/api/.',
    'http://localhost/api/x',
    'http://elsewhere/api',
  ])('P71: the spelling %j is refused, whatever the Host', async (path) => {
    for (const host of ['localhost', 'x', '', '[', 'a/b', 'x:y']) {
      const answer = await sendRaw(origin, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect(answer?.text ?? '').not.toContain('open')
      expect([400, 401, undefined]).toContain(answer?.status)
    }
  })

  test.each([
    '/aaaaaaaaaaaa/api/x',
    '/a?aaaaaaaaaaaa/api/x',
    '/aaaaaa/api',
    '/aaaaaaaaaaaaaaaaaaaaaaaa/api/x',
    '/aaaaaaaaaaaa/api/1/deep',
    '/?aaaaaaaaaa/api/x',
  ])('a Host that moves the path of %j opens nothing', async (path) => {
    for (const host of ['x', '', 'ab', ']]]', 'a b', '\u00e9', '.', '1', 'localhos', 'abcdefghijklmn']) {
      const answer = await sendRaw(origin, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      // What is neither refused nor nowhere is the free route at '/'.
      const isFree = path.startsWith('/?') && answer?.status === 200
      if (!isFree) expect(answer?.text ?? '').not.toContain('open')
    }
    expect((await sendRaw(origin, `GET ${path} HTTP/1.0\r\n\r\n`))?.text ?? '').not.toContain('\r\n\r\nopen')
  })

  test('refuses before the body is read', async () => {
    const head = `POST /api/x HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000000`
    expect((await sendRaw(origin, `${head}\r\n\r\n{"a":`))?.status).toBe(401)
    const malformed = { method: 'POST', body: '{', headers: JSON_TYPE }
    expectRefusal(await ask(`${origin}/api/x`, malformed), 401, 'credential_missing')
  })

  test('leaves the body of those let in alone', async () => {
    const init = { method: 'POST', body: '{"a":1}', headers: { ...JSON_TYPE, ...PRESENT.key } }
    expect((await ask(`${origin}/api/x`, init)).text).toBe('{"a":1}')
  })
})

describe('demands', () => {
  const TABLE: readonly [require: ProtectRule['require'], presented: Presented, expected: string][] = [
    [{ apiKey: true }, 'wrong key', '401 api_key_invalid'],
    [{ apiKey: true }, 'user token', '401 credential_missing'],
    [{ bearerToken: true }, 'key', '401 credential_missing'],
    [{ bearerToken: true }, 'user token', '200'],
    [{ session: true }, 'stale session', '401 session_expired'],
    [{ session: true }, 'user session', '200'],
    [{ currentUser: true }, 'nothing', '401 credential_missing'],
    [{ currentUser: true }, 'key', '403 user_required'],
    [{ currentUser: true }, 'owned key', '200'],
    [{ masterKey: true }, 'admin token', '401 master_key_invalid'],
    [{ masterKey: true }, 'nothing', '401 credential_missing'],
    [{ masterKey: true }, 'master key', '200'],
    [{ masterKey: true }, 'master as Bearer', '200'],
    [{ requireRole: 'admin' }, 'user token', '403 role_required'],
    [{ requireRole: ['moderator', 'user'] }, 'user token', '200'],
    [{ requirePermission: 'users.view' }, 'user token', '403 permission_required'],
    [{ requirePermission: 'users.view' }, 'key', '200'],
    [{ requirePermission: ['users.view', 'posts.view'] }, 'key', '403 permission_required'],
    [{ requirePermission: { any: ['users.view', 'posts.view'] } }, 'key', '200'],
    [{ apiKey: true, requireRole: 'admin' }, 'key', '403 user_required'],
    [{ apiKey: true, requirePermission: 'users.view' }, 'key', '200'],
  ]

  test.each(TABLE)('%j given %s: %s', async (require, presented, expected) => {
    const app = createApp([{ path: '/api', require }])
    expect(summary(await handle(app, '/api/x', { headers: PRESENT[presented] }))).toBe(expected)
  })

  test('all rules that match count', async () => {
    const app = createApp([
      { path: '/', require: { currentUser: true } },
      { path: '/api', require: { requireRole: 'admin' } },
    ])
    expect(summary(await handle(app, '/apix', { headers: PRESENT['user token'] }))).toBe('200')
    expect(summary(await handle(app, '/api/x', { headers: PRESENT['user token'] }))).toBe('403 role_required')
    expect(summary(await handle(app, '/api/x', { headers: PRESENT['admin token'] }))).toBe('200')
    expect(summary(await handle(app, '/'))).toBe('401 credential_missing')
  })

  test('a credential that must be looked up counts as well', async () => {
    const { plugin } = createTestPlugin(
      { ...STANDARD, slow: true },
      { protect: [{ path: '/', require: { apiKey: true } }] },
    )
    const app = new Elysia().use(plugin).get('/x', open)
    expect(summary(await handle(app, '/x', { headers: PRESENT['wrong key'] }))).toBe('401 api_key_invalid')
    expect(summary(await handle(app, '/x', { headers: PRESENT.key }))).toBe('200')
  })

  test('the rule’s credential and the route’s own both count', async () => {
    const { plugin } = createTestPlugin(STANDARD, { protect: [{ path: '/api', require: { apiKey: true } }] })
    const app = new Elysia().use(plugin).get('/api/me', ({ currentUser }) => currentUser.id, { currentUser: true })
    expect(summary(await handle(app, '/api/me', { headers: PRESENT.key }))).toBe('403 user_required')
    expect(summary(await handle(app, '/api/me', { headers: PRESENT['user token'] }))).toBe('401 credential_missing')
    const both = { ...PRESENT.key, ...PRESENT['user token'] }
    expect((await handle(app, '/api/me', { headers: both })).text).toBe('user_bob')
  })
})

describe('what a refusal carries', () => {
  const rules: readonly ProtectRule[] = [{ path: '/api', require: { apiKey: true } }]

  test('headers that an onRequest hook before the plugin has set stay, as CORS needs', async () => {
    const { plugin } = createTestPlugin(STANDARD, { protect: rules })
    const app = new Elysia()
      .onRequest(({ set }) => {
        set.headers['access-control-allow-origin'] = 'https://app.example'
        set.headers.vary = 'Origin'
      })
      .use(plugin)
      .get('/api/x', open)
      .get('/guarded', open, { apiKey: true })
    for (const path of ['/api/x', '/api/nowhere', '/guarded']) {
      const answer = await handle(app, path)
      expectRefusal(answer, 401, 'credential_missing')
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
      expect(answer.headers.get('vary')).toContain('Origin')
    }
  })

  test('onDenied answers instead, at once or later', async () => {
    for (const isLate of [false, true]) {
      const seen: string[] = []
      const app = createApp(rules, {
        onDenied: (error, { request, path }) => {
          seen.push(`${error.code} ${request.method} ${path} ${error.requestId !== undefined}`)
          const answer = path === '/api/x' ? new Response('mine', { status: 418 }) : undefined
          return isLate ? Promise.resolve(answer) : answer
        },
      })
      const answered = await handle(app, '/api/x?secret=1')
      expect([answered.status, answered.text]).toEqual([418, 'mine'])
      expectRefusal(await handle(app, '/api/nowhere'), 401, 'credential_missing')
      expect(seen).toEqual(['credential_missing GET /api/x true', 'credential_missing GET /api/nowhere true'])
    }
  })
})
