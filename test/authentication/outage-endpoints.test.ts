/** While the database is away every endpoint answers: from memory, or 503, and never 500. */
import { describe, expect, test } from 'bun:test'
import { withLog } from '../guards/support.ts'
import { expectProblem } from '../support/answers.ts'
import { forgeKey } from '../support/limited.ts'
import {
  ALICE,
  addKey,
  addSession,
  asMaster,
  PASSWORD,
  type Question,
  withBearer,
  withKey,
} from '../support/test-app.ts'
import { createApp, type OutageApp, STALENESS, TTL } from './support.ts'

/** Credentials that were used before the database went away, and some that were not. */
async function present(t: OutageApp) {
  const alice = await t.core.users.find(t.alice.id)
  const known = {
    key: await addKey(t, { permissions: ['machine_auth.*', 'users.*'] }),
    quota: await addKey(t, { monthlyQuota: 1000 }),
    session: await addSession(t, t.alice.id),
    pair: await t.core.tokens.issueForUser(alice),
    bearer: await t.core.tokens.bearer.create({ name: 'known', userId: t.alice.id, permissions: ['*'] }),
  }
  const unseen = {
    key: await addKey(t),
    session: await addSession(t, t.alice.id),
    pair: await t.core.tokens.issueForUser(alice),
    bearer: await t.core.tokens.bearer.create({ name: 'unseen', userId: t.alice.id }),
  }
  return { known, unseen }
}

type Credentials = Awaited<ReturnType<typeof present>>

interface Row {
  readonly name: string
  readonly path: string
  readonly question: (credentials: Credentials) => Question
  readonly said: string
}

const asJwt = ({ known: { pair } }: Credentials) => withBearer(pair.access_token)

/** What is answered from memory. */
const SERVED: readonly Row[] = [
  { name: 'a known key', path: '/key', question: ({ known }) => known.key, said: '200' },
  { name: 'a known session', path: '/session', question: ({ known }) => known.session, said: '200' },
  { name: 'a known JWT', path: '/token', question: (c) => ({ headers: asJwt(c) }), said: '200' },
  {
    name: 'a known opaque token',
    path: '/token',
    question: ({ known }) => ({ headers: withBearer(known.bearer.rawToken) }),
    said: '200',
  },
  { name: 'a role', path: '/admin', question: ({ known }) => known.session, said: '200' },
  { name: 'a permission', path: '/users', question: ({ known }) => known.key, said: '200' },
  { name: 'who is asking', path: '/auth/me', question: (c) => ({ headers: asJwt(c) }), said: '200' },
  { name: 'the public signing keys', path: '/.well-known/jwks.json', question: () => ({}), said: '200' },
  { name: 'the master key', path: '/master', question: () => ({ headers: asMaster }), said: '200' },
  { name: 'a public route', path: '/open', question: () => ({}), said: '200' },
  {
    name: 'a public route to an unknown key',
    path: '/open',
    question: ({ unseen }) => unseen.key,
    said: '200',
  },
  {
    name: 'a known key to whoever verifies it',
    path: '/auth/keys/verify',
    question: ({ known }) => ({ headers: asMaster, body: { key: known.key.rawKey } }),
    said: '200',
  },
  { name: 'nobody', path: '/key', question: () => ({}), said: '401 credential_missing' },
  {
    name: 'what is no key',
    path: '/key',
    question: () => ({ headers: withKey('mac_live_x') }),
    said: '401 api_key_invalid',
  },
  {
    name: 'a permission that is missing',
    path: '/admin',
    question: ({ known }) => known.key,
    said: '403 user_required',
  },
]

