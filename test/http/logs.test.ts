/** `/logs`: which requests it tells of, to whom, and what of each. */
import { afterAll, describe, expect, test } from 'bun:test'
import { expectInvalidAt, expectProblem, listAt, membersOf, TIMESTAMP } from '../support/answers.ts'
import { addKey, addTokens, asMaster, createTestApp, type Json, START, withKey } from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const ENTRY = [
  ...['address', 'at', 'code', 'credential', 'id', 'keyId', 'latencyMs', 'method', 'organizationId', 'path', 'query'],
  ...['requestBody', 'requestHeaders', 'requestId', 'responseBody', 'responseHeaders', 'route', 'status', 'userId'],
]

const t = await createTestApp({ logging: { mode: 'metadata_only', retention: '1d' } }, (app) =>
  app.get('/items/:id', ({ params }) => params.id, { apiKey: true }),
)
afterAll(t.close)

const acme = await t.core.organizations.create({ name: 'Acme' })
const other = await t.core.organizations.create({ name: 'Other' })
const user = (name: string, roles: readonly string[], organizationId: string | null) =>
  t.core.users.create({ email: `${name}@example.com`, roles, organizationId })
const [boss, loner, reader] = [
  await user('boss', ['admin'], acme.id),
  await user('loner', ['keeper'], null),
  await user('reader', ['user'], acme.id),
]
const headersOf = async ({ id }: { readonly id: string }) => (await addTokens(t, id)).headers
const ours = await addKey(t, { organizationId: acme.id })
const theirs = await addKey(t, { organizationId: other.id })
const list = (query = '', headers: Headers = asMaster) => t.ask(`/auth/logs${query}`, { headers })
const itemsOf = async (query = '', headers: Headers = asMaster): Promise<readonly Json[]> =>
  listAt((await list(query, headers)).json, 'items')

await t.ask('/items/1?secret=x', { headers: { ...ours.headers, 'x-request-id': 'request-of-ours' } })
await t.ask('/items/2', { headers: theirs.headers })
await t.ask('/items/3', { headers: withKey('wrong') })
await t.ask('/nowhere')
await t.ask('/auth/me', { headers: await headersOf(loner) })

describe('GET /logs', () => {
  test('tells who asked for what, when, and how it ended, and no more in mode metadata_only', async () => {
    const [entry] = await itemsOf('?requestId=request-of-ours')
    expect(membersOf(entry)).toEqual(ENTRY)
    expect(entry).toEqual({
      id: expect.stringMatching(/^log_[0-9A-Za-z]{16}$/),
      at: expect.stringMatching(TIMESTAMP),
      latencyMs: expect.any(Number),
      requestId: 'request-of-ours',
      method: 'GET',
      path: '/items/1',
      route: '/items/:id',
      status: 200,
      address: '127.0.0.1',
      credential: 'apiKey',
      keyId: ours.id,
      userId: null,
      organizationId: acme.id,
      code: null,
      query: null,
      requestHeaders: null,
      requestBody: null,
      responseHeaders: null,
      responseBody: null,
    })
  })

  test.each([
    [`?keyId=${ours.id}`, ['/items/1']],
    [`?organizationId=${other.id}`, ['/items/2']],
    [`?userId=${loner.id}`, ['/auth/me']],
    ['?status=401', ['/items/3']],
    ['?status=404&method=GET', ['/nowhere']],
    ['?route=/items/:id&order=asc', ['/items/1', '/items/2', '/items/3']],
    ['?route=/items/:id&status=200&sort=at', ['/items/2', '/items/1']],
    ['?route=/items/:id&status=200&method=get', ['/items/2', '/items/1']],
    ['?method=DELETE', []],
    ['?to=2030-01-01T00:00:00Z', []],
  ])('%s', async (query, paths) => {
    expect((await itemsOf(query)).map(({ path }) => path).toSorted()).toEqual([...paths].toSorted())
  })

  test('a refusal is told with its code, and a request of no route without one', async () => {
    expect(await itemsOf('?status=401')).toMatchObject([{ code: 'api_key_invalid', keyId: null, credential: null }])
    expect(await itemsOf('?status=404&method=GET')).toMatchObject([{ route: null, path: '/nowhere' }])
  })

  test('pages go on where the last one ended', async () => {
    const first = await list('?route=/items/:id&limit=2')
    expect(listAt(first.json, 'items')).toHaveLength(2)
    const rest = await itemsOf(`?route=/items/:id&limit=2&cursor=${first.json.nextCursor}`)
    expect(rest).toHaveLength(1)
  })

  test('health and metrics are left out: machines ask for them all the time', async () => {
    await t.ask('/auth/metrics', { headers: asMaster })
    await t.ask('/auth/health/live')
    const paths = (await itemsOf('?limit=100')).map(({ path }) => path)
    expect(paths).not.toContain('/auth/metrics')
    expect(paths).not.toContain('/auth/health/live')
  })
})

describe('who may read it', () => {
  test('an organization its own requests, and nobody else’s', async () => {
    const headers = await headersOf(boss)
    for (const query of ['?limit=100', `?organizationId=${acme.id}`]) {
      const items = await itemsOf(query, headers)
      expect(new Set(items.map(({ organizationId }) => organizationId))).toEqual(new Set([acme.id]))
    }
    expect(await itemsOf(`?keyId=${theirs.id}`, headers)).toEqual([])
    expectProblem(await list(`?organizationId=${other.id}`, headers), 'not_found')
    const { items } = await t.core.audit.list({ action: 'cross_tenant_attempt', actor: boss.id })
    expect(items).toMatchObject([{ subject: other.id }])
  })

  test('who belongs to none and does not reach the platform, his own', async () => {
    const headers = await headersOf(loner)
    const items = await itemsOf('?limit=100', headers)
    expect(new Set(items.map(({ userId }) => userId))).toEqual(new Set([loner.id]))
    expectProblem(await list(`?userId=${boss.id}`, headers), 'not_found')
    expectProblem(await list(`?organizationId=${acme.id}`, headers), 'not_found')
  })

  test('nobody without the permission', async () => {
    expectProblem(await list('', await headersOf(reader)), 'permission_required', ['required'])
    expectProblem(await list('', {}), 'credential_missing')
  })
})

test.each([
  ['?from=yesterday', 'from'],
  ['?to=2030-13-01T00:00:00Z', 'to'],
  ['?status=42', 'status'],
  ['?limit=101', 'limit'],
  ['?unknown=1', 'unknown'],
])('%s is refused by its name', async (query, path) => expectInvalidAt(await list(query), path))

test('the one order there is, is named to whoever asks for another', async () => {
  expect((await list('?sort=latency')).json.errors).toEqual([{ path: 'sort', message: "must be 'at'" }])
})

test('entries go once they are older than they are kept', async () => {
  t.time.now = START + 86_400_000 + 1
  await t.ask('/items/9', { headers: ours.headers })
  await itemsOf()
  expect(await t.core.logs.purge()).toBeGreaterThan(5)
  expect((await itemsOf(`?keyId=${ours.id}`)).map(({ path }) => path)).toEqual(['/items/9'])
})
