/** Random requests at every endpoint and guard: never a 500, and nothing written by what is refused. */
import { afterAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { sendRaw, withLog } from '../guards/support.ts'
import { addKey, addPeople, addSession, addTokens, createTestApp, MASTER_KEY, PASSWORD } from '../support/test-app.ts'

const RUNS = 250

const t = await createTestApp(
  { docs: { path: '/swagger' }, protect: [{ path: '/protected', require: { apiKey: true } }] },
  (app) =>
    app
      .post('/echo', ({ body }) => ({ body }), { currentUser: true })
      .all('/all', ({ auth }) => auth.requestId, { apiKey: true }),
)
const { alice, bob } = await addPeople(t)
const key = await addKey(t, { userId: alice.id, permissions: ['*'] })
const admin = await addTokens(t, alice.id)
const user = await addTokens(t, bob.id)
const session = await addSession(t, alice.id)
const opaque = await t.core.tokens.bearer.create({ name: 'x', userId: bob.id })
afterAll(t.close)

const GENUINE = [
  key.rawKey,
  admin.pair.access_token,
  user.pair.access_token,
  user.pair.refresh_token,
  session.cookieValue,
  opaque.rawToken,
  MASTER_KEY,
]

/** Bytes 0x01 to 0xff without line breaks, which would end the header. */
const bytes = (maxLength: number) =>
  fc
    .array(fc.integer({ min: 1, max: 255 }), { maxLength })
    .map((codes) => String.fromCharCode(...codes.filter((code) => code !== 10 && code !== 13)))
const base62 = (maxLength: number) => fc.string({ unit: fc.constantFrom(...'0Aa9Zz_-.'), maxLength })
const weird = fc.constantFrom(
  '',
  ' ',
  '__proto__',
  'undefined',
  'null',
  '..',
  '%00',
  '%ff',
  "' or 1=1 --",
  '{}',
  ',',
  ';',
  '"',
  'é',
  '💥',
  '\t',
  '\u001f',
  '\u007f',
)

/** A genuine credential, or one with something wrong with it. */
const credential = fc.oneof(
  fc.constantFrom(...GENUINE),
  fc
    .tuple(fc.constantFrom(...GENUINE), fc.nat(), bytes(3))
    .map(([text, at, more]) => text.slice(0, at % text.length) + more + text.slice(at % text.length)),
  fc.tuple(fc.constantFrom(...GENUINE), fc.nat()).map(([text, length]) => text.slice(0, length % text.length)),
  base62(120),
  base62(20).map((text) => `mac_live_${text}`),
  fc.tuple(base62(40), base62(40), base62(40)).map((parts) => parts.join('.')),
  fc.integer({ min: 7000, max: 9000 }).map((length) => 'x'.repeat(length)),
  bytes(40),
  weird,
)
const scheme = fc.constantFrom(
  'Bearer ',
  'bearer ',
  'ApiKey ',
  'Basic ',
  'Digest ',
  'Bearer',
  'Bearer  ',
  '',
  ', ',
  'machine_auth ',
)

const header = fc.oneof(
  fc.tuple(scheme, credential).map(([name, text]) => ['Authorization', name + text] as const),
  credential.map((text) => ['X-API-Key', text] as const),
  credential.map((text) => ['Cookie', `session_id=${text}`] as const),
  fc.tuple(bytes(30), credential).map(([noise, text]) => ['Cookie', `${noise}; session_id=${text}; a=b`] as const),
  credential.map((text) => ['X-Admin-Key', text] as const),
  fc.oneof(bytes(140), base62(140)).map((text) => ['X-Request-Id', text] as const),
  fc
    .oneof(weird, fc.constantFrom('null', 'http://localhost', 'https://evil.example'))
    .map((text) => ['Origin', text] as const),
  fc.constantFrom('same-origin', 'cross-site', 'none', 'x').map((text) => ['Sec-Fetch-Site', text] as const),
  fc
    .constantFrom('application/json', 'text/plain', 'multipart/form-data', 'application/json; charset=x', '')
    .map((text) => ['Content-Type', text] as const),
  fc.oneof(weird, fc.constantFrom('1.2.3.4', '::1', 'for=1.2.3.4')).map((text) => ['X-Forwarded-For', text] as const),
  fc.constantFrom(['Upgrade', 'websocket'] as const, ['Connection', 'Upgrade'] as const),
  fc
    .tuple(fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,20}$/), bytes(60))
    .filter(([name]) => !/^(?:content-length|transfer-encoding|expect|te|trailer)$/i.test(name)),
)

const segment = fc
  .oneof(fc.constantFrom(key.id, session.id, 'current', 'verify', 'key_none'), base62(30), weird)
  .map(encodeURIComponent)
const ENDPOINTS = `
  POST /auth/login, POST /auth/refresh, POST /auth/logout, POST /auth/token/new, POST /auth/token/refresh
  GET /.well-known/jwks.json, POST /auth/sessions, GET /auth/sessions, DELETE /auth/sessions/:id, GET /auth/me
  POST /auth/keys, GET /auth/keys, GET /auth/keys/:id, POST /auth/keys/:id/revoke, DELETE /auth/keys/:id
  POST /auth/keys/verify, GET /swagger, GET /swagger/json
  GET /key, GET /live, GET /token, GET /session, GET /user, POST /user, GET /optional, GET /admin, GET /users
  GET /posts, GET /profile, GET /master, GET /ws, POST /echo, PUT /all, GET /protected/x, GET /open, GET /nowhere`
  .split(/[,\n]/)
  .map((line) => line.trim().split(' '))
  .filter(([, route]) => route !== undefined)
