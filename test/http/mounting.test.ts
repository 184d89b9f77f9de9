/** Where endpoints are, and where they are not. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import type { ErrorCode } from '../../src/errors.ts'
import { machineAuth } from '../../src/index.ts'
import { withLog } from '../guards/support.ts'
import { expectProblem, textAt } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addTokens,
  askServer,
  createTestApp,
  readAnswer,
  type TestApp,
} from '../support/test-app.ts'

const open: { stop(closeActiveConnections?: boolean): unknown }[] = []
afterAll(async () => {
  for (const app of open) await app.stop(true)
})

interface Listening {
  listen(options: { port: number; hostname: string }): unknown
  readonly server: { readonly port?: number | undefined } | null
  stop(closeActiveConnections?: boolean): unknown
}

function serve(app: Listening): string {
  app.listen({ port: 0, hostname: '127.0.0.1' })
  open.push(app)
  return `http://127.0.0.1:${app.server?.port}`
}

const t = await createTestApp()
afterAll(t.close)
const plugin = () => machineAuth(t.core)

/** What each endpoint says to nobody, or to an empty body. */
const MANAGEMENT: readonly (readonly [string, string, ErrorCode])[] = [
  ['GET', '/auth/keys', 'credential_missing'],
  ['POST', '/auth/keys', 'credential_missing'],
  ['GET', '/auth/keys/key_x', 'credential_missing'],
  ['DELETE', '/auth/keys/key_x', 'credential_missing'],
  ['POST', '/auth/keys/key_x/revoke', 'credential_missing'],
  ['POST', '/auth/keys/verify', 'credential_missing'],
]
const TOKENS: readonly (readonly [string, string, ErrorCode | null])[] = [
  ['POST', '/auth/login', 'validation_failed'],
  ['POST', '/auth/refresh', 'validation_failed'],
  ['POST', '/auth/logout', 'validation_failed'],
  ['POST', '/auth/token/new', 'credential_missing'],
  ['POST', '/auth/token/refresh', 'validation_failed'],
  ['GET', '/.well-known/jwks.json', null],
]
const ALWAYS: readonly (readonly [string, string, ErrorCode | null])[] = [
  ['GET', '/auth/health/live', null],
  ['GET', '/auth/health/ready', null],
  ['GET', '/auth/me', 'credential_missing'],
  ['POST', '/auth/sessions', 'validation_failed'],
  ['GET', '/auth/sessions', 'credential_missing'],
  ['DELETE', '/auth/sessions/current', 'credential_missing'],
  ['DELETE', '/auth/sessions/sess_x', 'credential_missing'],
]
const ALL = [...MANAGEMENT, ...TOKENS, ...ALWAYS]

type Rows = readonly (readonly [string, string, ErrorCode | null])[]

async function expectThere(origin: string, rows: Rows, move = (path: string) => path): Promise<void> {
  for (const [method, path, code] of rows) {
    const answer = await askServer(origin, move(path), { method })
    if (code === null) expect([path, answer.status]).toEqual([path, 200])
    else expectProblem(answer, code, code === 'validation_failed' ? ['errors'] : [])
  }
}

async function expectAbsent(origin: string, rows: Rows, move = (path: string) => path): Promise<void> {
  for (const [method, path] of rows) {
    expect([path, (await askServer(origin, move(path), { method })).status]).toEqual([path, 404])
  }
}

const moveTo = (prefix: string) => (path: string) => prefix + path

describe('options', () => {
  test('everything is there by default', async () => {
    await expectThere(t.origin, ALL)
  })

  test('management: false leaves out the management of keys', async () => {
    await using app = await createTestApp({ management: false })
    await expectAbsent(app.origin, MANAGEMENT)
    await expectThere(app.origin, [...TOKENS, ...ALWAYS])
  })

  test('tokens: false leaves out the token endpoints and the signing keys', async () => {
    await using app = await createTestApp({ tokens: false })
    await expectAbsent(app.origin, TOKENS)
    await expectThere(app.origin, [...MANAGEMENT, ...ALWAYS])
  })

  test('prefix moves them all but the signing keys', async () => {
    await using app = await createTestApp({ prefix: '/api/v1/identity' })
    const move = (path: string) => path.replace(/^\/auth/, '/api/v1/identity')
    await expectThere(app.origin, ALL, move)
    await expectAbsent(app.origin, [...MANAGEMENT, ...ALWAYS])
  })
})

