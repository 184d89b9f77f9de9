/** What a block keeps out: everywhere it says, in every spelling, in every process, and nothing else. */
import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSocket, sendRaw, unfinishedUpload, upgradeRequest } from '../guards/support.ts'
import { inDirectory } from '../storage/support.ts'
import { expectProblem, objectAt } from '../support/answers.ts'
import { askTimes, BLOCKED, type Extend, from, PROXIED } from '../support/limited.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  createTestApp,
  type Question,
  START,
  type TestApp,
} from '../support/test-app.ts'

type Headers = Readonly<Record<string, string>>

const HOUR = 3_600_000
/** ms within which other processes must know. */
const PROMISED = 1000
const open = () => 'open'

const routes: Extend = (app) =>
  app
    .get('/closed', open)
    .get('/closed/below/it', open)
    .get('/closedish', open)
    .get('/item/:id', open)
    .get('/item/:id/deep', open)
    .get('/files/*', open)
    .post('/json', ({ body }) => JSON.stringify(body))
    .get('/block/path', async ({ auth }) => ({ block: await auth.block({ duration: '1 hour', scope: 'path' }) }))
    .get('/block/default', async ({ auth }) => ({ block: await auth.block({ duration: '16:00', reason: 'fraud' }) }))
    .get('/block/item/:id', async ({ auth }) => ({ block: await auth.block({ duration: 3600 }) }))
    .get('/block/global', async ({ auth }) => ({ block: await auth.block({ duration: '1h', scope: 'global' }) }))
    .get('/block/user', async ({ auth }) => {
      const { id } = await auth.currentUser()
      return { block: await auth.block({ duration: '1h', scope: 'global', subject: id }) }
    })
    .get('/block/wrong/:what', ({ auth, params }) => auth.block(JSON.parse(params.what)))
    .ws('/ws/open', { open: (ws) => void ws.send('open'), message: () => undefined })

const t = await createTestApp(PROXIED, routes)
afterAll(t.close)
const { bob } = await addPeople(t)

let addresses = 0
/** An address that nobody has come from yet. */
function newcomer() {
  addresses += 1
  return from(`10.8.0.${addresses}`)
}

const textOf = (headers: ReturnType<typeof newcomer>) => headers['x-forwarded-for']
const said = async (app: TestApp, path: string, question: Question = {}) => (await app.ask(path, question)).said

describe('a global block of an address', () => {
  test('refuses everything from it, with when it ends', async () => {
    const headers = newcomer()
    const key = await addKey(t)
    await t.core.blocks.add({ subject: textOf(headers), duration: '1h' })
    for (const [path, question] of [
      ['/open', {}],
      ['/nowhere', {}],
      ['/open', { method: 'OPTIONS' }],
      ['/key', { headers: key.headers }],
      ['/auth/me', { headers: key.headers }],
      ['/auth/login', { raw: '{' }],
      ['/auth/blocks', { headers: asMaster }],
      ['/.well-known/jwks.json', {}],
    ] satisfies [string, Question][]) {
      const answer = await t.ask(path, { ...question, headers: { ...question.headers, ...headers } })
      expectProblem(answer, 'address_blocked', ['retryAfter'])
      expect(answer.headers.get('retry-after')).toBe('3600')
    }
    expect((await t.ask('/open', { method: 'HEAD', headers })).status).toBe(403)
    expect(await said(t, '/open', { headers: newcomer() })).toBe('200')
  })

  test('refuses an upload before it is read, and the upgrade of a WebSocket', async () => {
    const headers = newcomer()
    await t.core.blocks.add({ subject: textOf(headers), duration: '1h' })
    const upload = unfinishedUpload('POST', '/json', { 'Content-Type': 'application/json', ...headers })
    expect((await sendRaw(t.origin, upload))?.status).toBe(403)
    expect((await sendRaw(t.origin, upgradeRequest('/ws/open', headers)))?.status).toBe(403)
    expect(await openSocket(t.origin, '/ws/open', newcomer())).toBe('open')
  })

  test('ends by itself', async () => {
    const headers = newcomer()
    await t.core.blocks.add({ subject: textOf(headers), duration: '90s' })
    t.time.now += 89_999
    const last = await t.ask('/open', { headers })
    expect([last.said, last.headers.get('retry-after')]).toEqual([BLOCKED, '1'])
    t.time.now += 1
    expect(await said(t, '/open', { headers })).toBe('200')
  })
})

