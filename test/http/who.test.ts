/** Who may do what on the endpoints, and the headers of every answer. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { expectProblem, textAt } from '../support/answers.ts'
import {
  ALICE,
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  MASTER_KEY,
  PASSWORD,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const t = await createTestApp()
const { alice, bob } = await addPeople(t)
afterAll(t.close)
// Wrong master keys are few in a minute.
beforeEach(() => {
  t.time.now += 60_000
})

interface Endpoint {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** The verb of `machine_auth.keys.*` it asks for. */
  readonly verb: string
  /** What it says to somebody who may. */
  readonly said: string
}

const MANAGEMENT: readonly Endpoint[] = [
  { method: 'POST', path: '/auth/keys', body: { name: 'x' }, verb: 'create', said: '201' },
  { method: 'GET', path: '/auth/keys', verb: 'view', said: '200' },
  { method: 'HEAD', path: '/auth/keys', verb: 'view', said: '200' },
  { method: 'GET', path: '/auth/keys/key_none', verb: 'view', said: '404 not_found' },
  { method: 'POST', path: '/auth/keys/key_none/revoke', verb: 'delete', said: '404 not_found' },
  { method: 'DELETE', path: '/auth/keys/key_none', verb: 'delete', said: '404 not_found' },
  { method: 'POST', path: '/auth/keys/verify', body: { key: 'x' }, verb: 'verify', said: '200' },
]

