/** Apps that do without our request hook: they answer as those do that have it, and keep out whom they kept out. */
import { describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { addKey, createTestApp, createTestCore, type TestApp } from '../support/test-app.ts'

type App = TestApp['app']

function hooksOf(app: object): number {
  return (app as { readonly event: { readonly request?: readonly unknown[] } }).event.request?.length ?? 0
}

describe('the request hook', () => {
  test.each([
    ['an app as it is', 0, {}, () => undefined],
    ['an app that listens to requests itself', 2, {}, (app: App) => app.onRequest(() => undefined)],
    ['an app that answers errors itself', 1, {}, (app: App) => app.onError(() => undefined)],
    ['a route that answers errors itself', 1, {}, (app: App) => app.get('/e', '', { error: () => undefined })],
    ['an app with headers on every answer', 1, {}, (app: App) => app.headers({ 'x-powered-by': 'tests' })],
    ['an app that is traced', 1, {}, (app: App) => app.trace(() => undefined)],
    ['rules for paths', 1, { protect: [{ path: '/posts', require: { apiKey: true } }] }, () => undefined],
    ['a default limit', 1, { rateLimit: { default: { limit: 9, window: '1m' } } }, () => undefined],
    ['answers that are kept', 1, { logging: { mode: 'raw' } }, () => undefined],
  ] as const)('%s: %i left', async (_, left, options, extend) => {
    await using app = await createTestApp(options as object, extend as (app: App) => unknown)
    expect(hooksOf(app.app)).toBe(left)
  })

  test('stays where a route was declared before the plugin', async () => {
    const { core } = createTestCore()
    const app = new Elysia()
      .get('/early', () => 'early')
      .use(machineAuth(core))
      .listen({ port: 0 })
    await core.ready
    const answer = await fetch(new URL('/early', app.server?.url))
    expect([hooksOf(app), answer.headers.has('x-request-id')]).toEqual([1, true])
    await app.stop(true)
    await core.close()
  })
})

describe('without it', () => {
  let handled = 0
  const extend = (app: App) =>
    app
      .get('/counted', () => {
        handled += 1
        return 'counted'
      })
      .get('/thrown', () => {
        throw new Error('thrown')
      })
      .post('/body', ({ body }) => body)

  test.each([
    ['an answer', '/open', {}, 200],
    ['a refusal', '/key', {}, 401],
    ['no route', '/nowhere', {}, 404],
    ['a method that no route has', '/open', { method: 'DELETE' }, 404],
    ['only the head of an answer', '/open', { method: 'HEAD' }, 200],
    ['an error', '/thrown', {}, 500],
    [
      'a body that cannot be read',
      '/body',
      { method: 'POST', raw: '{', headers: { 'content-type': 'application/json' } },
      400,
    ],
  ] as const)('%s has the id of its request', async (_, path, question, status) => {
    await using app = await createTestApp({}, extend)
    expect(hooksOf(app.app)).toBe(0)
    const answer = await app.ask(path, {
      ...question,
      headers: { ...('headers' in question ? question.headers : {}), 'x-request-id': 'the-id-of-it' },
    })
    expect([answer.status, answer.headers.get('x-request-id')]).toEqual([status, 'the-id-of-it'])
  })

  test('whoever is blocked never comes to a handler', async () => {
    await using app = await createTestApp({}, extend)
    expect((await app.ask('/counted')).status).toBe(200)
    await app.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    handled = 0
    for (const path of ['/counted', '/key', '/nowhere', '/auth/me']) {
      const { status, json, headers } = await app.ask(path, { headers: { 'x-request-id': 'the-id-of-it' } })
      expect([path, status, json.code, json.requestId]).toEqual([path, 403, 'address_blocked', 'the-id-of-it'])
      expect(headers.get('x-request-id')).toBe('the-id-of-it')
      expect(headers.get('retry-after')).not.toBeNull()
    }
    expect(handled).toBe(0)
  })

  test('nor when a hook of requests is added later', async () => {
    await using app = await createTestApp({}, extend)
    expect((await app.ask('/counted')).status).toBe(200)
    app.app.onRequest(() => undefined).get('/later', () => 'later')
    await app.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    handled = 0
    for (const path of ['/counted', '/later']) expect((await app.ask(path)).status).toBe(403)
    expect(handled).toBe(0)
  })

  test('onDenied is asked about whoever is blocked', async () => {
    await using app = await createTestApp({ onDenied: ({ code }) => new Response(code, { status: 418 }) }, extend)
    await app.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    const { status, text } = await app.ask('/counted')
    expect([status, text]).toEqual([418, 'address_blocked'])
  })

  test('probes are answered all the same, also after other routes', async () => {
    await using app = await createTestApp({}, extend)
    const { headers } = await addKey(app)
    for (let round = 0; round < 3; round += 1) {
      expect((await app.ask('/key', { headers })).status).toBe(200)
      expect((await app.ask('/auth/health/live')).status).toBe(200)
    }
    await app.core.blocks.add({ subject: '127.0.0.1', duration: '1h' })
    expect((await app.ask('/auth/health/live')).status).toBe(200)
    expect((await app.ask('/key', { headers })).status).toBe(403)
  })
})
