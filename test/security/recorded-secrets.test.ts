/**
 * SECURITY.md, P26 and P81: with everything recorded, no credential is in what was recorded, whoever sent it how. All
 * endpoints are asked with credentials of every kind in every place; then every file, the console and the metrics are
 * looked through.
 */
import { expect, spyOn, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { formatRefreshToken, generateBearerToken, generateSessionText } from '../../src/credentials/secret-text.ts'
import type { LoggingOption } from '../../src/index.ts'
import { randomBase62 } from '../../src/lib/base62.ts'
import { textAt } from '../support/answers.ts'
import { letHoldCredentials } from '../support/credentials/exempt.ts'
import { type CredentialKind, CredentialSearch } from '../support/credentials/search.ts'
import { createDatabaseDirectory, filesIn, removeDirectory } from '../support/directories.ts'
import { ENDPOINTS, type Ids, methodOf, pathOf } from '../support/endpoints.ts'
import {
  ALICE,
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  BOB,
  createTestApp,
  type Json,
  MASTER_KEY,
  PASSWORD,
  SECRET,
  type TestApp,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'

const WRONG_PASSWORD = 'a password that nobody has'
const NEW_PASSWORD = 'a password that is new'
/** Where a credential begins to be secret: behind its id, or the claims that are no secret. */
const SECRET_PART = { key: -49, session: 16 } as const

/** Credentials of every kind, and what is looked for of each. */
class Known {
  readonly search = new CredentialSearch()

  constructor() {
    this.words('root secret', SECRET)
    this.words('master key', MASTER_KEY)
    for (const password of [PASSWORD, WRONG_PASSWORD, NEW_PASSWORD]) this.words('password', password)
  }

  words(kind: CredentialKind, text: string): void {
    this.search.note(kind, text, true)
  }

  key(text: string): string {
    this.search.note('API key', text.slice(SECRET_PART.key))
    return text
  }

  opaque(text: string): string {
    this.search.note('opaque bearer token', text.slice(SECRET_PART.key))
    return text
  }

  session(text: string): string {
    this.search.note('session', text.slice(SECRET_PART.session))
    return text
  }

  access(text: string): string {
    this.search.note('access token', text.slice(text.lastIndexOf('.') + 1))
    return text
  }

  refresh(text: string): string {
    this.search.note('refresh token', text.slice(text.lastIndexOf('_', text.length - 43) + 1))
    return text
  }

  pair({ access_token, refresh_token }: { readonly access_token: string; readonly refresh_token: string }) {
    return { access: this.access(access_token), refresh: this.refresh(refresh_token) }
  }
}

interface Credentials {
  readonly key: string
  readonly access: string
  readonly refresh: string
  readonly opaque: string
  readonly session: string
}

/** Of Alice, who may do everything, anew each time: some endpoints end what they are asked with. */
async function makeRight(t: TestApp, known: Known): Promise<Credentials> {
  const { rawKey } = await addKey(t, { userId: 'user_alice', permissions: ['*'] })
  const { rawToken } = await t.core.tokens.bearer.create({ name: 'x', userId: 'user_alice' })
  const { cookieValue } = await addSession(t, 'user_alice')
  const { pair } = await addTokens(t, 'user_alice')
  return {
    key: known.key(rawKey),
    opaque: known.opaque(rawToken),
    session: known.session(cookieValue),
    ...known.pair(pair),
  }
}

/** In form as they should be, and nobody's. */
function makeWrong(known: Known, right: Credentials): Credentials {
  return {
    key: known.key(generateApiKey('mac', 'live').raw),
    opaque: known.opaque(generateBearerToken().raw),
    session: known.session(generateSessionText().raw),
    access: known.access(`${right.access.slice(0, right.access.lastIndexOf('.'))}.${randomBase62(86)}`),
    refresh: known.refresh(formatRefreshToken('rt_0123456789abcdef', 3, randomBase62(43))),
  }
}

/** Each kind where it belongs. */
function presented({ key, access, opaque, session }: Credentials): readonly Readonly<Record<string, string>>[] {
  return [
    withKey(key),
    { authorization: `ApiKey ${key}` },
    withBearer(key),
    withBearer(access),
    withBearer(opaque),
    withCookie(session),
    // Two of one kind, and all at once.
    { ...withKey(key), 'x-admin-key': MASTER_KEY, cookie: `theme=dark; session_id=${session}; other=${access}` },
  ]
}

/** Each kind where it does not belong: in queries, nested lists, in the middle of texts. */
function misplaced({ key, access, refresh, opaque, session }: Credentials) {
  const text = `before ${access} between ${key}, ${opaque}; (${session}) and "${refresh}" after`
  const query = new URLSearchParams({
    access_token: access,
    api_key: key,
    password: PASSWORD,
    q: text,
    next: `https://example.com/back?token=${opaque}#${session}`,
  })
  const nested = {
    list: [key, [access, { deep: [{ password: PASSWORD, refresh_token: refresh }, session] }], opaque],
    json: JSON.stringify({ password: NEW_PASSWORD, text, cookie: `session_id=${session}` }),
    'api-key': key,
    newPassword: NEW_PASSWORD,
    authorization: [`Bearer ${access}`],
    masterKey: MASTER_KEY,
    text,
  }
  return {
    query: query.toString(),
    body: nested,
    headers: {
      referer: `https://example.com/?access_token=${access}&session_id=${session}`,
      'x-note': text,
      'x-auth-token': opaque,
      'proxy-authorization': `Bearer ${opaque}`,
      forwarded: `for="${key}"`,
    },
    path: `/nowhere/${key}/${encodeURIComponent(access)}/${session}`,
  }
}

async function makeIds(t: TestApp, known: Known): Promise<Ids> {
  const organization = await t.core.organizations.create({ name: crypto.randomUUID() })
  const user = await t.core.users.create({ email: `${crypto.randomUUID()}@example.com` })
  const { id: keyId, rawKey } = await addKey(t, { userId: user.id })
  const session = await addSession(t, 'user_bob')
  known.session(session.cookieValue)
  const block = await t.core.blocks.add({ subject: `custom:${crypto.randomUUID()}`, duration: '1h' })
  return {
    organizationId: organization.id,
    userId: user.id,
    keyId,
    rawKey: known.key(rawKey),
    sessionId: session.id,
    blockId: block.id,
    role: 'support',
  }
}

/** Asks every endpoint with each credential, right and wrong, and with all of them where they do not belong. */
async function askEverything(t: TestApp, known: Known): Promise<void> {
  const right = await makeRight(t, known)
  const wrong = makeWrong(known, right)
  const ids = await makeIds(t, known)
  for (const endpoint of ENDPOINTS) {
    const method = methodOf(endpoint)
    const path = pathOf(endpoint, ids)
    const body = endpoint.body?.()
    for (const credentials of [right, wrong]) {
      const { query, headers, body: more } = misplaced(credentials)
      const spoiled = body === undefined ? undefined : Array.isArray(body) ? [...body, more] : { ...body, ...more }
      await t.ask(`${path}?${query}`, { method, headers: { ...headers, ...asMaster }, body: spoiled })
      if (method === 'DELETE' || path.endsWith('/lockdown')) continue
      for (const given of credentials === right ? presented(right) : [])
        await t.ask(path, { method, headers: given, body })
    }
  }
  for (const { route } of ENDPOINTS.filter(({ route }) => /^DELETE|lockdown$/.test(route))) {
    await t.ask(pathOf({ route }, ids), { method: route.split(' ')[0] ?? '', headers: withBearer(right.access) })
  }
}

/** The endpoints whose business credentials are, as their holders use them. */
async function exchange(t: TestApp, known: Known): Promise<void> {
  const { ask } = t
  const { key, session, access, opaque, refresh } = await makeRight(t, known)
  const tokensOf = (json: Json) =>
    known.pair({ access_token: textAt(json, 'access_token'), refresh_token: textAt(json, 'refresh_token') })
  const login = tokensOf((await ask('/auth/login', { body: { email: ALICE, password: PASSWORD } })).json)
  await ask('/auth/login', { body: { email: ALICE, password: WRONG_PASSWORD } })
  await ask('/auth/login', { raw: `{"email":"${ALICE}","password":"${PASSWORD}"` })
  await ask('/auth/login', {
    raw: new URLSearchParams({ email: ALICE, password: PASSWORD }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  const renewed = tokensOf((await ask('/auth/refresh', { body: { refresh_token: login.refresh } })).json)
  await ask('/auth/logout', { body: { refresh_token: renewed.refresh } })
  await ask('/auth/refresh', { body: { refresh_token: renewed.refresh } })
  const client = tokensOf((await ask('/auth/token/new', { headers: asMaster, body: {} })).json)
  tokensOf((await ask('/auth/token/refresh', { body: { refresh_token: client.refresh } })).json)
  const opened = await ask('/auth/sessions', { body: { email: BOB, password: PASSWORD } })
  const cookie = /session_id=([^;]+)/.exec(opened.headers.get('set-cookie') ?? '')?.[1] ?? ''
  expect(cookie).toHaveLength(59)
  known.session(cookie)
  await ask('/auth/sessions/current', { method: 'DELETE', headers: withCookie(cookie) })

  const made = (await ask('/auth/keys', { headers: asMaster, body: { name: 'made' } })).json
  known.key(textAt(made, 'rawKey'))
  const { id } = made.key as { readonly id: string }
  known.key(textAt((await ask(`/auth/keys/${id}/rotate`, { headers: asMaster, method: 'POST' })).json, 'rawKey'))
  // Not the master key, which is what its owner thought of: nobody knows it where its name does not tell.
  for (const text of [key, access, opaque, session, refresh]) {
    await ask('/auth/keys/verify', { headers: asMaster, body: { key: text } })
    await ask(`/auth/keys/${encodeURIComponent(text)}`, { headers: asMaster })
    await ask('/auth/keys/batch/usage', {
      headers: asMaster,
      body: [
        { id: 'one', keyId: text, endpoint: '/data', method: 'GET', status: 200, latencyMs: 1, at: NOW },
        {
          id: `two-${text.slice(-6)}`,
          keyId: id,
          endpoint: '/data',
          method: 'GET',
          status: 200,
          latencyMs: 1,
          at: NOW,
        },
      ],
    })
  }
  await ask('/auth/users', { headers: asMaster, body: { email: 'carol@example.com', password: NEW_PASSWORD } })
  const hash = new Bun.CryptoHasher('sha256').update(key).digest('hex')
  await ask('/auth/keys/import', { headers: asMaster, body: { name: 'x', hash, hashKind: 'sha256' } })
}

const NOW = '2030-01-01T00:00:00Z'

/** An app's own routes: what they are asked and answer is nobody's business either. */
async function useRoutes(t: TestApp, known: Known): Promise<void> {
  const right = await makeRight(t, known)
  for (const credentials of [right, makeWrong(known, right)]) {
    const { query, body, headers, path } = misplaced(credentials)
    for (const given of [...presented(credentials), asMaster]) {
      for (const own of ['/key', '/token', '/session', '/user', '/optional', '/admin', '/master', '/open', path]) {
        await t.ask(`${own}?${query}`, { headers: { ...headers, ...given } })
      }
      await t.ask('/echo', { headers: { ...headers, ...given }, body })
      await t.ask('/open', { headers: { 'x-request-id': credentials.key, 'user-agent': `curl ${credentials.access}` } })
      await t.ask('/says', { headers: given, body: credentials })
    }
    await t.ask('/echo', {
      raw: `text: ${body.text}\npassword: ${PASSWORD}\n`,
      headers: { 'content-type': 'text/plain' },
    })
    await t.ask('/throws', { headers: { ...headers, ...withKey(credentials.key) }, body })
  }
}

interface Mode {
  readonly name: string
  readonly logging: LoggingOption
  readonly finds: readonly CredentialKind[]
}

const EVERY: readonly CredentialKind[] = [
  'API key',
  'access token',
  'master key',
  'opaque bearer token',
  'password',
  'refresh token',
  'session',
]

const MODES: readonly Mode[] = [
  { name: 'metadata_only', logging: { mode: 'metadata_only' }, finds: [] },
  { name: 'redacted', logging: { mode: 'redacted' }, finds: [] },
  { name: 'raw', logging: { mode: 'raw' }, finds: [] },
  // So that nothing to find means something.
  { name: 'raw and unsafeRaw', logging: { mode: 'raw', unsafeRaw: true }, finds: EVERY },
]

/** What the console says while something runs. */
async function withConsole(run: () => Promise<void>): Promise<string> {
  const lines: string[] = []
  const spies = (['log', 'info', 'warn', 'error', 'debug', 'trace'] as const).map((name) =>
    spyOn(console, name).mockImplementation((...parts: unknown[]) => void lines.push(Bun.inspect(parts))),
  )
  try {
    await run()
    return lines.join('\n')
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
}

test.each(MODES)(
  'with the request log $name',
  async ({ logging, finds }) => {
    const directory = createDatabaseDirectory('machine-auth-recorded')
    if (finds.length > 0) letHoldCredentials(directory, 'the option unsafeRaw is there to log them')
    const known = new Known()
    const places = new Map<string, Buffer>()
    const lookAtFiles = (when: string) => {
      for (const file of filesIn(directory)) places.set(`${when}: ${file.slice(directory.length)}`, readFileSync(file))
    }
    const options = {
      database: `sqlite:${join(directory, 'auth.db')}`,
      logging,
      metrics: { open: true },
      // What is in the journal stays there until it is looked at.
      usage: { durability: 'journaled', flushInterval: '1h' },
    } as const
    const said = await withConsole(async () => {
      await using t = await createTestApp(options, (app) =>
        app
          .post('/echo', ({ body }) => body, { public: true })
          .post(
            '/says',
            ({ body, set }) => {
              const { access, session } = body as Credentials
              set.headers['set-cookie'] = `session_id=${session}; Path=/`
              set.headers['x-next-token'] = access
              return { access_token: access, list: [body] }
            },
            { public: true },
          )
          .post(
            '/throws',
            () => {
              throw new Error('of an app')
            },
            { apiKey: true },
          ),
      )
      await addPeople(t)
      await useRoutes(t, known)
      await exchange(t, known)
      await askEverything(t, known)
      places.set('metrics', Buffer.from((await t.ask('/auth/metrics')).text))
      // Written first, so that it can be read.
      places.set('GET /logs', Buffer.from((await t.ask('/auth/logs?limit=100', { headers: asMaster })).text))
      lookAtFiles('before')
      places.set('warnings', Buffer.from(t.warnings.join('\n')))
    })
    lookAtFiles('after')
    places.set('console', Buffer.from(said))

    // What was recorded is there to be found.
    const textOf = (part: string) => [...places].filter(([place]) => place.includes(part)).join('\n')
    expect(textOf('before: /auth.db-wal').length).toBeGreaterThan(100_000)
    expect(textOf('.journal')).toContain('"/auth/keys/:id"')
    expect(textOf('metrics')).toContain('machine_auth_requests_total{outcome="allowed"}')
    expect(textOf('after: /auth.db')).toContain('/nowhere/')
    expect(textOf('console')).toContain('of an app')

    const found = [...places].flatMap(([place, bytes]) =>
      known.search.find(bytes).map(({ kind, offset }) => ({ place, kind, offset })),
    )
    if (finds.length === 0) expect(found).toEqual([])
    expect([...new Set(found.map(({ kind }) => kind))].sort()).toEqual([...finds])
    removeDirectory(directory)
  },
  60_000,
)
