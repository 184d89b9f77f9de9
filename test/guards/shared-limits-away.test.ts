/** What becomes of requests when counts that are elsewhere are away, and nobody is to be let in uncounted. */
import { describe, expect, test } from 'bun:test'
import { expectProblem } from '../support/answers.ts'
import { askTimes, type Extend } from '../support/limited.ts'
import { MemorySharedLimits } from '../support/shared-limits.ts'
import { addKey, createTestApp, type Question } from '../support/test-app.ts'

const OWN = { limit: 3, window: '1m' } as const
const RATE = { limit: 10, window: '1m' } as const
const AWAY = '503 storage_unavailable'

const routes: Extend = (app) =>
  app
    .get('/own', () => 'own', { rateLimit: OWN })
    .get('/one', () => 'one', { rateLimit: { concurrent: 5 } })
    .get('/both', () => 'both', { rateLimit: [{ concurrent: 5 }, OWN] })
    .get('/guarded', () => 'guarded', { apiKey: true, rateLimit: OWN })
    .get('/ask/key', async ({ auth }) => (await auth.apiKey()).id)
    .get('/ask/limit', async ({ auth }) => (await auth.rateLimit(OWN)).remaining)
    .get('/ask/caught', async ({ auth }) => {
      await auth.rateLimit(OWN).catch(() => undefined)
      return 'caught'
    })
    .get('/ask/nothing', ({ auth }) => String(auth.principal))

async function serve(options: Parameters<typeof createTestApp>[0] = {}) {
  const shared = new MemorySharedLimits()
  const t = await createTestApp(
    { protect: [{ path: '/ruled', require: { apiKey: true } }], ...options },
    routes,
    shared,
  )
  return { t, shared }
}

describe('without them', () => {
  test.each<[name: string, path: string, key: 'none' | 'rated' | 'plain', said: string, afterwards: string]>([
    ['a limit', '/own', 'none', AWAY, '200'],
    ['a limit of requests under way', '/one', 'none', AWAY, '200'],
    ['both', '/both', 'none', AWAY, '200'],
    ['a key with a limit of its own', '/key', 'rated', AWAY, '200'],
    ['a key with one, and a rule', '/ruled/nowhere', 'rated', AWAY, '404 not_found'],
    ['a key with one, and a limit', '/guarded', 'rated', AWAY, '200'],
    ['a handler that asks for a key', '/ask/key', 'rated', AWAY, '200'],
    ['a handler that asks for a limit', '/ask/limit', 'none', AWAY, '200'],
    ['a handler that goes on without one', '/ask/caught', 'none', '200', '200'],
    ['a key without one', '/key', 'plain', '200', '200'],
    ['a key with one that nobody asks for', '/open', 'rated', '200', '200'],
    ['a route without any', '/open', 'none', '200', '200'],
    ['a handler that asks for nothing', '/ask/nothing', 'rated', '200', '200'],
    ['an unknown path', '/nowhere', 'none', '404 not_found', '404 not_found'],
    ['a probe', '/auth/health/live', 'none', '200', '200'],
  ])('%s', async (_, path, key, said, afterwards) => {
    const { t, shared } = await serve()
    await using _app = t
    const headers = key === 'none' ? {} : (await addKey(t, key === 'rated' ? { rateLimit: RATE } : {})).headers
    shared.isAway = true
    const answer = await t.ask(path, { headers })
    expect(answer.said).toBe(said)
    if (said === AWAY) {
      expectProblem(answer, 'storage_unavailable', ['retryAfter'])
      expect([answer.headers.get('retry-after'), answer.json.retryable]).toEqual(['1', true])
    }
    shared.isAway = false
    expect((await t.ask(path, { headers })).said).toBe(afterwards)
    expect(shared.underWay).toBe(0)
  })

  test.each<[name: string, by: 'ip' | 'apiKey', path: string, question: Question]>([
    ['by address', 'ip', '/open', {}],
    ['by address, of an unknown path', 'ip', '/nowhere', {}],
    ['by key', 'apiKey', '/open', {}],
    ['by key, of an unknown path', 'apiKey', '/nowhere', { method: 'PUT' }],
  ])('a default limit %s', async (_, by, path, question) => {
    const { t, shared } = await serve({ rateLimit: { default: { ...OWN, by } } })
    await using _app = t
    shared.isAway = true
    expect((await t.ask(path, question)).said).toBe(AWAY)
    expect((await t.ask('/auth/health/live')).said).toBe('200')
    expect((await t.ask('/own')).said).toBe(AWAY)
  })

  test('a quota that was taken is given back', async () => {
    const { t, shared } = await serve()
    await using _app = t
    const { headers } = await addKey(t, { rateLimit: RATE, monthlyQuota: 2 })
    shared.isAway = true
    expect(await askTimes(t, 4, '/key', { headers })).toEqual(Array(4).fill(AWAY))
    shared.isAway = false
    expect(await askTimes(t, 3, '/key', { headers })).toEqual(['200', '200', '429 quota_exceeded'])
  })
})
