/** `by`, `cost` and `name` of a limit: who counts as one, for how much, and what the limit is called. */
import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { LimitContext } from '../../src/options/limit-types.ts'
import { expectProblem } from '../support/answers.ts'
import { askTimes, forgeKey, from, LIMITED, PROXIED, remainingOf } from '../support/limited.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  withBearer,
  withCookie,
} from '../support/test-app.ts'
import { withLog } from './support.ts'

type Headers = Readonly<Record<string, string>>

const open = () => 'open'
const once = { limit: 1, window: '1m' } as const
const tenantOf = ({ request }: LimitContext) => request.headers.get('x-tenant') ?? 'none'
const seen: LimitContext[] = []
let answerBy: () => unknown = () => 'x'
let answerCost: () => unknown = () => 1

const t = await createTestApp({ ...PROXIED, jwt: { accessTtl: '1d' } }, (app) =>
  app
    .get('/ip', open, { rateLimit: { ...once, by: 'ip' } })
    .get('/apiKey', open, { rateLimit: { ...once, by: 'apiKey' } })
    .get('/apiKey/guarded', open, { apiKey: true, rateLimit: { ...once, by: 'apiKey' } })
    .get('/user', open, { rateLimit: { ...once, by: 'user' } })
    .post('/user/form', open, { rateLimit: { ...once, by: 'user' } })
    .get('/organization', open, { rateLimit: { ...once, by: 'organization' } })
    .get('/tenant', open, { rateLimit: { ...once, by: tenantOf } })
    .get('/tenant/other', open, { rateLimit: { ...once, by: tenantOf } })
    .get('/seen/:id', open, {
      apiKey: true,
      rateLimit: {
        ...once,
        by(context) {
          // Read here: it is the request's own, and asked for only once.
          const { request, route, params, address, principal } = context
          seen.push({ request, route, params, address, principal })
          return String(seen.length)
        },
      },
    })
    .get('/by', open, { rateLimit: { ...once, by: () => answerBy() as string } })
    .get('/cost', open, { rateLimit: { limit: 3, window: '1m', cost: 2, name: 'costly' } })
    .get('/free', open, { rateLimit: { limit: 3, window: '1m', cost: 0, name: 'free' } })
    .get('/cost/:units', open, {
      rateLimit: { limit: 3, window: '1m', cost: ({ params }) => Number(params.units), name: 'asked' },
    })
    .get('/priced', open, { rateLimit: { ...once, cost: () => answerCost() as number } })
    .get('/bucket', open, {
      rateLimit: { limit: 1, window: '1m', strategy: 'token-bucket', burst: 3, cost: 3, name: 'bucket' },
    })
    .get('/named', open, { rateLimit: { ...once, name: 'my_limit-1' } })
    .get('/unnamed', open, { rateLimit: { limit: 90, window: 7200, by: 'user' } }),
)
afterAll(t.close)
afterEach(() => {
  // Everybody starts anew.
  t.time.now += 60_000
})

const { alice, bob } = await addPeople(t)
const acme = await t.core.organizations.create({ name: 'Acme' })
const member = await t.core.users.create({ email: 'member@example.com', organizationId: acme.id })
const [key, other] = [await addKey(t), await addKey(t)]
const ofBob = await addKey(t, { userId: bob.id })
const [ofAcme, alsoOfAcme] = [
  await addKey(t, { organizationId: acme.id }),
  await addKey(t, { organizationId: acme.id }),
]
const bound = await addKey(t, { ipAllowlist: ['203.0.113.9'] })
const revoked = await addKey(t)
await t.core.keys.revoke(revoked.id)
const tokens = {
  alice: (await addTokens(t, alice.id)).headers,
  bob: (await addTokens(t, bob.id)).headers,
  member: (await addTokens(t, member.id)).headers,
}
const session = await addSession(t, bob.id)

const HERE = from('203.0.113.1')
const THERE = from('203.0.113.2')
const forged = { 'x-api-key': forgeKey(key.rawKey) }
const keyAsScheme = { authorization: `ApiKey ${key.rawKey}` }

/** Two requests, and whether they count as one subject's. */
type Row = readonly [path: string, name: string, first: Headers, second: Headers]

