/** Guards add up, wherever they are written, and cost one look at each credential. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin, STANDARD, withServer } from '../support/guarded-app.ts'
import { ask, handle, openSocket, PRESENT, summary } from './support.ts'

type Plugin = ReturnType<typeof createTestPlugin>['plugin']

describe('guards on a group and on its route both count', () => {
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .group('/admin', { requireRole: 'admin' }, (inner) =>
      inner
        .get('/plain', ({ currentUser }) => currentUser.id)
        .get('/key', ({ currentUser, apiKey }) => `${currentUser.id} ${apiKey.id}`, { apiKey: true })
        .get('/role', ({ currentUser }) => currentUser.id, { requireRole: 'user' })
        .get('/public', ({ currentUser }) => currentUser.id, { public: true })
        .group('/deep', { apiKey: true }, (deep) => deep.get('', ({ apiKey }) => apiKey.id)),
    )
    .guard({ requirePermission: 'users.view' }, (inner) =>
      inner.get('/both', ({ principal }) => principal.id, { requirePermission: 'posts.view' }),
    )
  const both = { ...PRESENT['admin token'], ...PRESENT.key }

  test.each([
    ['/admin/plain', PRESENT['user token'], '403 role_required'],
    ['/admin/plain', PRESENT['admin token'], '200'],
    ['/admin/key', PRESENT['admin token'], '401 credential_missing'],
    ['/admin/key', PRESENT.key, '403 user_required'],
    ['/admin/key', { ...PRESENT['user token'], ...PRESENT.key }, '403 role_required'],
    ['/admin/key', { ...PRESENT['admin token'], ...PRESENT['wrong key'] }, '401 api_key_invalid'],
    ['/admin/key', both, '200'],
    ['/admin/role', PRESENT['user token'], '403 role_required'],
    ['/admin/role', PRESENT['admin token'], '403 role_required'],
    ['/admin/public', PRESENT.nothing, '401 credential_missing'],
    ['/admin/deep', PRESENT['admin token'], '401 credential_missing'],
    ['/admin/deep', both, '200'],
    ['/both', PRESENT.key, '403 permission_required'],
    ['/both', PRESENT['user token'], '403 permission_required'],
    ['/both', PRESENT['admin token'], '200'],
  ])('%s given %j: %s', async (path, headers, expected) => {
    expect(summary(await handle(app, path, { headers }))).toBe(expected)
  })
})

describe('all forms of a guard around a route', () => {
  const forms: Readonly<Record<string, (plugin: Plugin) => Pick<Elysia, 'handle'>>> = {
    'a guard without a callback': (plugin) =>
      new Elysia()
        .use(plugin)
        .guard({ currentUser: true })
        .get('/x', ({ currentUser }) => currentUser.id),
    'a guard without a callback, in a group': (plugin) =>
      new Elysia()
        .use(plugin)
        .group('/x', (inner) => inner.guard({ currentUser: true }).get('', ({ currentUser }) => currentUser.id)),
    'a guard without a callback, in a module': (plugin) =>
      new Elysia().use(
        new Elysia()
          .use(plugin)
          .guard({ currentUser: true })
          .get('/x', ({ currentUser }) => currentUser.id),
      ),
    'a scoped guard of a module': (plugin) =>
      new Elysia().use(new Elysia().use(plugin).guard({ as: 'scoped', currentUser: true })).get('/x', () => 'user_bob'),
    'a global guard of a module of a module': (plugin) =>
      new Elysia()
        .use(new Elysia().use(new Elysia().use(plugin).guard({ as: 'global', currentUser: true })))
        .get('/x', () => 'user_bob'),
    'a group of a module': (plugin) =>
      new Elysia().use(
        new Elysia()
          .use(plugin)
          .group('/x', { currentUser: true }, (inner) => inner.get('', ({ currentUser }) => currentUser.id)),
      ),
    'a group around a module': (plugin) =>
      new Elysia()
        .use(plugin)
        .group('/x', { currentUser: true }, (inner) => inner.use(new Elysia().get('/', () => 'user_bob'))),
  }

  test.each(Object.keys(forms))('%s', async (name) => {
    const app = forms[name]?.(createTestPlugin().plugin)
    if (app === undefined) throw new Error('no such form')
    expect(summary(await handle(app, '/x'))).toBe('401 credential_missing')
    expect((await handle(app, '/x', { headers: PRESENT['user token'] })).text).toBe('user_bob')
  })

  test('a local guard of a module does not guard its parent (T5)', async () => {
    const { plugin } = createTestPlugin()
    const app = new Elysia()
      .use(
        new Elysia()
          .use(plugin)
          .guard({ currentUser: true })
          .get('/inner', () => 'inner'),
      )
      .get('/outer', () => 'outer')
    expect(summary(await handle(app, '/inner'))).toBe('401 credential_missing')
    expect((await handle(app, '/outer')).text).toBe('outer')
  })
})

describe('one look at each credential per request', () => {
  const posts = authorizedResource('post', { load: () => ({ by: 'user_bob' }), owner: (post) => post.by })
  const create = (plugin: Plugin) =>
    new Elysia()
      .use(plugin)
      .use(posts)
      .get('/none', () => '')
      .get('/one', () => '', { currentUser: true })
      .guard({ currentUser: true }, (inner) =>
        inner.group('/many', { optionalUser: true }, (deep) =>
          deep.post(
            '',
            async ({ auth }) => {
              await auth.currentUser()
              await auth.requirePermission('posts.view')
              return ''
            },
            { requireRole: 'user', requirePermission: 'posts.view', authorizedPost: true, bearerToken: true },
          ),
        ),
      )
      .ws('/ws', {
        currentUser: true,
        requireRole: 'user',
        open(ws) {
          ws.send(ws.data.currentUser.id)
        },
        message() {},
      })

  test.each([
    ['GET', '/none', PRESENT['user token'], 1],
    ['GET', '/one', PRESENT.nothing, 0],
    ['GET', '/one', PRESENT['user token'], 1],
    ['POST', '/many', PRESENT['user token'], 1],
    ['POST', '/many', { ...PRESENT['user token'], ...PRESENT.key, ...PRESENT['user session'] }, 3],
  ])('%s %s given %j: %d', async (method, path, headers, expected) => {
    const { plugin, seen } = createTestPlugin()
    const app = create(plugin)
    await withServer(app, async (origin) => {
      const answer = await ask(origin + path, { method, headers })
      expect(answer.status).toBe(expected === 0 ? 401 : 200)
    })
    expect(seen.verifications).toBe(expected)
  })

  test('T13: a WebSocket’s hooks run twice and look once', async () => {
    const { plugin, seen } = createTestPlugin()
    await withServer(create(plugin), async (origin) => {
      expect(await openSocket(origin, '/ws', PRESENT['user token'])).toBe('user_bob')
      expect(seen.verifications).toBe(1)
      expect(await openSocket(origin, '/ws', PRESENT['wrong token'])).toBeNull()
      expect(seen.verifications).toBe(2)
    })
  })

  test('also where the credential must be looked up', async () => {
    const { plugin, seen } = createTestPlugin({ ...STANDARD, slow: true })
    expect((await handle(create(plugin), '/many', { method: 'POST', headers: PRESENT['user token'] })).status).toBe(200)
    expect(seen.verifications).toBe(1)
  })
})

describe('a plugin used by an app and by its modules runs once', () => {
  function create() {
    const { plugin, engine, seen } = createTestPlugin()
    let admitted = 0
    const admit = engine.admit.bind(engine)
    engine.admit = (...given) => {
      admitted += 1
      return admit(...given)
    }
    const feature = (name: string) =>
      new Elysia({ name, prefix: `/${name}` })
        .use(plugin)
        .use(new Elysia({ name: `${name}-inner`, prefix: '/inner' }).use(plugin).get('', () => name, { apiKey: true }))
        .get('', ({ apiKey }) => apiKey.id, { apiKey: true })
    const app = new Elysia()
      .use(feature('a'))
      .use(plugin)
      .use(feature('b'))
      .use(plugin)
      .get('/root', ({ apiKey }) => apiKey.id, { apiKey: true })
    return { app, seen, admitted: () => admitted }
  }

  test.each(['/a', '/a/inner', '/b', '/b/inner', '/root'])('for %s', async (path) => {
    for (const isListening of [false, true]) {
      const { app, seen, admitted } = create()
      const answer = isListening
        ? await withServer(app, (origin) => ask(origin + path, { headers: PRESENT.key }))
        : await handle(app, path, { headers: PRESENT.key })
      expect(answer.status).toBe(200)
      expect([admitted(), seen.verifications]).toEqual([1, 1])
      expect(summary(await handle(create().app, path))).toBe('401 credential_missing')
    }
  })

  test('attaches auth once to each route', () => {
    const { app } = create()
    const derives = app.router.history.map(({ hooks }) => {
      const transforms = (hooks.transform ?? []) as readonly { readonly subType?: string }[]
      return transforms.filter(({ subType }) => subType === 'derive').length
    })
    expect(derives).toEqual(derives.map(() => 1))
  })
})

describe('auth and guards agree on who asks', () => {
  const app = new Elysia()
    .use(createTestPlugin().plugin)
    .get('/free', ({ auth }) => auth.principal?.id ?? 'nobody yet')
    .get('/key', ({ auth }) => auth.principal?.id ?? 'nobody', { apiKey: true })
    .get('/later', async ({ auth }) => {
      const before = auth.principal
      await auth.currentUser()
      return [before, auth.principal?.id]
    })

  test('the principal is null until something asked for it', async () => {
    expect((await handle(app, '/free', { headers: PRESENT['user token'] })).text).toBe('nobody yet')
    expect((await handle(app, '/key', { headers: PRESENT.key })).text).toBe('key_1')
    expect((await handle(app, '/later', { headers: PRESENT['user token'] })).text).toBe('[null,"user_bob"]')
  })
})