describe('apps', () => {
  test('an app with a prefix has them below it', async () => {
    const origin = serve(new Elysia({ prefix: '/app' }).use(plugin()).get('/key', () => 'ok', { apiKey: true }))
    await expectThere(origin, ALL, moveTo('/app'))
    await expectAbsent(origin, ALL)
    expectProblem(await askServer(origin, '/app/key'), 'credential_missing')
  })

  test('a mounted app has them below its place', async () => {
    const origin = serve(
      new Elysia().mount(
        '/sub',
        new Elysia().use(plugin()).get('/key', () => 'ok', { apiKey: true }),
      ),
    )
    await expectThere(origin, ALL, moveTo('/sub'))
    expectProblem(await askServer(origin, '/sub/key'), 'credential_missing')
  })

  test('a module that uses the plugin too guards its routes, and has no second set', async () => {
    const module = new Elysia({ prefix: '/module' })
      .use(plugin())
      .get('/key', ({ apiKey }) => apiKey.id, { apiKey: true })
    const origin = serve(new Elysia().use(plugin()).use(module))
    const key = await addKey(t)
    await expectThere(origin, ALL)
    await expectAbsent(origin, ALL, moveTo('/module'))
    expectProblem(await askServer(origin, '/module/key'), 'credential_missing')
    expect((await askServer(origin, '/module/key', { headers: key.headers })).text).toBe(key.id)
  })

  test('modules alone share the set of the one with the shortest prefix', async () => {
    const module = (prefix: '/a' | '/long') =>
      new Elysia({ prefix }).use(plugin()).get('/key', () => 'ok', { apiKey: true })
    const origin = serve(new Elysia().use(module('/long')).use(module('/a')))
    await expectThere(origin, ALL, moveTo('/a'))
    await expectAbsent(origin, ALL, moveTo('/long'))
    for (const prefix of ['/a', '/long']) expectProblem(await askServer(origin, `${prefix}/key`), 'credential_missing')
  })

  test('a route of the app’s own that ends the same does not move them', async () => {
    const own = new Elysia().get('/x/auth/me', () => 'mine')
    const origin = serve(own.use(new Elysia({ prefix: '/a/long/place' }).use(plugin())))
    expect((await askServer(origin, '/x/auth/me')).text).toBe('mine')
    await expectThere(origin, ALL, moveTo('/a/long/place'))
  })
})

describe('one core behind two apps', () => {
  test('each has them at its own place', async () => {
    await expectThere(serve(new Elysia().use(plugin())), ALL)
    await expectThere(serve(new Elysia({ prefix: '/v2' }).use(plugin())), ALL, moveTo('/v2'))
  })

  test('what one revokes, the other refuses', async () => {
    const other = serve(new Elysia().use(plugin()).get('/key', ({ apiKey }) => apiKey.id, { apiKey: true }))
    const key = await addKey(t)
    for (const origin of [t.origin, other]) {
      expect((await askServer(origin, '/key', { headers: key.headers })).status).toBe(200)
    }
    await t.core.keys.revoke(key.id)
    for (const origin of [t.origin, other]) {
      expectProblem(await askServer(origin, '/key', { headers: key.headers }), 'api_key_revoked')
    }
  })
})

describe('two cores in one process', () => {
  async function withOther(use: (other: TestApp) => Promise<void>): Promise<void> {
    await using other = await createTestApp({
      secret: 'another-root-secret-of-tests-9rTq4WvXb2',
      roles: { admin: [], user: [] },
    })
    await use(other)
  }

  test('neither takes the other’s credentials', async () => {
    await withOther(async (other) => {
      await addPeople(other)
      const key = await addKey(other)
      const { headers } = await addTokens(other, 'user_alice')
      expect((await other.ask('/key', { headers: key.headers })).status).toBe(200)
      expect((await other.ask('/token', { headers })).status).toBe(200)
      expectProblem(await t.ask('/key', { headers: key.headers }), 'api_key_invalid')
      expectProblem(await t.ask('/token', { headers }), 'token_invalid')
    })
  })

  test('each keeps its own roles', async () => {
    await withOther(async (other) => {
      await addPeople(other)
      await t.core.users.create({ email: 'same@example.com', id: 'user_alice', roles: ['admin'] })
      const theirs = (await addTokens(other, 'user_alice')).headers
      const ours = (await addTokens(t, 'user_alice')).headers
      expectProblem(await other.ask('/users', { headers: theirs }), 'permission_required', ['required'])
      expect((await t.ask('/users', { headers: ours })).status).toBe(200)
    })
  })

  test('one app cannot use both: guards of one would take the credentials of the other', async () => {
    await withOther(async (other) => {
      const routes = (core: TestApp['core'], prefix: '/one' | '/two') =>
        new Elysia({ prefix }).use(machineAuth(core)).get('/key', ({ apiKey }) => apiKey.id, { apiKey: true })
      const app = new Elysia().use(routes(t.core, '/one')).use(routes(other.core, '/two'))
      const { headers } = await addKey(t)
      const { result, log } = await withLog(() => app.handle(new Request('http://localhost/two/key', { headers })))
      expectProblem(await readAnswer(result), 'internal_error')
      expect(log.join()).toContain('two cores')
    })
  })

  test('one app can mount the other', async () => {
    await withOther(async (other) => {
      const inner = new Elysia().use(machineAuth(other.core)).get('/key', ({ apiKey }) => apiKey.id, { apiKey: true })
      const origin = serve(new Elysia().use(plugin()).mount('/inner', inner))
      const [ours, theirs] = [await addKey(t), await addKey(other)]
      expect((await askServer(origin, '/inner/key', { headers: theirs.headers })).text).toBe(theirs.id)
      expectProblem(await askServer(origin, '/inner/key', { headers: ours.headers }), 'api_key_invalid')
    })
  })
})

test('a path of ours that is no endpoint is 404 with a request id', async () => {
  for (const path of ['/auth', '/auth/', '/auth/nothing', '/auth/keys/a/b', '/auth/keys/key_x/rotate']) {
    const answer = await t.ask(path)
    expect([path, answer.status]).toEqual([path, 404])
    expect(textAt({ id: answer.headers.get('x-request-id') }, 'id')).not.toBe('')
  }
})