const flipped = (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')
const unknown = generateApiKey('mac', 'live').raw

/** What every management endpoint says to those who may not, before it looks at anything else. */
const REFUSED: readonly (readonly [string, () => Headers | Promise<Headers>, ErrorCode])[] = [
  ['nobody', () => ({}), 'credential_missing'],
  ['an unknown key', () => withKey(unknown), 'api_key_invalid'],
  ['a key with a wrong checksum', () => withKey(flipped(unknown)), 'api_key_invalid'],
  ['two keys', () => withKey(`${unknown}, ${unknown}`), 'request_malformed'],
  ['two tokens', () => ({ authorization: 'Bearer a.b.c, Bearer a.b.c' }), 'request_malformed'],
  ['a made-up token', () => withBearer('a.b.c'), 'token_invalid'],
  ['a made-up opaque token', () => withBearer('nonsense'), 'token_invalid'],
  ['another scheme', () => ({ authorization: `Basic ${btoa(`${ALICE}:${PASSWORD}`)}` }), 'token_invalid'],
  ['a made-up session', () => withCookie('x'.repeat(59)), 'session_invalid'],
  ['a wrong master key', () => ({ 'x-admin-key': flipped(MASTER_KEY) }), 'master_key_invalid'],
  ['an empty master key', () => ({ 'x-admin-key': '' }), 'master_key_invalid'],
  ['the master key as an API key', () => withKey(MASTER_KEY), 'api_key_invalid'],
  [
    'a wrong master key beside an administrator',
    async () => ({ 'x-admin-key': 'no', ...(await addTokens(t, alice.id)).headers }),
    'master_key_invalid',
  ],
  ['a user’s token', async () => (await addTokens(t, bob.id)).headers, 'permission_required'],
  ['a user’s session', async () => (await addSession(t, bob.id)).headers, 'permission_required'],
  [
    'a user’s key that says *',
    async () => (await addKey(t, { userId: bob.id, permissions: ['*'] })).headers,
    'permission_required',
  ],
  ['a key without permissions', async () => (await addKey(t)).headers, 'permission_required'],
]

describe.each(MANAGEMENT.filter(({ method }) => method !== 'HEAD'))(
  '$method $path',
  ({ method, path, body, verb, said }) => {
    const ask = (headers: Headers) => t.ask(path, { method, headers, body })
    const permission = `machine_auth.keys.${verb}`

    test.each(REFUSED)('refuses %s', async (_, headersOf, code) => {
      const answer = await ask(await headersOf())
      expectProblem(answer, code, code === 'permission_required' ? ['required'] : [])
      expect(answer.headers.get('vary')).toBe('Authorization, Cookie, X-API-Key')
      if (code !== 'permission_required') return
      expect(answer.json.required).toEqual([permission])
      expect(answer.headers.get('www-authenticate')).toBe(
        `Bearer realm="machine-auth", error="insufficient_scope", scope="${permission}"`,
      )
    })

    test('lets in the master key and administrators, by token, session, and key', async () => {
      const admitted = [
        asMaster,
        withBearer(MASTER_KEY),
        (await addTokens(t, alice.id)).headers,
        (await addSession(t, alice.id)).headers,
        (await addKey(t, { userId: alice.id, permissions: ['*'] })).headers,
        (await addKey(t, { permissions: ['*'] })).headers,
        (await addKey(t, { permissions: [permission, 'platform.admin'] })).headers,
      ]
      for (const headers of admitted) {
        const answer = await ask(headers)
        expect(answer.said).toBe(said)
        expect(answer.headers.get('cache-control')).toBe('no-store')
        expect(answer.headers.get('vary')).toBe('Authorization, Cookie, X-API-Key')
      }
    })

    test('asks for its own permission: all the others together do not do', async () => {
      const others = ['view', 'create', 'update', 'delete', 'verify'].filter((each) => each !== verb)
      const permissions = ['platform.admin', 'users.*', ...others.map((each) => `machine_auth.keys.${each}`)]
      expectProblem(await ask((await addKey(t, { permissions })).headers), 'permission_required', ['required'])
    })

    test('wildcards above it will do', async () => {
      for (const wildcard of ['machine_auth.*', 'machine_auth.keys.*']) {
        const key = await addKey(t, { permissions: [wildcard, 'platform.admin'] })
        expect((await ask(key.headers)).said).toBe(said)
      }
    })
  },
)

describe('the credential is looked at before anything else of the request', () => {
  test.each([
    ['malformed JSON', { raw: '{"name":', headers: {} }],
    ['a body of a megabyte', { raw: 'x'.repeat(1_000_000), headers: {} }],
    ['another content type', { raw: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
    ['a wrong body', { raw: '{"secret":1}', headers: {} }],
  ])('%s without one is 401', async (_, question) => {
    for (const path of ['/auth/keys', '/auth/keys/verify', '/auth/keys/%00/revoke', '/auth/token/new', '/user']) {
      expectProblem(await t.ask(path, question), 'credential_missing')
    }
  })

  test('and so are ids and queries', async () => {
    for (const path of ['/auth/keys?limit=x&y=1', '/auth/keys/%00'])
      expectProblem(await t.ask(path), 'credential_missing')
    expectProblem(await t.ask('/auth/sessions/%00', { method: 'DELETE' }), 'credential_missing')
  })
})

describe('HEAD', () => {
  test('says what GET says, without a body', async () => {
    for (const [headers, status] of [
      [{}, 401],
      [asMaster, 200],
    ] as const) {
      const [get, head] = [
        await t.ask('/auth/keys', { headers }),
        await t.ask('/auth/keys', { method: 'HEAD', headers }),
      ]
      expect([head.status, head.text]).toEqual([status, ''])
      expect(head.headers.get('cache-control')).toBe(get.headers.get('cache-control'))
      expect(head.headers.get('www-authenticate')).toBe(get.headers.get('www-authenticate'))
    }
  })
})

describe('request ids', () => {
  const ENDPOINTS = [
    ...MANAGEMENT.filter(({ method }) => method !== 'HEAD'),
    { method: 'GET', path: '/auth/me' },
    { method: 'GET', path: '/auth/sessions' },
    { method: 'POST', path: '/auth/login', body: {} },
    { method: 'POST', path: '/auth/sessions', body: {} },
    { method: 'POST', path: '/auth/refresh', body: { refresh_token: 'x' } },
    { method: 'POST', path: '/auth/logout', body: { refresh_token: 'x' } },
    { method: 'POST', path: '/auth/token/new', body: {} },
    { method: 'POST', path: '/auth/token/refresh', body: {} },
    { method: 'GET', path: '/.well-known/jwks.json' },
    { method: 'GET', path: '/auth/health/live' },
    { method: 'GET', path: '/auth/health/ready' },
    { method: 'GET', path: '/nowhere' },
    { method: 'GET', path: '/open' },
  ]

  test.each(ENDPOINTS)('$method $path keeps a well-formed one', async ({ method, path, ...rest }) => {
    for (const headers of [{}, asMaster]) {
      const id = 'trace.1_a-B'.padEnd(128, 'x')
      const answer = await t.ask(path, { method, ...rest, headers: { ...headers, 'x-request-id': id } })
      expect(answer.headers.get('x-request-id')).toBe(id)
      if (answer.json.requestId !== undefined) expect(answer.json.requestId).toBe(id)
    }
  })

  test.each(ENDPOINTS)('$method $path makes one instead of another', async ({ method, path, ...rest }) => {
    const made = new Set<string>()
    for (const id of ['short', 'x'.repeat(129), 'with space here', 'a"b<c>d\\e', 'é'.repeat(8)]) {
      const answer = await t.ask(path, { method, ...rest, headers: { 'x-request-id': id } })
      const given = textAt({ id: answer.headers.get('x-request-id') }, 'id')
      expect(given).toMatch(/^[A-Za-z0-9._-]{8,128}$/)
      expect(given).not.toBe(id)
      made.add(given)
    }
    expect(made.size).toBe(5)
  })
})
