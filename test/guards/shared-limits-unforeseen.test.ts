/** Limits that several processes share, on routes of every form, and where nobody could foresee the route. */
import { describe, expect, test } from 'bun:test'
import { askTimes, type Extend } from '../support/limited.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { addKey, createTestApp } from '../support/test-app.ts'
import { sendRaw } from './support.ts'

const limit = (name: string) => ({ limit: 4, window: '1m', name }) as const

const routes: Extend = (app) =>
  app
    .get('/accent/é', () => 'in', { rateLimit: limit('accent') })
    .get('/with blank', () => 'in', { rateLimit: limit('blank') })
    .get('/v:version/x', () => 'in', { rateLimit: limit('version') })
    .get('/file.:ext', () => 'in', { rateLimit: limit('ext') })
    .get('/pre*', () => 'in', { rateLimit: limit('pre') })
    .get('/perhaps/:id?', () => 'in', { rateLimit: limit('perhaps') })
    .get('/item/:id', () => 'in', { rateLimit: { ...limit('item'), lockout: '1h' } })
    .get('/one/:id', () => 'in', { rateLimit: { concurrent: 2 } })
    .get('/wild/*', () => 'in', { rateLimit: limit('wild') })
    .get('/:any/known', () => 'in', { rateLimit: limit('known') })

async function serve(processes: number) {
  const shared = new MemorySharedLimits({ processes })
  const apps = await Promise.all(Array.from({ length: processes }, () => createTestApp({}, routes, shared)))
  /** Statuses of requests, each to the next process. */
  const send = async (targets: readonly string[], head = 'Host: localhost') => {
    const statuses: (number | undefined)[] = []
    for (const [index, target] of targets.entries()) {
      const origin = apps[index % processes]?.origin ?? ''
      statuses.push((await sendRaw(origin, `GET ${target} HTTP/1.1\r\n${head}\r\n\r\n`))?.status)
    }
    return statuses
  }
  return {
    shared,
    apps,
    send,
    async [Symbol.asyncDispose]() {
      for (const app of apps) await app[Symbol.asyncDispose]()
    },
  }
}

const admitted = (statuses: readonly (number | undefined)[]) => statuses.filter((status) => status === 200).length

test.each([
  ['letters beyond ASCII', '/accent/%C3%A9'],
  ['a blank', '/with%20blank'],
  ['a parameter in a segment', '/v1/x'],
  ['one at the end of a segment', '/file.txt'],
  ['a wildcard in a segment', '/prefix/1'],
  ['a parameter that may be missing', '/perhaps'],
  ['a slash too many', '/perhaps/'],
  ['a route that the server finds before the router would', '/wild/known'],
])('%s: all processes have exactly the limit together', async (_, path) => {
  await using served = await serve(2)
  // What the server itself prefers is learned with the first request that comes to it.
  const first = path === '/wild/known' ? await served.send([path, path]) : []
  const statuses = [...first, ...(await served.send(Array(12).fill(path)))]
  expect(admitted(statuses)).toBe(4)
  expect(statuses.slice(8)).toEqual(Array(statuses.length - 8).fill(429))
  if (first.length === 0) expect(served.shared.calls.told).toEqual([])
})

describe('what its URL does not show', () => {
  test.each<[name: string, targets: readonly string[], head: string]>([
    ['', ['/item/1', '/item/..', '/item/.', '/item/%2e%2e'], 'Host: localhost'],
    ['of a host that is too short', ['/item/1', '/wild/aaaaaaaaaaaa/item/1'], 'Host: a'],
  ])('%s has no more than the limit, and a share for each process', async (_, targets, head) => {
    await using served = await serve(2)
    const asked = Array.from({ length: 40 }, (_none, index) => targets[Math.floor(index / 2) % targets.length] ?? '')
    const statuses = await served.send(asked, head)
    expect(admitted(statuses)).toBeWithin(4, 4 + 2 * 2 + 1)
  })

  test('is known from the second request on', async () => {
    await using served = await serve(1)
    expect(await served.send(['/item/..', '/item/..', '/item/..'])).toEqual([200, 200, 200])
    const { told, hits } = served.shared.calls
    expect([told.length, hits.length]).toEqual([1, 2])
  })

  test('is 503 where shared counts are away that must be there, the key’s own limit included', async () => {
    await using served = await serve(1)
    const [app] = served.apps
    if (app === undefined) throw new Error('no app')
    const { headers } = await addKey(app, { rateLimit: { limit: 4, window: '1m' } })
    served.shared.isAway = true
    expect(await served.send(['/item/..', '/one/..', '/item/..'])).toEqual([503, 503, 503])
    expect(await askTimes(app, 1, '/key', { headers })).toEqual(['503 storage_unavailable'])
    served.shared.isAway = false
    expect(await served.send(['/item/..', '/one/..'])).toEqual([200, 200])
    expect(served.shared.underWay).toBe(0)
  })
})

test('nobody is locked out for having used up a share', async () => {
  const shared = new MemorySharedLimits()
  const reading = { isAllowed: false, remaining: 0, resetAfter: 1000, retryAfter: 1000 }
  let isOfShare = true
  shared.hitAll = (claims) => claims.map(({ limiter: { rate } }) => ({ ...reading, rate, isOfShare }))
  await using t = await createTestApp({}, routes, shared)
  expect(await askTimes(t, 2, '/item/1')).toEqual(['429 rate_limited', '429 rate_limited'])
  isOfShare = false
  expect(await askTimes(t, 2, '/item/1')).toEqual(['429 locked_out', '429 locked_out'])
})