/** What needs the database. */
const REFUSED: readonly Omit<Row, 'said'>[] = [
  { name: 'an unknown key', path: '/key', question: ({ unseen }) => unseen.key },
  { name: 'a forged key', path: '/key', question: ({ known }) => ({ headers: withKey(forgeKey(known.key.rawKey)) }) },
  { name: 'an unknown session', path: '/session', question: ({ unseen }) => unseen.session },
  { name: 'an unknown JWT', path: '/token', question: (c) => ({ headers: withBearer(c.unseen.pair.access_token) }) },
  {
    name: 'an unknown opaque token',
    path: '/token',
    question: (c) => ({ headers: withBearer(c.unseen.bearer.rawToken) }),
  },
  { name: 'a quota of which nothing is claimed', path: '/key', question: ({ known }) => known.quota },
  { name: 'a login', path: '/auth/login', question: () => ({ body: { email: ALICE, password: PASSWORD } }) },
  {
    name: 'a refresh',
    path: '/auth/refresh',
    question: ({ known }) => ({ body: { refresh_token: known.pair.refresh_token } }),
  },
  {
    name: 'a logout',
    path: '/auth/logout',
    question: ({ known }) => ({ body: { refresh_token: known.pair.refresh_token } }),
  },
  { name: 'a new key', path: '/auth/keys', question: (c) => ({ headers: asJwt(c), body: { name: 'new' } }) },
  {
    name: 'a new key that may be asked for twice',
    path: '/auth/keys',
    question: (c) => ({ headers: { ...asJwt(c), 'idempotency-key': 'one' }, body: { name: 'new' } }),
  },
  { name: 'a list of keys', path: '/auth/keys', question: (c) => ({ headers: asJwt(c) }) },
  {
    name: 'a new user',
    path: '/auth/users',
    question: (c) => ({ headers: asJwt(c), body: { email: 'c@example.com' } }),
  },
  {
    name: 'a new block',
    path: '/auth/blocks',
    question: () => ({ headers: asMaster, body: { subject: '203.0.113.5', duration: '1h' } }),
  },
  { name: 'the audit log', path: '/auth/audit', question: () => ({ headers: asMaster }) },
]

async function warmedUp() {
  const t = await createApp()
  const credentials = await present(t)
  for (const { path, question, said } of SERVED.slice(0, 4)) {
    expect((await t.ask(path, question(credentials))).said).toBe(said)
  }
  expect((await t.ask('/key', credentials.known.quota)).said).toBe('200')
  t.outage.isAway = true
  return { t, credentials }
}

const MOMENTS = [
  ['at once', 0],
  ['when nothing is fresh any more', TTL],
] as const

describe.each([...MOMENTS])('%s', (_, passed) => {
  test.each([...SERVED])('$name is answered $said', async ({ path, question, said }) => {
    const { t, credentials } = await warmedUp()
    await using _app = t
    t.pass(passed)
    const { result } = await withLog(() => t.ask(path, question(credentials)))
    expect(result.said).toBe(said)
  })

  test.each([...REFUSED])('$name is answered 503, to be tried again', async ({ path, question }) => {
    const { t, credentials } = await warmedUp()
    await using _app = t
    t.pass(passed)
    const { result } = await withLog(() => t.ask(path, question(credentials)))
    expectProblem(result, 'storage_unavailable', ['retryAfter'])
    expect([result.headers.get('retry-after'), result.json.retryable]).toEqual(['1', true])
  })
})

test('nothing is answered 500, however long it lasts, and all is well when the database is back', async () => {
  const { t, credentials } = await warmedUp()
  await using _app = t
  const all = async () => {
    const answers: string[] = []
    for (const { name, path, question } of [...SERVED, ...REFUSED]) {
      answers.push(`${name}: ${(await t.ask(path, question(credentials))).status}`)
    }
    return answers.filter((answer) => answer.endsWith('500'))
  }
  const failed = await withLog(async () => {
    const during = []
    for (let passed = 0; passed <= STALENESS; passed += TTL / 2) {
      during.push(...(await all()))
      t.pass(TTL / 2)
    }
    return during
  })
  expect(failed.result).toEqual([])
  const gone = await withLog(() => t.ask('/key', credentials.known.key))
  expect(gone.result.said).toBe('503 storage_unavailable')
  t.outage.isAway = false
  for (const { path, question, said } of SERVED) {
    expect([path, (await t.ask(path, question(credentials))).said]).toEqual([path, said])
  }
  expect((await t.ask('/key', credentials.unseen.key)).said).toBe('200')
})
