/** SECURITY.md, P68: every endpoint asks for its own permission, and other methods open nothing. */
import { afterAll, describe, expect, test } from 'bun:test'
import { OWN_PERMISSIONS } from '../../src/authorization/own-permissions.ts'
import { expectProblem } from '../support/answers.ts'
import { bodyOf, ENDPOINTS, MANAGEMENT, methodOf, pathOf } from '../support/endpoints.ts'
import { addTenant, createTenantApp, GHOST, storedIn } from '../support/tenants.ts'
import { type Answer, addKey, addSession, addTokens, asMaster } from '../support/test-app.ts'

const t = await createTenantApp()
afterAll(t.close)
const acme = await addTenant(t)
const { organizationId } = acme

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'QUERY']

type Headers = Readonly<Record<string, string>>

/** Asserts that something is answered, and that nothing came of it. */
async function expectNothingDone(work: () => Promise<Answer>): Promise<Answer> {
  const before = storedIn(t)
  const answer = await work()
  expect(storedIn(t)).toEqual(before)
  return answer
}

const keyWith = async (permissions: readonly string[], more: object = {}) =>
  (await addKey(t, { permissions, ...more })).headers

const ORDINARY: readonly (readonly [string, () => Promise<Headers>])[] = [
  ['a key without permissions', () => keyWith([], { organizationId })],
  ['a key of the platform without permissions', () => keyWith(['platform.admin'])],
  ['a key for other things', () => keyWith(['users.*', 'posts.*'], { organizationId })],
  ['a user’s token', async () => (await addTokens(t, acme.userId)).headers],
  ['a user’s session', async () => (await addSession(t, acme.userId)).headers],
  ['a user’s key that says *', () => keyWith(['*'], { userId: acme.userId })],
]

describe.each(MANAGEMENT.map((endpoint) => [endpoint.route, endpoint] as const))('%s', (_, endpoint) => {
  const { permission = '' } = endpoint
  const method = methodOf(endpoint)
  const ask = (headers: Headers, ids = acme, body: unknown = bodyOf(endpoint, ids)) =>
    t.ask(pathOf(endpoint, ids), { method, headers, body })

  test('is 401 to nobody and to wrong credentials, before anything else is looked at', async () => {
    const wrong: Headers[] = [
      {},
      { 'x-api-key': 'wrong' },
      { authorization: 'Bearer a.b.c' },
      { cookie: 'session_id=x' },
    ]
    for (const headers of wrong) {
      const answer = await expectNothingDone(() => ask(headers))
      expect(answer.status).toBe(401)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('www-authenticate')).toStartWith('Bearer realm="machine-auth"')
      if (method === 'GET') continue
      expect((await ask(headers, acme, { nonsense: true })).json.code).toBe(answer.json.code)
    }
  })

  test.each(ORDINARY)('is 403 to %s, whether there is something or not', async (_, headersOf) => {
    const headers = await headersOf()
    for (const ids of [acme, { ...acme, ...GHOST }]) {
      const answer = await expectNothingDone(() => ask(headers, ids))
      expectProblem(answer, 'permission_required', ['required'])
      expect(answer.json.required).toEqual([permission])
    }
  })

  test('is 403 to who has every other permission of ours', async () => {
    const others = OWN_PERMISSIONS.map(({ name }) => name).filter((name) => name !== permission)
    const headers = await keyWith(others)
    const answer = await expectNothingDone(() => ask(headers))
    expect(answer.json.required).toEqual([permission])
  })

  test('is open to who has that permission, as far as he reaches', async () => {
    const fresh = await addTenant(t)
    const tenantKey = await keyWith([permission, 'users.view'], { organizationId: fresh.organizationId })
    const platformKey = await keyWith([permission, 'users.view', 'platform.admin'])
    const [within, above] = [await ask(tenantKey, fresh), await ask(platformKey, fresh)]
    expect(within.said).toMatch(endpoint.reach === 'platform' ? /^403 permission_required$/ : /^20[0124]$/)
    // What went before may have ended the key.
    expect(above.said).toMatch(/^20[0124]$|^409 conflict$/)
  })
})

describe('methods that no endpoint has', () => {
  const paths = [...new Set(ENDPOINTS.map((endpoint) => pathOf(endpoint, acme)))]
  const mounted = new Set(ENDPOINTS.map((endpoint) => `${methodOf(endpoint)} ${pathOf(endpoint, acme)}`))
  // `/keys/import`, the `batch` of `/keys/batch/usage` and the like are ids to the endpoints of one key.
  const isParameter = (method: string, path: string) => {
    const segments = path.split('/')
    return [acme.keyId, acme.organizationId, acme.sessionId].some((id) =>
      segments.some((_, index) => mounted.has(`${method} ${segments.with(index, id).join('/')}`)),
    )
  }
  const absent = paths.flatMap((path) =>
    METHODS.filter((method) => {
      const served = method === 'HEAD' ? 'GET' : method
      return !mounted.has(`${served} ${path}`) && !isParameter(served, path)
    }).map((method) => [method, path] as const),
  )

  test('are many', () => {
    expect(absent.length).toBeGreaterThan(100)
  })

  test('answer 404 to everybody, and do nothing', async () => {
    const callers = [{}, asMaster, (await addTenant(t)).callers.almightyKey.headers]
    const before = storedIn(t)
    for (const [method, path] of absent) {
      for (const headers of callers) {
        const answer = await t.ask(path, { method, headers })
        expect([method, path, answer.status]).toEqual([method, path, 404])
      }
    }
    expect(storedIn(t)).toEqual(before)
  })

  const GETS = MANAGEMENT.filter((endpoint) => methodOf(endpoint) === 'GET')
  test.each(GETS.map((endpoint) => [endpoint.route, endpoint] as const))(
    'HEAD says of %s what GET says',
    async (_, endpoint) => {
      const path = pathOf(endpoint, acme)
      for (const headers of [{}, await keyWith([]), asMaster]) {
        const [get, head] = [await t.ask(path, { headers }), await t.ask(path, { method: 'HEAD', headers })]
        expect([head.status, head.text]).toEqual([get.status, ''])
        for (const name of ['cache-control', 'www-authenticate', 'vary']) {
          expect(head.headers.get(name)).toBe(get.headers.get(name))
        }
      }
    },
  )

  test('nor does a header that names another method change it', async () => {
    // The keys of before were locked down.
    const own = await addTenant(t)
    const headers = {
      ...own.callers.almightyKey.headers,
      'x-http-method-override': 'DELETE',
      'x-method-override': 'DELETE',
    }
    const before = storedIn(t)
    expect((await t.ask(`/auth/keys/${own.keyId}`, { headers })).status).toBe(200)
    expect((await t.ask(`/auth/keys/${own.keyId}?_method=DELETE`, { headers })).json.status).toBe('active')
    expect(storedIn(t)).toEqual(before)
  })
})
