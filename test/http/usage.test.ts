/** `/keys/:id/usage`, `/stats` and `lastUsedAt`: what real requests come to. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, membersOf, objectAt } from '../support/answers.ts'
import { addKey, addTokens, asMaster, createTestApp, type Json, START, withKey } from '../support/test-app.ts'

const USAGE = [
  ...['bucket', 'byEndpoint', 'byStatus', 'complete', 'errors', 'from'],
  ...['keyId', 'latency', 'series', 'to', 'total'],
]
const STATS = [
  'activeKeys',
  'complete',
  'errorRate',
  'keys',
  'organizations',
  'requests',
  'requestsLastHour',
  'series',
  'topKeys',
]

const t = await createTestApp()
afterAll(t.close)
const acme = await t.core.organizations.create({ name: 'Acme' })
const other = await t.core.organizations.create({ name: 'Other' })
const keeper = await t.core.users.create({ email: 'keeper@example.com', roles: ['keeper'], organizationId: acme.id })
const { headers: asKeeper } = await addTokens(t, keeper.id)

type Headers = Readonly<Record<string, string>>
const usageOf = (id: string, query = '', headers: Headers = asMaster) =>
  t.ask(`/auth/keys/${id}/usage${query}`, { headers })
const totalsOf = (series: readonly Json[]) => series.map(({ total }) => total)

describe('GET /keys/:id/usage', () => {
  test('tells of requests that were let through and of those that were refused', async () => {
    const key = await addKey(t, { permissions: ['posts.view'] })
    for (const path of ['/key', '/key', '/posts', '/users', '/admin', '/key?secret=1']) {
      await t.ask(path, { headers: key.headers })
    }
    const { status, json } = await usageOf(key.id)
    expect([status, membersOf(json)]).toEqual([200, USAGE])
    expect(json).toMatchObject({
      ...{ keyId: key.id, bucket: 'hour', total: 6, errors: 2 },
      byStatus: { '200': 4, '403': 2 },
      byEndpoint: { 'GET /key': 3, 'GET /posts': 1, 'GET /users': 1, 'GET /admin': 1 },
      from: '2029-12-31T01:00:00.000Z',
      to: '2030-01-01T01:00:00.000Z',
    })
    expect(listAt(json, 'series').at(-1)).toEqual({ start: '2030-01-01T00:00:00.000Z', total: 6, errors: 2 })
    const { mean, p50, p90, p99 } = objectAt(json, 'latency')
    for (const latency of [mean, p50, p90, p99]) expect(latency).toBeGreaterThan(0)
  })

  test('a revoked key’s requests are counted for it, wrong keys for nobody', async () => {
    const key = await addKey(t)
    await t.core.keys.revoke(key.id)
    expectProblem(await t.ask('/key', { headers: key.headers }), 'api_key_revoked')
    const forged = `${key.rawKey.slice(0, -1)}${key.rawKey.endsWith('a') ? 'b' : 'a'}`
    expectProblem(await t.ask('/key', { headers: withKey(forged) }), 'api_key_invalid')
    expect((await usageOf(key.id)).json).toMatchObject({ total: 1, errors: 1, byStatus: { '401': 1 } })
  })

  test('counts by the hour and by the day, in UTC, also where nothing happened', async () => {
    await using app = await createTestApp()
    const key = await addKey(app)
    const hours = [0, 0, 2, 26]
    for (const hour of hours) {
      app.time.now = START + hour * 3_600_000
      expect((await app.ask('/key', { headers: key.headers })).status).toBe(200)
    }
    const ask = async (query: string) =>
      listAt((await app.ask(`/auth/keys/${key.id}/usage?${query}`, { headers: asMaster })).json, 'series')
    const first = await ask('from=2030-01-01T00:30:00Z&to=2030-01-01T03:00:00Z')
    expect(totalsOf(first)).toEqual([2, 0, 1])
    expect(totalsOf(await ask('from=2030-01-01T00:00:00Z'))).toEqual([2, 0, 1, ...Array(23).fill(0), 1])
    const days = await ask('bucket=day&from=2029-12-31T00:00:00Z&to=2030-01-03T00:00:00Z')
    expect(totalsOf(days)).toEqual([0, 3, 1])
    expect(days.map(({ start }) => start)).toEqual([
      '2029-12-31T00:00:00.000Z',
      '2030-01-01T00:00:00.000Z',
      '2030-01-02T00:00:00.000Z',
    ])
  })

  test('an organization sees its own keys’ usage; another’s is 404, and written down', async () => {
    const own = await addKey(t, { organizationId: acme.id })
    const theirs = await addKey(t, { organizationId: other.id })
    expect((await usageOf(own.id, '', asKeeper)).json).toMatchObject({ keyId: own.id, total: 0 })
    for (const id of [theirs.id, 'key_none']) expectProblem(await usageOf(id, '', asKeeper), 'not_found')
    const { items } = await t.core.audit.list({ action: 'cross_tenant_attempt', actor: keeper.id })
    expect(items.map(({ subject }) => subject)).toEqual([theirs.id])
  })

  test('a key that may not see usage is told what it lacks', async () => {
    const key = await addKey(t, { permissions: ['machine_auth.keys.*', 'machine_auth.usage.create'] })
    const answer = await usageOf(key.id, '', key.headers)
    expectProblem(answer, 'permission_required', ['required'])
    expect(answer.json.required).toEqual(['machine_auth.usage.view'])
  })

  test.each([
    ['from=yesterday', 'from'],
    ['from=2030-01-01', 'from'],
    ['to=1893456000', 'to'],
    ["from=' or 1=1 --", 'from'],
    [`from=${'2'.repeat(41)}`, 'from'],
    ['from=2030-01-01T00:00:00Z&from=2030-01-02T00:00:00Z', 'from'],
    ['from[]=2030-01-01T00:00:00Z', 'from[]'],
    ['from=2029-12-02T00:00:00Z&to=2029-12-01T00:00:00Z', 'from'],
    ['from=2031-01-01T00:00:00Z', 'from'],
    ['from=2029-11-30T23:59:59Z', 'from'],
    ['from=2027-12-31T00:00:00Z&to=2030-01-01T00:00:00Z&bucket=day', 'from'],
    ['from=0000-01-01T00:00:00Z&bucket=day', 'from'],
    ['to=9999-12-31T23:59:60Z', 'to'],
    ['bucket=minute', 'bucket'],
    ['bucket=', 'bucket'],
    ['bucket=toString', 'bucket'],
    ['limit=1', 'limit'],
    ['__proto__=1', '__proto__'],
  ])('refuses ?%s by the name of the parameter', async (query, path) => {
    const { id } = await addKey(t)
    const encoded = query.replaceAll(' ', '%20').replaceAll("'", '%27')
    const answer = await usageOf(id, `?${encoded}`)
    expectInvalidAt(answer, path)
    expect(answer.text).not.toMatch(/or 1=1|yesterday|1893456000/)
  })

  test.each(['from=2029-12-01T00:00:00Z', 'from=2028-01-01T00:00:00Z&bucket=day', 'to=9999-12-31T00:00:00Z'])(
    'takes ?%s',
    async (query) => {
      const { id } = await addKey(t)
      expect((await usageOf(id, `?${query}`)).status).toBe(200)
    },
  )
})

describe('GET /stats', () => {
  test('tells of the whole installation', async () => {
    await using app = await createTestApp()
    await app.core.organizations.create({ name: 'Acme' })
    const [busy, idle] = [await addKey(app), await addKey(app)]
    await app.core.keys.revoke(idle.id)
    for (const path of ['/key', '/key', '/admin']) await app.ask(path, { headers: busy.headers })
    await app.ask('/key', { headers: idle.headers })
    await app.ask('/open')
    const { status, json } = await app.ask('/auth/stats', { headers: asMaster })
    expect([status, membersOf(json)]).toEqual([200, STATS])
    expect(json).toMatchObject({
      ...{ organizations: 1, keys: 2, activeKeys: 1, requests: 4, requestsLastHour: 4, errorRate: 0.5 },
      topKeys: [
        { id: busy.id, name: 'test', requests: 3, errors: 1, organizationId: null },
        { id: idle.id, requests: 1, errors: 1 },
      ],
    })
    expect(totalsOf(listAt(json, 'series'))).toEqual([...Array(23).fill(0), 4])
    expect(JSON.stringify(json)).not.toContain(busy.rawKey.slice(-20))
  })

  test('takes no parameters', async () => {
    expectInvalidAt(await t.ask('/auth/stats?from=2030-01-01T00:00:00Z', { headers: asMaster }), 'from')
  })

  test('is the platform’s', async () => {
    const answer = await t.ask('/auth/stats', { headers: asKeeper })
    expectProblem(answer, 'permission_required', ['required'])
    expect(answer.json.required).toEqual(['platform.admin'])
    expectProblem(await t.ask('/auth/stats'), 'credential_missing')
  })
})

describe('lastUsedAt', () => {
  const lastUse = async (id: string) => (await t.ask(`/auth/keys/${id}`, { headers: asMaster })).json.lastUsedAt
  /** What a flush interval does by itself. */
  const flush = async (id: string) => void (await usageOf(id))

  test('shows the first use after one flush', async () => {
    const key = await addKey(t)
    expect(await lastUse(key.id)).toBeNull()
    await t.ask('/key', { headers: key.headers })
    await flush(key.id)
    expect(await lastUse(key.id)).toBe(new Date(t.time.now).toISOString())
  })

  test.each([
    ['is valid', {}, true],
    ['is valid and used', { consume: true }, true],
    ['lacks a permission', { permissions: ['users.view'] }, false],
    ['is of another environment', { environment: 'test' }, false],
  ])('a key that is verified for others and %s', async (_, asked, isUse) => {
    const key = await addKey(t)
    const answer = await t.ask('/auth/keys/verify', { headers: asMaster, body: { key: key.rawKey, ...asked } })
    expect(answer.json.valid).toBe(isUse)
    await flush(key.id)
    expect(await lastUse(key.id)).toBe(isUse ? new Date(t.time.now).toISOString() : null)
  })

  test('a key without credits left is not used by being verified', async () => {
    const key = await addKey(t, { credits: { remaining: 0 } })
    const answer = await t.ask('/auth/keys/verify', { headers: asMaster, body: { key: key.rawKey, consume: true } })
    expect(answer.json.code).toBe('quota_exceeded')
    await flush(key.id)
    expect(await lastUse(key.id)).toBeNull()
  })

  test('another organization’s key is not used by asking for it', async () => {
    const key = await addKey(t, { organizationId: other.id })
    const answer = await t.ask('/auth/keys/verify', { headers: asKeeper, body: { key: key.rawKey } })
    expect(answer.json).toEqual({ valid: false, code: 'api_key_invalid' })
    await flush(key.id)
    expect(await lastUse(key.id)).toBeNull()
  })

  test('a use is no change that an update or a rotation must look at again', async () => {
    const key = await addKey(t)
    const { keys, usage } = t.core
    const id = key.id
    const uses = (async () => {
      for (let count = 0; count < 10; count += 1) {
        t.time.now += 60_000
        await t.ask('/key', { headers: key.headers })
        await usage.ofKey(id)
      }
    })()
    for (let count = 0; count < 10; count += 1) {
      const answer = await t.ask(`/auth/keys/${id}`, {
        method: 'PATCH',
        headers: asMaster,
        body: { name: `n${count}` },
      })
      expect(answer.status).toBe(200)
    }
    await uses
    expect((await keys.find(id)).name).toBe('n9')
    const rotated = await t.ask(`/auth/keys/${id}/rotate`, { method: 'POST', headers: asMaster })
    expect(rotated.status).toBe(201)
    expect(objectAt(rotated.json, 'key').lastUsedAt).toBeNull()
  })
})

test('with usage: false nothing is counted, and what is stored can be read and reported', async () => {
  await using app = await createTestApp({ usage: false })
  const key = await addKey(app)
  await app.ask('/key', { headers: key.headers })
  const read = async () => (await app.ask(`/auth/keys/${key.id}/usage`, { headers: asMaster })).json
  expect(await read()).toMatchObject({ total: 0 })
  expect((await app.core.keys.find(key.id)).lastUsedAt).toBeNull()
  const use = {
    id: '1',
    keyId: key.id,
    endpoint: '/a',
    method: 'GET',
    status: 200,
    latencyMs: 1,
    at: '2030-01-01T00:00:00Z',
  }
  const answer = await app.ask('/auth/keys/batch/usage', { headers: asMaster, body: [use] })
  expect(answer.json).toEqual({ accepted: 1, duplicates: 0, rejected: [] })
  expect(await read()).toMatchObject({ total: 1, byEndpoint: { 'GET /a': 1 } })
})
