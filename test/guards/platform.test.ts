/**
 * What Elysia itself does, without the plugin: the facts that guards are built on or work around. A failure here means
 * that a release changed one, and that the code named beside it wants another look.
 */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia, t } from 'elysia'
import { isAsync } from 'elysia/compose'
import { internalsOf } from '../../src/guards/elysia-internals.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { ask, handle, JSON_TYPE, sendRaw, unfinishedUpload, upgradeRequest } from './support.ts'

function refuse(): never {
  throw new Error('refused')
}

/** As in plain JavaScript: options of any kind. */
function unchecked(options: object): Record<never, never> {
  return options
}

test('T1: applying macros stops at one that yields nothing, and the guard after it is not there', async () => {
  const app = new Elysia()
    .macro('logged', (_: boolean) => undefined as unknown as Record<never, never>)
    .macro('guarded', (_: true) => ({ transform: refuse }))
    .get('/after', () => 'open', { logged: true, guarded: true })
    .get('/before', () => 'open', { guarded: true, logged: true })
  expect([(await handle(app, '/after')).status, (await handle(app, '/before')).status]).toEqual([200, 500])
})

test('T1: what was not applied is still in the options of the route', () => {
  const app = new Elysia().get('/x', () => 'open', unchecked({ guarded: true }))
  expect(Object.keys(internalsOf(app).router.history[0]?.hooks ?? {})).toContain('guarded')
})

describe('a falsy first option makes Elysia drop all options of a route', () => {
  test.each([
    ['unknown', { other: false }],
    ['zero', { idleTimeout: 0 }],
    ['empty', { type: '' }],
  ])('%s', async (_, first) => {
    const app = new Elysia()
      .derive(() => ({}))
      .get('/x', () => 'open', unchecked({ ...first, transform: refuse }))
      .get('/y', () => 'open', unchecked({ detail: {}, ...first, transform: refuse }))
    expect([(await handle(app, '/x')).status, (await handle(app, '/y')).status]).toEqual([200, 500])
  })
})

test('`.guard` without a callback forgets options it does not know', () => {
  const app = new Elysia().guard(unchecked({ guarded: true })).get('/x', () => 'open')
  expect(Object.keys(internalsOf(app).router.history[0]?.hooks ?? {})).not.toContain('guarded')
})

test('a macro’s `parse` is dropped beside a parser named by a bare string', () => {
  const macro = { parse: () => ({}) }
  const app = new Elysia()
    .macro('guarded', (_: true) => macro)
    .post('/text', () => '', { guarded: true, parse: 'json' })
    .post('/list', () => '', { guarded: true, parse: ['json'] })
  const parsers = internalsOf(app).router.history.map(({ hooks }) => hooks.parse?.length)
  expect(parsers).toEqual([1, 2])
})

describe('T6, T7: the order of hooks', () => {
  const seen: string[] = []
  const app = new Elysia()
    .macro('early', (_: true) => ({
      parse: () => {
        seen.push('parse')
        return {}
      },
      transform: () => {
        seen.push('transform')
      },
      beforeHandle: () => {
        seen.push('beforeHandle')
      },
    }))
    .post('/x', () => 'handled', { early: true, body: t.Object({ a: t.String() }) })
    .listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`
  afterAll(() => app.stop(true))

  test('a value from `parse` skips reading the body; `transform` runs before, `beforeHandle` after validation', async () => {
    expect((await sendRaw(origin, unfinishedUpload('POST', '/x', JSON_TYPE)))?.status).toBe(422)
    expect(seen).toEqual(['parse', 'transform'])
  })

  test('throwing in `parse` is a 400 of Elysia’s own', async () => {
    const thrower = new Elysia().post('/x', ({ body }) => body, { parse: refuse })
    expect((await handle(thrower, '/x', { method: 'POST', body: '{}', headers: JSON_TYPE })).status).toBe(400)
  })
})

test('T8: hooks of routes do not run for unknown paths', async () => {
  const app = new Elysia().onBeforeHandle(refuse).onTransform(refuse)
  expect((await handle(app, '/nowhere')).status).toBe(404)
})

describe('T13: hooks of a WebSocket run twice for one upgrade, with one and the same request', () => {
  const requests: Request[] = []
  const app = new Elysia()
    .ws('/x', {
      beforeHandle: ({ request }) => {
        requests.push(request)
      },
      message() {},
    })
    .listen({ port: 0, hostname: '127.0.0.1' })
  afterAll(() => app.stop(true))

  test('counted', async () => {
    const answer = await sendRaw(`http://127.0.0.1:${app.server?.port}`, upgradeRequest('/x'))
    expect(answer?.status).toBe(101)
    expect(requests).toHaveLength(2)
    expect(requests[0]).toBe(requests[1] as Request)
  })
})

