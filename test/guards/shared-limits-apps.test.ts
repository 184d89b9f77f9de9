/** Limits that are counted elsewhere, where a core has several apps, or an app of another inside. */
import { expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { remainingOf } from '../support/limited.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { askServer, createTestCore } from '../support/test-app.ts'
import { handle } from './support.ts'

const limit = (name: string) => ({ limit: 5, window: '1m', name }) as const

test('of two apps of one core each counts what its own routes say', async () => {
  const shared = new MemorySharedLimits()
  const { core } = createTestCore({}, shared)
  await core.ready
  const one = new Elysia().use(machineAuth(core)).get('/', () => 'one', { rateLimit: limit('one') })
  const other = new Elysia().use(machineAuth(core)).get('/', () => 'other', { rateLimit: limit('other') })
  const free = new Elysia().use(machineAuth(core)).get('/', () => 'free')
  const apps = [one, other, free].map((app) => app.listen({ port: 0, hostname: '127.0.0.1' }))
  const ask = async (index: number) =>
    remainingOf(await askServer(`http://127.0.0.1:${apps[index]?.server?.port}`, '/'))
  // Whose a request is shows with the first: until then it is counted at once, and told.
  expect([await ask(0), await ask(1), await ask(2)]).toEqual([{ one: 4 }, { other: 4 }, {}])
  expect([shared.calls.hits.length, shared.calls.told.length]).toEqual([0, 2])
  for (const left of [3, 2]) {
    expect([await ask(0), await ask(1), await ask(2)]).toEqual([{ one: left }, { other: left }, {}])
  }
  const names = shared.calls.hits.map(([claim]) => /"(one|other)"/.exec(claim ?? '')?.[1])
  expect(names).toEqual(['one', 'other', 'one', 'other'])
  await Promise.all(apps.map((app) => app.stop(true)))
  await core.close()
})

test('of apps that do not listen, whichever it is', async () => {
  const { core } = createTestCore({}, new MemorySharedLimits())
  await core.ready
  const one = new Elysia().use(machineAuth(core)).get('/', () => 'one', { rateLimit: limit('one') })
  const other = new Elysia().use(machineAuth(core)).get('/', () => 'other', { rateLimit: limit('other') })
  for (const left of [4, 3, 2]) {
    expect(remainingOf(await handle(one, '/'))).toEqual({ one: left })
    expect(remainingOf(await handle(other, '/'))).toEqual({ other: left })
  }
  await core.close()
})

test('in a mounted app of the same core, and of another', async () => {
  const shared = new MemorySharedLimits()
  const [same, foreign] = [createTestCore({}, shared), createTestCore({}, shared)]
  await Promise.all([same.core.ready, foreign.core.ready])
  const inner = new Elysia().use(machineAuth(same.core)).get('/', () => 'in', { rateLimit: limit('inner') })
  const strange = new Elysia().use(machineAuth(foreign.core)).get('/', () => 'in', { rateLimit: limit('strange') })
  const app = new Elysia()
    .use(machineAuth(same.core))
    .get('/', () => 'out', { rateLimit: limit('outer') })
    .mount('/same', (request: Request) => inner.handle(request))
    .mount('/foreign', (request: Request) => strange.handle(request))
    .listen({ port: 0, hostname: '127.0.0.1' })
  const ask = async (path: string) => {
    const answer = await askServer(`http://127.0.0.1:${app.server?.port}`, path)
    return [answer.status, remainingOf(answer)]
  }
  for (const path of ['/', '/same/', '/foreign/']) expect((await ask(path))[0]).toBe(200)
  for (const left of [3, 2]) {
    expect(await ask('/')).toEqual([200, { outer: left }])
    expect(await ask('/same/')).toEqual([200, { inner: left }])
    expect(await ask('/foreign/')).toEqual([200, { strange: left }])
  }
  await app.stop(true)
  await Promise.all([same.core.close(), foreign.core.close()])
})

test('a hook that answers first leaves nobody uncounted, and nobody under way', async () => {
  const shared = new MemorySharedLimits()
  const limits = [{ limit: 2, window: '1m', by: 'apiKey', name: 'default' } as const, { concurrent: 1 } as const]
  const { core } = createTestCore({ rateLimit: { default: limits } }, shared)
  await core.ready
  const app = new Elysia()
    .onRequest(({ request }) => (request.url.endsWith('/cached') ? new Response('cached') : undefined))
    .use(machineAuth(core))
    .get('/', () => 'in')
  const statuses: number[] = []
  for (const path of ['/cached', '/', '/cached', '/']) statuses.push((await handle(app, path)).status)
  expect(statuses).toEqual([200, 200, 429, 429])
  expect([shared.calls.entered, shared.underWay]).toEqual([4, 0])
  await core.close()
})