const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE']
const target = fc
  .tuple(fc.constantFrom(...ENDPOINTS), segment)
  .map(([[method = '', route = ''], id]) => [method, route.replace(':id', id)] as const)
const route = fc.oneof(
  { weight: 9, arbitrary: target },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(...METHODS), target).map(([method, [, path]]) => [method, path] as const),
  },
)
const member = fc.constantFrom(
  'limit',
  'cursor',
  'q',
  'status',
  'environment',
  'sort',
  'order',
  'organizationId',
  'access_token',
  '__proto__',
  'x',
  'limit[]',
)
const query = fc
  .array(fc.tuple(member, fc.oneof(weird, base62(20), fc.integer().map(String))), { maxLength: 4 })
  .map((pairs) =>
    pairs.length === 0 ? '' : `?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')}`,
  )

const MEMBERS = [
  'email',
  'password',
  'refresh_token',
  'client_id',
  'permissions',
  'name',
  'userId',
  'organizationId',
  'environment',
  'expiresAt',
  'expiresInDays',
  'ipAllowlist',
  'description',
  'metadata',
  'key',
  'ip',
  'reason',
  '__proto__',
  'x',
]
/** No password that is looked at: hashing is dear. */
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  weird,
  credential,
  fc.constantFrom('users.view', '*', 'live', '2031-01-01T00:00:00Z', '10.0.0.0/8', bob.id),
)
const body = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(fc.constantFrom(...MEMBERS), value, { maxKeys: 5 }).map((made) => JSON.stringify(made)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...MEMBERS), value)
      .map(([name, given]) => JSON.stringify({ name: 'x', key: 'x', refresh_token: 'x', [name]: given })),
  },
  { weight: 1, arbitrary: fc.constant(JSON.stringify({ email: alice.email, password: PASSWORD })) },
  { weight: 2, arbitrary: fc.jsonValue().map((made) => JSON.stringify(made)) },
  { weight: 1, arbitrary: bytes(200) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', '{', '[]', 'null', '"x"', '{"a":1,}', ' '.repeat(70_000), '[['.repeat(2000)),
  },
)

interface Shot {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly payload: string
}

const shot: fc.Arbitrary<Shot> = fc
  .tuple(route, query, fc.array(header, { maxLength: 4 }), body)
  .map(([[method, path], text, headers, payload]) => ({ method, target: path + text, headers, payload }))

/** As it goes over the wire, byte by byte. */
function toRequest({ method, target, headers, payload }: Shot): string {
  const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH' || method === 'DELETE'
  const length = hasBody ? [`Content-Length: ${Buffer.byteLength(payload)}`] : []
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: localhost',
    ...headers.map(([name, text]) => `${name}: ${text}`),
    ...length,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${hasBody ? payload : ''}`
}

/** Rows by table, but for the notes of wrong master keys. */
function countRows() {
  const [row] = t.client
    .query<{ n: number }, []>("select count(*) as n from machine_auth_audit where action <> 'master_key.refused'")
    .all()
  return { ...t.countRows(), machine_auth_audit: row?.n }
}

/** What a shot does: its status (0 when the connection was closed), the rows it left, and what it logged. */
async function fire(given: Shot) {
  const before = countRows()
  const { result, log } = await withLog(() => sendRaw(t.origin, toRequest(given), 5000))
  return { status: result?.status ?? 0, text: result?.text ?? '', log, before, after: countRows() }
}

async function expectHarmless(given: Shot): Promise<void> {
  const { status, text, log, before, after } = await fire(given)
  expect({ status, log, isOurFault: status >= 500 }).toEqual({ status, log: [], isOurFault: false })
  expect(text).not.toMatch(/node_modules|\.ts:\d|SQLITE|machine_auth_/)
  if (status === 0 || status >= 400) expect(after).toEqual(before)
}

/** Headers that would take away what the mighty may. */
const DECIDING = /^(?:authorization|x-api-key|x-admin-key|cookie|origin|sec-fetch-site|content-type)$/i

const settings = { numRuns: RUNS, endOnFailure: false } as const

describe('random requests', () => {
  test('of anybody', async () => {
    await fc.assert(fc.asyncProperty(shot, expectHarmless), settings)
  }, 20_000)

  test('of somebody who may everything', async () => {
    // Those of anybody guessed the master key.
    t.time.now += 60_000
    const mighty = fc
      .tuple(
        shot,
        fc.constantFrom(
          ['X-Admin-Key', MASTER_KEY] as const,
          ['Authorization', `Bearer ${admin.pair.access_token}`] as const,
        ),
      )
      .map(([given, proof]): Shot => {
        const others = given.headers.filter(([name]) => !DECIDING.test(name))
        return { ...given, headers: [proof, ['Content-Type', 'application/json'], ...others] }
      })
    await fc.assert(fc.asyncProperty(mighty, expectHarmless), settings)
  }, 20_000)
})

test('the credentials of the honest still work', async () => {
  // A shot may have revoked or ended what it found; a new one of each does.
  for (const [path, headers] of [
    ['/key', (await addKey(t)).headers],
    ['/token', (await addTokens(t, bob.id)).headers],
    ['/session', (await addSession(t, bob.id)).headers],
  ] as const) {
    expect((await t.ask(path, { headers })).status).toBe(200)
  }
})