describe('T17: a Response or Error that a hook returns does not refuse', () => {
  const response = () => new Response('no', { status: 401 }) as unknown as Record<string, unknown>
  const error = () => new Error('no') as unknown as Record<string, unknown>

  test.each([
    ['transform', new Elysia().onTransform(response as unknown as () => undefined).get('/x', () => 'open')],
    ['derive', new Elysia().derive(response).get('/x', () => 'open')],
    ['resolve', new Elysia().resolve(response).get('/x', () => 'open')],
    ['derive with an error', new Elysia().derive(error).get('/x', () => 'open')],
    ['resolve with an error', new Elysia().resolve(error).get('/x', () => 'open')],
  ] as const)('%s', async (_, app) => {
    expect((await handle(app, '/x')).status).toBe(200)
  })
})

test('T18: unknown members of a body are dropped, not refused', async () => {
  const app = new Elysia().post('/x', ({ body }) => body, {
    body: t.Object({ a: t.String() }, { additionalProperties: false }),
  })
  const answer = await handle(app, '/x', { method: 'POST', body: '{"a":"1","b":2}', headers: JSON_TYPE })
  expect([answer.status, answer.text]).toEqual([200, '{"a":"1"}'])
})

test('T20: a constant is served before its hooks when it has all four kinds', async () => {
  const hooks = { parse: () => ({}), beforeHandle: () => undefined, afterHandle: () => undefined }
  const app = new Elysia()
    .post('/four', 'constant', { ...hooks, transform: refuse })
    .post('/three', 'constant', { parse: hooks.parse, beforeHandle: hooks.beforeHandle, transform: refuse })
    .post('/function', () => 'constant', { ...hooks, transform: refuse })
  const statuses = ['/four', '/three', '/function'].map(
    async (path) => (await handle(app, path, { method: 'POST' })).status,
  )
  expect(await Promise.all(statuses)).toEqual([200, 500, 500])
})

test('Elysia looks for the path from a fixed place in the URL, whatever the host', async () => {
  const app = new Elysia().get('/secret', () => 'found').listen({ port: 0, hostname: '127.0.0.1' })
  try {
    const origin = `http://127.0.0.1:${app.server?.port}`
    const answer = await sendRaw(origin, 'GET /aaaaaaaaaaaa/secret HTTP/1.1\r\nHost: x\r\n\r\n')
    expect(answer?.text).toContain('found')
    expect((await ask(`${origin}/aaaaaaaaaaaa/secret`)).status).toBe(404)
  } finally {
    await app.stop(true)
  }
})

describe('what Elysia makes of our hooks', () => {
  const { plugin } = createTestPlugin()
  const app = new Elysia()
    .use(plugin)
    .get('/apiKey', () => '', { apiKey: true })
    .get('/currentUser', () => '', { currentUser: true, requireRole: 'admin' })
    .get('/public', () => '', { public: true })
    .get('/plain', () => '')
  const { history } = internalsOf(app).router

  test.each(history.map(({ path, hooks }) => ({ path, hooks })))('$path waits for no hook', ({ hooks }) => {
    const transforms = hooks.transform ?? []
    expect(transforms.length).toBeGreaterThan(0)
    expect(transforms.map((hook) => isAsync(hook as unknown as Parameters<typeof isAsync>[0]))).toEqual(
      transforms.map(() => false),
    )
  })

  test('none of them makes a route read body, cookies, headers or query', () => {
    const { body, cookie, headers, query, server } = internalsOf(app).inference ?? {}
    expect({ body, cookie, headers, query, server }).toEqual({
      body: false,
      cookie: false,
      headers: false,
      query: false,
      server: false,
    })
  })
})
