import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import type { Auth } from '../../src/guards/auth.ts'
import { createTestPlugin } from '../support/guarded-app.ts'

const RULES = [{ path: '/closed', require: { apiKey: true } }] as const
const KEY = { 'x-api-key': 'mac_live_key' }
const VARY = 'Authorization, Cookie, X-API-Key'

function createApp(prefix: string) {
  const { plugin } = createTestPlugin(undefined, { protect: RULES })
  return new Elysia({ prefix })
    .use(plugin)
    .get('/closed/x', () => 'in')
    .get('/open', () => 'open')
}

const PLACES = {
  'an app without a prefix': { app: createApp(''), base: '' },
  'an app with a prefix': { app: createApp('/api'), base: '/api' },
  'a mounted app': { app: new Elysia().mount('/m', createApp('').fetch), base: '/m' },
  'a mounted app with a prefix': { app: new Elysia().mount('/m', createApp('/api').fetch), base: '/m/api' },
}

describe.each(Object.entries(PLACES))('a protect rule in %s', (_, { app, base }) => {
  const ask = (path: string, headers: Readonly<Record<string, string>> = {}) =>
    app.handle(new Request(`http://localhost${base}${path}`, { headers }))

  test('holds on a route', async () => {
    expect((await ask('/closed/x')).status).toBe(401)
    expect(await (await ask('/closed/x', KEY)).text()).toBe('in')
  })

  test('holds where no route is', async () => {
    expect((await ask('/closed/nothing')).status).toBe(401)
    expect((await ask('/closed/nothing', KEY)).status).toBe(404)
  })

  test('leaves the rest alone', async () => {
    expect(await (await ask('/open')).text()).toBe('open')
  })

  test('tells caches that its answers depend on the credentials', async () => {
    for (const headers of [{}, KEY]) expect((await ask('/closed/x', headers)).headers.get('vary')).toBe(VARY)
    expect((await ask('/open')).headers.get('vary')).toBeNull()
  })
})

describe('an answer that a handler made of auth', () => {
  const QUESTIONS = {
    apiKey: (auth: Auth) => auth.apiKey(),
    optionalUser: (auth: Auth) => auth.optionalUser(),
    currentUser: (auth: Auth) => auth.currentUser(),
    requireRole: (auth: Auth) => auth.requireRole('admin'),
    requirePermission: (auth: Auth) => auth.requirePermission('users.view'),
  }
  test.each(Object.entries(QUESTIONS))('varies by credential: %s', async (_, question) => {
    const { plugin } = createTestPlugin()
    const app = new Elysia().use(plugin).get('/x', async ({ auth }) => {
      await question(auth as Auth)
      return 'in'
    })
    for (const headers of [{}, KEY]) {
      const answer = await app.handle(new Request('http://localhost/x', { headers }))
      expect(answer.headers.get('vary')).toBe(VARY)
    }
  })
})