test.each([
  ['203.0.113.64/26', ['203.0.113.64', '203.0.113.127', '::ffff:203.0.113.100'], ['203.0.113.63', '203.0.113.128']],
  ['2001:db8:a::/48', ['2001:db8:a::1', '2001:db8:a:ffff::1'], ['2001:db8:b::1', '203.0.113.1']],
  ['2001:db8:c:1::/64', ['2001:db8:c:1::1', '2001:db8:c:1:ffff::'], ['2001:db8:c:2::1']],
  ['2001:db8:d:1::5/128', ['2001:db8:d:1::5'], ['2001:db8:d:1::6']],
])('a block of %s keeps out its addresses and no others', async (subject, inside, outside) => {
  await t.core.blocks.add({ subject, duration: '1h' })
  for (const address of inside)
    expect([address, await said(t, '/open', { headers: from(address) })]).toEqual([address, BLOCKED])
  for (const address of outside)
    expect([address, await said(t, '/open', { headers: from(address) })]).toEqual([address, '200'])
})

describe('a block of', () => {
  test('a key refuses it wherever it is asked for, from anywhere', async () => {
    const [key, other] = [await addKey(t), await addKey(t)]
    await t.core.blocks.add({ subject: key.id, duration: '1h' })
    for (const path of ['/key', '/auth/me', '/users']) {
      const answer = await t.ask(path, { headers: { ...newcomer(), ...key.headers } })
      expectProblem(answer, 'address_blocked', ['retryAfter'])
      expect(answer.json.detail).not.toContain('address')
    }
    expect(await said(t, '/open', { headers: key.headers })).toBe('200')
    expect(await said(t, '/key', { headers: other.headers })).toBe('200')
  })

  test('a user refuses his keys, tokens and sessions', async () => {
    const user = await t.core.users.create({ email: 'blocked@example.com' })
    const credentials: readonly Headers[] = [
      (await addKey(t, { userId: user.id })).headers,
      (await addTokens(t, user.id)).headers,
      (await addSession(t, user.id)).headers,
    ]
    for (const headers of credentials) expect(await said(t, '/user', { headers })).toBe('200')
    const { id } = await t.core.blocks.add({ subject: user.id, duration: '1h' })
    for (const headers of credentials) {
      expect(await said(t, '/user', { headers })).toBe(BLOCKED)
      expect(await said(t, '/optional', { headers })).toBe(BLOCKED)
    }
    expect(await said(t, '/user', { headers: (await addTokens(t, bob.id)).headers })).toBe('200')
    await t.core.blocks.remove(id)
    for (const headers of credentials) expect(await said(t, '/user', { headers })).toBe('200')
  })

  test('an organization refuses its keys and users', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Blocked' })
    const user = await t.core.users.create({ email: 'member@example.com', organizationId })
    await t.core.blocks.add({ subject: organizationId, duration: '1h' })
    expect(await said(t, '/key', { headers: (await addKey(t, { organizationId })).headers })).toBe(BLOCKED)
    expect(await said(t, '/user', { headers: (await addTokens(t, user.id)).headers })).toBe(BLOCKED)
  })

  test('a key or an address is heard of by POST /auth/keys/verify', async () => {
    const [key, address] = [await addKey(t), '198.51.100.99']
    const verify = async (ip: string) => {
      const { json } = await t.ask('/auth/keys/verify', { body: { key: key.rawKey, ip }, headers: asMaster })
      return [json.valid, json.code]
    }
    await t.core.blocks.add({ subject: address, duration: '1h' })
    expect(await verify(address)).toEqual([false, 'address_blocked'])
    expect(await verify('198.51.100.98')).toEqual([true, 'valid'])
    await t.core.blocks.add({ subject: key.id, duration: '1h' })
    expect(await verify('198.51.100.98')).toEqual([false, 'address_blocked'])
  })
})

