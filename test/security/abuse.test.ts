/** SECURITY.md, abuse: who presents too many wrong credentials is kept out, and nobody else. */
import { afterAll, describe, expect, test } from 'bun:test'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { handle } from '../guards/support.ts'
import { expectInvalidAt, expectProblem, listAt } from '../support/answers.ts'
import { askTimes, BLOCKED, forgeKey, from, PROXIED } from '../support/limited.ts'
import {
  addKey,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  type Question,
  START,
  type TestApp,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const HOUR = 3_600_000
const DAY = 24 * HOUR
const HERE = from('203.0.113.1')
const THERE = from('203.0.113.2')
const ADMIN = { ...asMaster, ...from('203.0.113.200') }
const WRONG = '401 api_key_invalid'

const wrongKey = () => withKey(generateApiKey('mac', 'live').raw)
const create = (options: Parameters<typeof createTestApp>[0] = {}) =>
  createTestApp({ ...PROXIED, abuse: {}, ...options })
const listBlocks = async (app: TestApp) => listAt((await app.ask('/auth/blocks', { headers: ADMIN })).json, 'items')

async function presentWrong(app: TestApp, times: number, address: Headers = HERE): Promise<readonly string[]> {
  const said: string[] = []
  for (let time = 0; time < times; time += 1) {
    said.push((await app.ask('/key', { headers: { ...address, ...wrongKey() } })).said)
  }
  return said
}

describe('P59 150 wrong keys from one address', () => {
  test('are answered 100 times, and from then on refused without asking the database', async () => {
    await using app = await create()
    const key = await addKey(app)
    expect(new Set(await presentWrong(app, 100))).toEqual(new Set([WRONG]))
    await app.core.blocks.settle()
    app.takeStatements()
    const refused = await app.ask('/key', { headers: { ...HERE, ...wrongKey() } })
    expectProblem(refused, 'address_blocked', ['retryAfter'])
    expect([refused.headers.get('retry-after'), refused.headers.get('www-authenticate')]).toEqual(['86400', null])
    expect(new Set(await presentWrong(app, 49))).toEqual(new Set([BLOCKED]))
    // Nor is a right one looked at.
    for (const path of ['/key', '/open', '/nowhere', '/auth/me']) {
      expect((await app.ask(path, { headers: { ...HERE, ...key.headers } })).said).toBe(BLOCKED)
    }
    expect(app.takeStatements()).toEqual([])
    // Everybody else is served.
    expect((await app.ask('/key', { headers: { ...THERE, ...key.headers } })).said).toBe('200')
    expect((await app.ask('/key', { headers: { ...THERE, ...wrongKey() } })).said).toBe(WRONG)
  })

  test('DELETE /auth/blocks/:id frees it, and it counts from zero', async () => {
    await using app = await create()
    await presentWrong(app, 101)
    const [block, ...others] = await listBlocks(app)
    expect(others).toEqual([])
    expect(block).toMatchObject({
      subject: '203.0.113.1',
      kind: 'abuse',
      scope: 'global',
      path: null,
      reason: '100 wrong credentials',
      expiresAt: new Date(START + DAY).toISOString(),
    })
    expect((await app.ask(`/auth/blocks/${block?.id}`, { method: 'DELETE', headers: ADMIN })).status).toBe(204)
    expect(new Set(await presentWrong(app, 100))).toEqual(new Set([WRONG]))
    expect(await presentWrong(app, 1)).toEqual([BLOCKED])
  })

  test('the block ends after its time', async () => {
    await using app = await create()
    await presentWrong(app, 100)
    app.time.now = START + DAY - 1
    const last = await app.ask('/open', { headers: HERE })
    expect([last.said, last.headers.get('retry-after')]).toEqual([BLOCKED, '1'])
    app.time.now = START + DAY
    expect((await app.ask('/open', { headers: HERE })).said).toBe('200')
  })

  test('that come at once block it all the same', async () => {
    await using app = await create()
    await Promise.all(Array.from({ length: 150 }, () => app.ask('/key', { headers: { ...HERE, ...wrongKey() } })))
    expect(await askTimes(app, 1, '/open', { headers: HERE })).toEqual([BLOCKED])
    expect(await listBlocks(app)).toHaveLength(1)
  })

  test('do not add up over more than the window', async () => {
    await using app = await create()
    for (let hour = 0; hour < 3; hour += 1) {
      expect(new Set(await presentWrong(app, 99))).toEqual(new Set([WRONG]))
      app.time.now += HOUR
    }
    expect(await listBlocks(app)).toEqual([])
  })
})

describe('with a threshold of three', async () => {
  const t = await create({
    abuse: { threshold: 3, window: '10m', blockFor: '2h' },
    protect: [{ path: '/ruled', require: { apiKey: true } }],
  })
  afterAll(t.close)
  let addresses = 0
  /** An address that nobody has come from yet. */
  function newcomer() {
    addresses += 1
    return from(`10.7.0.${addresses}`)
  }
  const addUser = () => t.core.users.create({ email: `${crypto.randomUUID()}@example.com` })

  /** Presents something so often, and answers whether the address is blocked by then. */
  async function isBlockedAfter(times: number, path: string, question: Question, address: Headers): Promise<boolean> {
    const headers = { ...question.headers, ...address }
    for (let time = 0; time < times; time += 1) await t.ask(path, { ...question, headers })
    return (await t.ask('/open', { headers: address })).said === BLOCKED
  }

  type Row = readonly [name: string, path: string, present: () => Headers | Promise<Headers>]

  const COUNTED: readonly Row[] = [
    ['an unknown key', '/key', wrongKey],
    ['a key that is none', '/key', () => withKey('x')],
    ['a forged key of a known id', '/key', async () => withKey(forgeKey((await addKey(t)).rawKey))],
    ['a key of the wrong checksum', '/key', async () => withKey(`${(await addKey(t)).rawKey.slice(0, -6)}000000`)],
    ['a wrong key in Authorization', '/key', () => ({ authorization: `ApiKey ${generateApiKey('mac', 'live').raw}` })],
    ['an unknown token', '/token', () => withBearer('nonsense')],
    ['a forged token', '/user', () => withBearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.')],
    ['a wrong master key', '/master', () => ({ 'x-admin-key': 'wrong' })],
    ['a wrong master key as a token', '/master', () => withBearer('wrong-master-key')],
    ['a wrong key where a user is optional', '/optional', wrongKey],
    ['a wrong key to management', '/auth/keys', wrongKey],
    ['a wrong key to an endpoint of ours', '/auth/me', wrongKey],
    ['a wrong key under a rule', '/ruled/x', wrongKey],
    ['a wrong key on an unknown path under a rule', '/ruled/nowhere', wrongKey],
    ['a wrong key beside a right session', '/key', async () => ({ ...(await session()).headers, ...wrongKey() })],
  ]

  const IGNORED: readonly Row[] = [
    ['nothing', '/key', () => ({})],
    ['nothing to management', '/auth/keys', () => ({})],
    ['nothing as the master key', '/master', () => ({})],
    ['an expired key', '/key', expiredKey],
    ['a revoked key', '/key', revokedKey],
    ['a key from elsewhere', '/key', async () => (await addKey(t, { ipAllowlist: ['192.0.2.1'] })).headers],
    ['a key without the permission', '/users', async () => (await addKey(t)).headers],
    ['a key without a user', '/user', async () => (await addKey(t)).headers],
    ['a key in the place of a token', '/token', async () => (await addKey(t)).headers],
    ['a token of a user who is gone', '/token', endedToken],
    ['a right token in the place of a key', '/key', async () => (await addTokens(t, (await addUser()).id)).headers],
    [
      'a right token in the place of a master key',
      '/master',
      async () => (await addTokens(t, (await addUser()).id)).headers,
    ],
    ['a stale session', '/session', staleSession],
    ['a cookie of another app', '/session', () => withCookie('something-else')],
    ['a made-up session', '/session', () => withCookie('A'.repeat(59))],
    ['Basic credentials', '/key', () => ({ authorization: 'Basic YWxpY2U6c2VjcmV0' })],
    ['Basic credentials for a user', '/user', () => ({ authorization: 'Basic YWxpY2U6c2VjcmV0' })],
    ['two keys', '/key', () => withKey('a, b')],
    ['a wrong key where none is asked for', '/open', wrongKey],
    ['a wrong key on an unknown path', '/nowhere', wrongKey],
  ]

  async function session() {
    const user = await addUser()
    return { user, headers: (await addSession(t, user.id)).headers }
  }

  async function staleSession() {
    const { user, headers } = await session()
    await t.core.users.disable(user.id)
    return headers
  }

  async function expiredKey() {
    const { headers } = await addKey(t, { expiresInDays: 1 })
    t.time.now += DAY
    return headers
  }

  async function revokedKey() {
    const { id, headers } = await addKey(t)
    await t.core.keys.revoke(id)
    return headers
  }

  async function endedToken() {
    const user = await addUser()
    const { headers } = await addTokens(t, user.id)
    await t.core.users.disable(user.id)
    return headers
  }

  test.each([...COUNTED])('counts %s', async (_, path, present) => {
    const [address, headers] = [newcomer(), await present()]
    expect(await isBlockedAfter(2, path, { headers }, address)).toBe(false)
    expect(await isBlockedAfter(1, path, { headers }, address)).toBe(true)
    const refused = await t.ask(path, { headers: { ...headers, ...address } })
    expect([refused.said, refused.headers.get('retry-after')]).toEqual([BLOCKED, '7200'])
  })

  test.each([...IGNORED])('P63 does not count %s', async (_, path, present) => {
    expect(await isBlockedAfter(8, path, { headers: await present() }, newcomer())).toBe(false)
  })

  test('P63 does not count a wrong password, which has a throttle of its own', async () => {
    const body = { email: 'nobody@example.com', password: 'wrong' }
    expect(await isBlockedAfter(8, '/auth/login', { body }, newcomer())).toBe(false)
  })

  test('counts one request once, however many guards refuse it and of how many kinds it is', async () => {
    const address = newcomer()
    const headers = { ...wrongKey(), ...withBearer('nonsense'), 'x-admin-key': 'wrong' }
    expect(await isBlockedAfter(2, '/ruled/x', { headers }, address)).toBe(false)
    expect(await isBlockedAfter(1, '/ruled/x', { headers }, address)).toBe(true)
  })

  test('counts a right credential in between neither for nor against it', async () => {
    const address = newcomer()
    const key = await addKey(t)
    await presentWrong(t, 2, address)
    expect(await isBlockedAfter(5, '/key', { headers: key.headers }, address)).toBe(false)
    await presentWrong(t, 1, address)
    expect(await isBlockedAfter(0, '/key', {}, address)).toBe(true)
  })

  test('counts a wrong refresh token', async () => {
    const body = { refresh_token: 'wrong' }
    expect(await isBlockedAfter(3, '/auth/refresh', { body }, newcomer())).toBe(true)
  })

  test('counts IPv6 by /64, and an address that a client wrote for nothing', async () => {
    for (const host of ['1', '2', '3']) await presentWrong(t, 1, from(`2001:db8::${host}`))
    expect(await askTimes(t, 1, '/open', { headers: from('2001:db8::9') })).toEqual([BLOCKED])
    // The one on the left is what the client wrote.
    for (const other of ['1', '2', '3']) await presentWrong(t, 1, from(`203.0.113.1, 198.51.100.${other}`))
    expect(await askTimes(t, 1, '/open', { headers: HERE })).toEqual(['200'])
  })
})

test('P63 200 requests without a key are 200 times 401, and nobody is blocked', async () => {
  await using app = await create()
  const said = await askTimes(app, 200, '/key', { headers: HERE })
  expect(new Set(said)).toEqual(new Set(['401 credential_missing']))
  expect(await askTimes(app, 1, '/open', { headers: HERE })).toEqual(['200'])
  expect(app.countRows().machine_auth_blocks).toBe(0)
})

describe('P62 an address of the allow-list', () => {
  const allow = { abuse: { threshold: 3, allow: ['203.0.113.0/30', '2001:db8::7'] } } as const
  const OPERATOR = from('203.0.113.1')

  test('is not blocked by wrong credentials', async () => {
    await using app = await create(allow)
    expect(new Set(await presentWrong(app, 20, OPERATOR))).toEqual(new Set([WRONG]))
    expect(await listBlocks(app)).toEqual([])
    expect((await presentWrong(app, 5, from('203.0.113.4'))).at(-1)).toBe(BLOCKED)
  })

  test.each(['203.0.113.1', '203.0.113.3', '::ffff:203.0.113.1', '2001:db8::7', '2001:0db8:0::0007'])(
    'is refused by POST /auth/blocks: %s',
    async (subject) => {
      await using app = await create(allow)
      expectInvalidAt(await app.ask('/auth/blocks', { body: { subject, duration: '1h' }, headers: ADMIN }), 'subject')
      expect(app.countRows().machine_auth_blocks).toBe(0)
    },
  )

  test.each(['203.0.113.0/24', '0.0.0.0/0', '203.0.113.1/31'])('is served though it is within %s', async (subject) => {
    await using app = await create(allow)
    const made = await app.ask('/auth/blocks', { body: { subject, duration: '1h' }, headers: ADMIN })
    expect(made.status).toBe(201)
    expect(await askTimes(app, 1, '/open', { headers: OPERATOR })).toEqual(['200'])
  })

  test('is served though another one of its /64 is blocked', async () => {
    await using app = await create(allow)
    await app.core.blocks.add({ subject: '2001:db8::8', duration: '1h' })
    expect(await askTimes(app, 1, '/open', { headers: from('2001:db8::7') })).toEqual(['200'])
    expect(await askTimes(app, 1, '/open', { headers: from('2001:db8::9') })).toEqual([BLOCKED])
  })

  test('is not blocked by auth.block, which says so', async () => {
    await using app = await createTestApp({ ...PROXIED, ...allow }, (inner) =>
      inner.get('/fraud', async ({ auth }) => ({ block: await auth.block({ duration: '1h', scope: 'global' }) })),
    )
    expect((await app.ask('/fraud', { headers: OPERATOR })).json).toEqual({ block: null })
    expect(await askTimes(app, 1, '/open', { headers: OPERATOR })).toEqual(['200'])
    expect((await app.ask('/fraud', { headers: from('203.0.113.9') })).json.block).toMatchObject({ scope: 'global' })
    expect(await askTimes(app, 1, '/open', { headers: from('203.0.113.9') })).toEqual([BLOCKED])
  })

  test('is served though it was blocked before it was put there', async () => {
    await using app = await create(allow)
    app.client.run(
      `insert into machine_auth_blocks (id, subject, kind, scope, path, created_by, created_at, expires_at)
       values ('blk_old', 'ip:203.0.113.1', 'manual', 'global', '', 'x', 0, ${START + DAY})`,
    )
    await app.core.blocks.load()
    expect(await askTimes(app, 1, '/open', { headers: OPERATOR })).toEqual(['200'])
  })
})

test('with abuse false nobody is blocked by himself, and anybody can be', async () => {
  await using app = await create({ abuse: false })
  expect(new Set(await presentWrong(app, 150))).toEqual(new Set([WRONG]))
  await app.core.blocks.add({ subject: '203.0.113.1', duration: '1h' })
  expect(await presentWrong(app, 1)).toEqual([BLOCKED])
})

describe('where no address is known', () => {
  const ask = (app: TestApp, headers: Headers, path = '/key') => handle(app.app, path, { headers })

  test('wrong credentials are refused beyond the threshold, right ones are served', async () => {
    await using app = await create({ abuse: { threshold: 3, window: '10m' } })
    const key = await addKey(app)
    const statuses: number[] = []
    for (let time = 0; time < 6; time += 1) statuses.push((await ask(app, wrongKey())).status)
    expect(statuses).toEqual([401, 401, 401, 403, 403, 403])
    const refused = await ask(app, wrongKey())
    expect([refused.problem.code, refused.headers.get('retry-after')]).toEqual(['address_blocked', '600'])
    expect([(await ask(app, key.headers)).status, (await ask(app, {})).status]).toEqual([200, 401])
    expect((await ask(app, {}, '/open')).status).toBe(200)
    expect(await listBlocks(app)).toEqual([])
    app.time.now += 600_000
    expect((await ask(app, wrongKey())).status).toBe(401)
  })
})