const TOGETHER: readonly Row[] = [
  ['/ip', 'one address', HERE, HERE],
  ['/ip', 'one address with two keys', { ...HERE, ...key.headers }, { ...HERE, ...other.headers }],
  ['/ip', 'one address, written as IPv6', HERE, from('::ffff:203.0.113.1')],
  ['/ip', 'one address from another port', HERE, from('203.0.113.1:4711')],
  ['/ip', 'two addresses of one /64', from('2001:db8::1'), from('2001:db8::ffff:ffff:ffff:ffff')],
  ['/apiKey', 'one key from two addresses', { ...HERE, ...key.headers }, { ...THERE, ...key.headers }],
  ['/apiKey', 'one key in two headers', { ...HERE, ...key.headers }, { ...THERE, ...keyAsScheme }],
  ['/apiKey', 'one key beside a token', { ...HERE, ...key.headers }, { ...THERE, ...key.headers, ...tokens.bob }],
  ['/apiKey', 'nobody from one address', HERE, HERE],
  ['/apiKey', 'two tokens from one address', { ...HERE, ...tokens.alice }, { ...HERE, ...tokens.bob }],
  ['/apiKey', 'a wrong key and none', { ...HERE, ...forged }, HERE],
  ['/apiKey', 'a wrong key and another', { ...HERE, ...forged }, { ...HERE, 'x-api-key': 'x' }],
  ['/apiKey', 'a revoked key and none', { ...HERE, ...revoked.headers }, HERE],
  ['/apiKey', 'a key from where it may not be used, and none', { ...HERE, ...bound.headers }, HERE],
  ['/user', 'a user’s token and session', { ...HERE, ...tokens.bob }, { ...THERE, ...session.headers }],
  ['/user', 'a user’s token and key', { ...HERE, ...tokens.bob }, { ...THERE, ...ofBob.headers }],
  ['/user', 'two keys without an owner', { ...HERE, ...key.headers }, { ...HERE, ...other.headers }],
  ['/user', 'a wrong token and none', { ...HERE, ...withBearer('a.b.c') }, HERE],
  ['/user', 'a stale session and none', { ...HERE, ...withCookie('x'.repeat(59)) }, HERE],
  ['/user', 'the master key and none', { ...HERE, ...asMaster }, HERE],
  ['/organization', 'two keys of it', { ...HERE, ...ofAcme.headers }, { ...THERE, ...alsoOfAcme.headers }],
  ['/organization', 'a key and a user of it', { ...HERE, ...ofAcme.headers }, { ...THERE, ...tokens.member }],
  ['/organization', 'a key of none, and nobody', { ...HERE, ...key.headers }, HERE],
  ['/tenant', 'what a function calls one', { ...HERE, 'x-tenant': 'a' }, { ...THERE, 'x-tenant': 'a' }],
]

const APART: readonly Row[] = [
  ['/ip', 'two addresses', HERE, THERE],
  ['/ip', 'two addresses with one key', { ...HERE, ...key.headers }, { ...THERE, ...key.headers }],
  ['/ip', 'two networks of 64 bits', from('2001:db8::1'), from('2001:db8:0:1::1')],
  ['/apiKey', 'two keys from one address', { ...HERE, ...key.headers }, { ...HERE, ...other.headers }],
  ['/apiKey', 'nobody from two addresses', HERE, THERE],
  ['/apiKey', 'one wrong key from two addresses', { ...HERE, ...forged }, { ...THERE, ...forged }],
  ['/apiKey', 'a key, and a forged one of its id', { ...HERE, ...forged }, { ...HERE, ...key.headers }],
  ['/user', 'two users from one address', { ...HERE, ...tokens.alice }, { ...HERE, ...tokens.bob }],
  ['/user', 'a user and nobody from one address', { ...HERE, ...tokens.bob }, HERE],
  ['/user', 'two keys without an owner from two addresses', { ...HERE, ...key.headers }, { ...THERE, ...key.headers }],
  ['/organization', 'a key of it and one of none', { ...HERE, ...ofAcme.headers }, { ...HERE, ...key.headers }],
  ['/tenant', 'what a function tells apart', { ...HERE, 'x-tenant': 'a' }, { ...HERE, 'x-tenant': 'A' }],
  [
    '/tenant',
    'long texts that differ at their end',
    { 'x-tenant': `${'x'.repeat(2000)}a` },
    { 'x-tenant': 'x'.repeat(2000) },
  ],
]

describe('one subject', () => {
  test.each([...TOGETHER])('by %s: %s', async (path, _, first, second) => {
    expect((await t.ask(path, { headers: first })).said).toBe('200')
    expect((await t.ask(path, { headers: second })).said).toBe(LIMITED)
  })
})

describe('two subjects', () => {
  test.each([...APART])('by %s: %s', async (path, _, first, second) => {
    expect(await askTimes(t, 2, path, { headers: first })).toEqual(['200', LIMITED])
    expect((await t.ask(path, { headers: second })).said).toBe('200')
  })
})

describe('a key that is not to be used from here', () => {
  const right = { ...from('203.0.113.9'), ...bound.headers }

  test('is not used up by those who have it', async () => {
    const limited = await addKey(t, { ipAllowlist: ['203.0.113.9'], rateLimit: { limit: 1, window: '1m' } })
    for (const path of ['/apiKey', '/key', '/apiKey/guarded']) {
      await askTimes(t, 5, path, { headers: { ...HERE, ...limited.headers } })
    }
    const answer = await t.ask('/key', { headers: { ...from('203.0.113.9'), ...limited.headers } })
    expect([answer.said, remainingOf(answer)]).toEqual(['200', { key: 0 }])
  })

  test('counts for the address instead', async () => {
    expect(await askTimes(t, 2, '/apiKey', { headers: { ...HERE, ...bound.headers } })).toEqual(['200', LIMITED])
    expect((await t.ask('/apiKey', { headers: right })).said).toBe('200')
    expect((await t.ask('/apiKey', { headers: { ...THERE, ...bound.headers } })).said).toBe('200')
  })
})