describe('a block of a path', () => {
  const block = (headers: ReturnType<typeof newcomer>, path: string) =>
    t.core.blocks.add({ subject: textOf(headers), duration: '1h', scope: 'path', path })

  test('holds for it and what is below it, in every spelling', async () => {
    const headers = newcomer()
    await block(headers, '/closed')
    const spellings = [
      '/closed',
      '/closed/',
      '/closed?x=1',
      '//closed',
      '/%63losed',
      '/%2563losed',
      '/CLOSED',
      '/closed/below/it',
      '/closed/nowhere',
      '/closed%2fbelow',
    ]
    for (const path of spellings) expect([path, await said(t, path, { headers })]).toEqual([path, BLOCKED])
    for (const path of ['/closedish', '/open', '/item/closed', '/key']) {
      expect([path, (await t.ask(path, { headers })).status]).not.toEqual([path, 403])
    }
    expect(await said(t, '/closed', { headers: newcomer() })).toBe('200')
  })

  test('that is a pattern holds for all it matches', async () => {
    const headers = newcomer()
    await block(headers, '/item/:id')
    for (const path of ['/item/1', '/item/2/', '/item/%zz', '/item/a%2fb', '/item/1/deep']) {
      expect([path, await said(t, path, { headers })]).toEqual([path, BLOCKED])
    }
    for (const path of ['/open', '/files/item/1']) expect(await said(t, path, { headers })).toBe('200')
  })

  test('that is the root holds for the root alone', async () => {
    const headers = newcomer()
    await block(headers, '/')
    expect(await said(t, '/', { headers })).toBe(BLOCKED)
    expect(await said(t, '/open', { headers })).toBe('200')
  })

  test('holds for a key too, there alone', async () => {
    const key = await addKey(t)
    await t.core.blocks.add({ subject: key.id, duration: '1h', scope: 'path', path: '/live' })
    expect(await said(t, '/live', { headers: key.headers })).toBe(BLOCKED)
    expect(await said(t, '/key', { headers: key.headers })).toBe('200')
  })

  test('beside a longer global one says when the longer one ends', async () => {
    const headers = newcomer()
    await block(headers, '/closed')
    await t.core.blocks.add({ subject: textOf(headers), duration: '2h' })
    expect((await t.ask('/closed', { headers })).headers.get('retry-after')).toBe('7200')
  })
})

describe('auth.block in a handler', () => {
  const isBlocked = async (headers: Headers, path: string) => (await said(t, path, { headers })) === BLOCKED

  test.each([
    ['/block/path', '/block/path', 'path', '/block/path'],
    ['/block/default', '/block/default', 'path', '/block/default'],
    ['/block/item/1', '/block/item/2', 'path', '/block/item/:id'],
    ['/block/global', '/open', 'global', null],
  ])('%s blocks %s from the next request on', async (path, blocked, scope, shown) => {
    const headers = newcomer()
    const answer = await t.ask(path, { headers })
    expect(answer.status).toBe(200)
    const block = objectAt(answer.json, 'block')
    expect(block).toMatchObject({ subject: textOf(headers), scope, path: shown, kind: 'manual', createdBy: 'app' })
    expect([await isBlocked(headers, blocked), await isBlocked(newcomer(), blocked)]).toEqual([true, false])
    expect(await isBlocked(headers, '/open')).toBe(scope === 'global')
    expect((await t.ask(`/auth/blocks/${block.id}`, { method: 'DELETE', headers: asMaster })).status).toBe(204)
    expect(await isBlocked(headers, blocked)).toBe(false)
  })

  test('may block whoever asks, and says who that was', async () => {
    const user = await t.core.users.create({ email: 'fraud@example.com' })
    const { headers } = await addTokens(t, user.id)
    const answer = await t.ask('/block/user', { headers })
    expect(objectAt(answer.json, 'block')).toMatchObject({ subject: user.id, createdBy: user.id })
    expect([await isBlocked(headers, '/user'), await isBlocked(headers, '/open')]).toEqual([true, false])
  })

  test('may end at a time of day', async () => {
    const { json } = await t.ask('/block/default', { headers: newcomer() })
    expect(objectAt(json, 'block')).toMatchObject({
      expiresAt: new Date(START + 16 * HOUR).toISOString(),
      reason: 'fraud',
    })
  })

  test.each([
    { duration: 'soon' },
    { duration: '25:99', scope: 'global' },
    { duration: 0 },
    {},
    { duration: '1h', scope: 'everywhere' },
    { duration: '1h', subject: 'nobody in particular' },
    { duration: '1h', reason: 'a\u0000b' },
  ])('refuses %j', async (request) => {
    const before = t.countRows().machine_auth_blocks
    const answer = await t.ask(`/block/wrong/${encodeURIComponent(JSON.stringify(request))}`, { headers: newcomer() })
    expect(answer.said).toBe('422 validation_failed')
    expect(t.countRows().machine_auth_blocks).toBe(before as number)
  })
})

