/** `POST /keys` with a rate, a quota and credits: what is taken, what is refused, and what is shown. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, objectAt, textAt } from '../support/answers.ts'
import { askTimes, LIMITED } from '../support/limited.ts'
import { addKey, asMaster, createTestApp, withKey } from '../support/test-app.ts'

const t = await createTestApp()
afterAll(t.close)
const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })

const MOST = 1_000_000_000
const create = (body: object) => t.ask('/auth/keys', { body: { name: 'x', ...body }, headers: asMaster })

describe('a key', () => {
  test.each<[name: string, given: object, shown: object]>([
    ['with nothing', {}, { rateLimit: null, monthlyQuota: null, credits: null }],
    ['with a rate', { rateLimit: { limit: 60, window: '1m' } }, { rateLimit: { limit: 60, window: '1m' } }],
    [
      'with a rate in other words',
      { rateLimit: { limit: 1, window: '60 seconds' } },
      { rateLimit: { limit: 1, window: '1m' } },
    ],
    [
      'with the greatest rate',
      { rateLimit: { limit: MOST, window: '31 days' } },
      { rateLimit: { limit: MOST, window: '31d' } },
    ],
    ['with a quota', { monthlyQuota: 1 }, { monthlyQuota: 1 }],
    ['with the greatest quota', { monthlyQuota: MOST }, { monthlyQuota: MOST }],
    ['with credits', { credits: { remaining: 5 } }, { credits: { remaining: 5 } }],
    ['with no credits', { credits: { remaining: 0 } }, { credits: { remaining: 0 } }],
    [
      'with a refill',
      { credits: { remaining: 5, refill: { amount: 100, every: '24 hours' } } },
      { credits: { remaining: 5, refill: { amount: 100, every: '1d' } } },
    ],
  ])('%s is shown with it, when it is made and later', async (_, given, shown) => {
    const answer = await create(given)
    expect(answer.status).toBe(201)
    const key = objectAt(answer.json, 'key')
    expect(key).toMatchObject(shown)
    expect((await t.ask(`/auth/keys/${key.id}`, { headers: asMaster })).json).toEqual(key)
    const { json } = await t.ask('/auth/keys', { headers: asMaster })
    expect(listAt(json, 'items')).toContainEqual(key)
  })

  test('is held to it at once', async () => {
    const { json } = await create({ rateLimit: { limit: 2, window: '1h' }, monthlyQuota: 9, credits: { remaining: 9 } })
    const headers = withKey(textAt(json, 'rawKey'))
    expect(await askTimes(t, 3, '/key', { headers })).toEqual(['200', '200', LIMITED])
  })

  test.each([
    ['a quota', { monthlyQuota: 1 }],
    ['credits', { credits: { remaining: 1 } }],
  ])('is refused when it has used up %s', async (_, given) => {
    const headers = withKey(textAt((await create(given)).json, 'rawKey'))
    expect(await askTimes(t, 2, '/key', { headers })).toEqual(['200', '429 quota_exceeded'])
  })
})

describe('what is no limit is refused, and nothing is written', () => {
  const rate = (rateLimit: unknown) => ({ rateLimit })
  const refill = (given: unknown) => ({ credits: { remaining: 1, refill: given } })
  test.each<[string, object, ...string[]]>([
    ['a rate of nothing', rate({ limit: 0, window: '1m' }), 'rateLimit.limit'],
    ['half a request', rate({ limit: 0.5, window: '1m' }), 'rateLimit.limit'],
    ['a rate as text', rate({ limit: '60', window: '1m' }), 'rateLimit.limit'],
    ['a rate above a billion', rate({ limit: MOST + 1, window: '1m' }), 'rateLimit.limit'],
    ['a rate without a limit', rate({ window: '1m' }), 'rateLimit.limit'],
    ['a rate without a window', rate({ limit: 1 }), 'rateLimit.window'],
    ['a window in seconds', rate({ limit: 1, window: 60 }), 'rateLimit.window'],
    ['a window in words', rate({ limit: 1, window: 'soon' }), 'rateLimit.window'],
    ['no window', rate({ limit: 1, window: '0s' }), 'rateLimit.window'],
    ['a window of 32 days', rate({ limit: 1, window: '32d' }), 'rateLimit.window'],
    ['a window of 33 characters', rate({ limit: 1, window: `${'0'.repeat(31)}1m` }), 'rateLimit.window'],
    ['a rate with a strategy', rate({ limit: 1, window: '1m', strategy: 'token-bucket' }), 'rateLimit.strategy'],
    ['a list for a rate', rate([{ limit: 1, window: '1m' }]), 'rateLimit.0', 'rateLimit.limit', 'rateLimit.window'],
    ['a number for a rate', rate(60), 'rateLimit.limit', 'rateLimit.window'],
    ['false for a rate', rate(false), 'rateLimit.limit', 'rateLimit.window'],
    ['a quota of nothing', { monthlyQuota: 0 }, 'monthlyQuota'],
    ['a quota below nothing', { monthlyQuota: -1 }, 'monthlyQuota'],
    ['half a quota', { monthlyQuota: 1.5 }, 'monthlyQuota'],
    ['a quota as text', { monthlyQuota: '100' }, 'monthlyQuota'],
    ['a quota above a billion', { monthlyQuota: MOST + 1 }, 'monthlyQuota'],
    ['credits as a number', { credits: 5 }, 'credits.remaining'],
    ['credits below nothing', { credits: { remaining: -1 } }, 'credits.remaining'],
    ['half a credit', { credits: { remaining: 0.5 } }, 'credits.remaining'],
    ['credits as text', { credits: { remaining: '5' } }, 'credits.remaining'],
    ['credits without a number', { credits: {} }, 'credits.remaining'],
    ['unknown members of credits', { credits: { remaining: 1, used: 0 } }, 'credits.used'],
    ['a refill of nothing', refill({ amount: 0, every: '1d' }), 'credits.refill.amount'],
    ['a refill without an amount', refill({ every: '1d' }), 'credits.refill.amount'],
    ['a refill without a time', refill({ amount: 1 }), 'credits.refill.every'],
    ['a refill in seconds', refill({ amount: 1, every: 60 }), 'credits.refill.every'],
    ['a refill in words', refill({ amount: 1, every: 'daily' }), 'credits.refill.every'],
    ['a refill without a pause', refill({ amount: 1, every: '0s' }), 'credits.refill.every'],
    ['a refill more often than a second', refill({ amount: 1, every: '10ms' }), 'credits.refill.every'],
    ['unknown members of a refill', refill({ amount: 1, every: '1d', at: '16:00' }), 'credits.refill.at'],
  ])('%s', async (_, body, ...paths) => {
    const before = t.countRows()
    expectInvalidAt(await create(body), ...paths)
    expect(t.countRows()).toEqual(before)
  })
})

describe('who makes keys with a limited key', () => {
  const limits = { rateLimit: { limit: 50, window: '1m' }, monthlyQuota: 1000 }

  async function createWith(body: object) {
    const maker = await addKey(t, { organizationId, permissions: ['machine_auth.*'], ...limits })
    return t.ask('/auth/keys', { body: { name: 'x', ...body }, headers: maker.headers })
  }

  test.each([
    ['a faster rate', { rateLimit: { limit: 50, window: '30s' } }],
    ['a greater burst', { rateLimit: { limit: 51, window: '1h' } }],
    ['a greater quota', { monthlyQuota: 1001 }],
  ])('gives none of them %s', async (_, body) => {
    expectProblem(await createWith(body), 'permission_required')
  })

  test('gives them his limits, or narrower ones', async () => {
    expect(objectAt((await createWith({})).json, 'key')).toMatchObject(limits)
    const narrower = { rateLimit: { limit: 5, window: '1m' }, monthlyQuota: 10 }
    expect(objectAt((await createWith(narrower)).json, 'key')).toMatchObject(narrower)
  })
})

test('who has no credential is told nothing of limits', async () => {
  expectProblem(await t.ask('/auth/keys', { body: { name: 'x', monthlyQuota: 0 } }), 'credential_missing')
})