test('a session that another site makes use of is nobody’s, and does not use up the user', async () => {
  const ask = (headers: Headers) => askTimes(t, 2, '/user/form', { method: 'POST', headers })
  expect(await ask({ ...HERE, ...session.headers, origin: 'https://evil.example' })).toEqual(['200', LIMITED])
  expect(await ask(HERE)).toEqual([LIMITED, LIMITED])
  expect(await ask({ ...HERE, ...session.headers })).toEqual(['200', LIMITED])
})

describe('a function for `by`', () => {
  test('learns who asks, from where and for what', async () => {
    seen.length = 0
    await t.ask('/seen/7?x=1', { headers: { ...HERE, ...ofAcme.headers } })
    const [context] = seen
    expect(context).toMatchObject({ route: '/seen/:id', params: { id: '7' }, address: '203.0.113.1' })
    expect(context?.request.url).toEndWith('/seen/7?x=1')
    expect(context?.principal).toEqual({ kind: 'apiKey', id: ofAcme.id, userId: null, organizationId: acme.id })
    await t.ask('/seen/7', { headers: { ...HERE, ...forged } })
    expect(seen.at(-1)?.principal).toBeNull()
  })

  test('counts each limit apart, though they use the same one', async () => {
    const headers = { 'x-tenant': 'b' }
    for (const path of ['/tenant', '/tenant/other']) {
      expect(await askTimes(t, 2, path, { headers })).toEqual(['200', LIMITED])
    }
  })

  test.each([
    ['no text', () => undefined],
    ['a number', () => 5],
    ['a promise', () => Promise.resolve('x')],
    [
      'an error',
      () => {
        throw new Error('no subject')
      },
    ],
  ])('that answers with %s lets nobody in', async (_, answer) => {
    answerBy = answer
    const { result } = await withLog(() => t.ask('/by'))
    expectProblem(result, 'internal_error')
  })
})

describe('cost', () => {
  test('is taken whole or not at all', async () => {
    expect(remainingOf(await t.ask('/cost'))).toEqual({ costly: 1 })
    const refused = await t.ask('/cost')
    expect([refused.said, remainingOf(refused)]).toEqual([LIMITED, { costly: 1 }])
    t.time.now += 60_000
    expect(remainingOf(await t.ask('/cost'))).toEqual({ costly: 1 })
  })

  test('of nothing takes nothing', async () => {
    for (let time = 0; time < 5; time += 1) expect(remainingOf(await t.ask('/free'))).toEqual({ free: 3 })
  })

  test('may depend on the request', async () => {
    const left = async (units: string) => {
      const answer = await t.ask(`/cost/${units}`)
      return [answer.said, remainingOf(answer).asked]
    }
    expect(await left('1')).toEqual(['200', 2])
    expect(await left('3')).toEqual([LIMITED, 2])
    expect(await left('0')).toEqual(['200', 2])
    expect(await left('2')).toEqual(['200', 0])
    expect(await left('0')).toEqual(['200', 0])
  })

  test('above the limit never fits, and takes nothing', async () => {
    for (const units of ['4', '1000000000', '9007199254740991', '1e300']) {
      const answer = await t.ask(`/cost/${units}`)
      expectProblem(answer, 'rate_limited', ['retryAfter'])
      expect([answer.headers.get('retry-after'), remainingOf(answer)]).toEqual(['60', { asked: 3 }])
    }
    expect(remainingOf(await t.ask('/cost/3'))).toEqual({ asked: 0 })
  })

  test('may be the burst of a token bucket', async () => {
    expect(remainingOf(await t.ask('/bucket'))).toEqual({ bucket: 0 })
    const refused = await t.ask('/bucket')
    expect([refused.said, refused.headers.get('retry-after')]).toEqual([LIMITED, '180'])
    t.time.now += 180_000
    expect((await t.ask('/bucket')).said).toBe('200')
  })

  test.each([
    ['less than nothing', () => -1],
    ['half a unit', () => 0.5],
    ['no number', () => Number.NaN],
    ['endless', () => Number.POSITIVE_INFINITY],
    ['text', () => '1'],
    ['nothing', () => undefined],
    ['a promise', () => Promise.resolve(1)],
  ])('that a function says is %s lets nobody in', async (_, answer) => {
    answerCost = answer
    const { result } = await withLog(() => t.ask('/priced'))
    expectProblem(result, 'internal_error')
  })
})

describe('the name of a limit', () => {
  test.each([
    ['/named', '"my_limit-1";q=1;w=60'],
    ['/ip', '"ip-1-1m";q=1;w=60'],
    ['/apiKey', '"apiKey-1-1m";q=1;w=60'],
    ['/unnamed', '"user-90-2h";q=90;w=7200'],
    ['/tenant', expect.stringMatching(/^"custom-[0-9a-f]{6}-1-1m";q=1;w=60$/)],
  ])('of %s', async (path, policy) => {
    expect((await t.ask(path)).headers.get('ratelimit-policy')).toEqual(policy)
  })
})