describe('blocks of a database', () => {
  test('outlive the process that made them', async () => {
    await inDirectory(async (directory) => {
      const database = `sqlite:${join(directory, 'kept.db')}`
      const headers = newcomer()
      const before = await createTestApp({ ...PROXIED, database }, routes)
      await before.core.blocks.add({ subject: textOf(headers), duration: '2h' })
      await before.core.blocks.add({ subject: '2001:db8:e::/48', duration: '2h' })
      const key = await addKey(before)
      await before.core.blocks.add({ subject: key.id, duration: '2h', scope: 'path', path: '/key' })
      await before.close()
      await using after = await createTestApp({ ...PROXIED, database }, routes)
      after.time.now = START + HOUR
      const answer = await after.ask('/open', { headers })
      expect([answer.said, answer.headers.get('retry-after')]).toEqual([BLOCKED, '3600'])
      expect(await said(after, '/open', { headers: from('2001:db8:e:1::1') })).toBe(BLOCKED)
      expect(await said(after, '/key', { headers: key.headers })).toBe(BLOCKED)
      expect(await said(after, '/live', { headers: key.headers })).toBe('200')
      after.time.now = START + 2 * HOUR
      expect(await askTimes(after, 1, '/open', { headers })).toEqual(['200'])
    })
  })

  test('are enforced, and given up, by every process on it within a second', async () => {
    await inDirectory(async (directory) => {
      const database = `sqlite:${join(directory, 'shared.db')}`
      await using here = await createTestApp({ ...PROXIED, database, abuse: { threshold: 3 } }, routes)
      await using there = await createTestApp({ ...PROXIED, database }, routes)
      const key = await addKey(here)
      const [manual, wrong] = [newcomer(), newcomer()]
      /** What the other process says to each; asked until it is as wanted, or too late. */
      const hear = async (wanted: readonly string[]) => {
        const start = performance.now()
        let heard: readonly string[] = []
        do {
          heard = [
            await said(there, '/open', { headers: manual }),
            await said(there, '/open', { headers: wrong }),
            await said(there, '/key', { headers: key.headers }),
          ]
        } while (heard.join() !== wanted.join() && performance.now() - start < 3 * PROMISED)
        expect([...heard]).toEqual([...wanted])
        expect(performance.now() - start).toBeLessThan(PROMISED)
      }
      await hear(['200', '200', '200'])
      const made = [
        await here.core.blocks.add({ subject: textOf(manual), duration: '1h' }),
        await here.core.blocks.add({ subject: key.id, duration: '1h' }),
      ]
      await askTimes(here, 3, '/key', { headers: { ...wrong, 'x-api-key': 'wrong' } })
      await hear([BLOCKED, BLOCKED, BLOCKED])
      for (const { id } of made) await here.core.blocks.remove(id)
      await hear(['200', BLOCKED, '200'])
      const { items } = await there.core.blocks.list()
      // And the other way round.
      await there.core.blocks.remove(items[0]?.id ?? '')
      await hear(['200', '200', '200'])
      const start = performance.now()
      while ((await said(here, '/open', { headers: wrong })) !== '200') {
        if (performance.now() - start > PROMISED) throw new Error('the removal was not heard of')
      }
    })
  })
})
