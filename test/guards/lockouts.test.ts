/** `lockout` of a limit: who exceeds it stays out, for a while or until a time of day. */
import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { RatePolicy } from '../../src/options/limit-types.ts'
import { inDirectory } from '../storage/support.ts'
import { expectProblem, listAt, textAt } from '../support/answers.ts'
import { askTimes, type Extend, from, LIMITED, LOCKED, PROXIED, remainingOf } from '../support/limited.ts'
import { addKey, asMaster, createTestApp, type Question, START, type TestApp } from '../support/test-app.ts'
import { sendRaw, unfinishedUpload, upgradeRequest } from './support.ts'

const HOUR = 3_600_000
const open = () => 'open'
const HOURLY = { limit: 1, window: '1m', lockout: '1h' } as const
const CODED = { limit: 1, window: '1m', lockout: '1h', name: 'coded' } as const

const routes: Extend = (app) =>
  app
    .get('/path', open, { rateLimit: HOURLY })
    .post('/path', open, { rateLimit: HOURLY })
    .get('/path/below', open)
    .get('/pathological', open)
    .get('/item/:id', open, { rateLimit: HOURLY })
    .get('/everywhere', open, { rateLimit: { ...HOURLY, scope: 'global' } })
    .get('/byKey', open, { rateLimit: { ...HOURLY, by: 'apiKey' } })
    .get('/byKey/everywhere', open, { rateLimit: { ...HOURLY, by: 'apiKey', scope: 'global' } })
    .get('/byTenant', open, {
      rateLimit: { ...HOURLY, name: 'tenant', by: ({ request }) => request.headers.get('x-tenant') ?? '' },
    })
    .get('/byTenant/other', open, {
      rateLimit: { ...HOURLY, name: 'other', by: ({ request }) => request.headers.get('x-tenant') ?? '' },
    })
    .get('/code', ({ auth }) => auth.rateLimit(CODED))
    .get('/list', open, {
      rateLimit: [
        { ...HOURLY, limit: 3 },
        { limit: 1, window: '10m' },
      ],
    })
    .ws('/ws/locked', { rateLimit: HOURLY, message: () => undefined })

const create = (options: Parameters<typeof createTestApp>[0] = {}) => createTestApp({ ...PROXIED, ...options }, routes)
const t = await create()
afterAll(t.close)

let addresses = 0
/** An address that nobody has come from yet. */
function newcomer() {
  addresses += 1
  return from(`10.6.0.${addresses}`)
}

/** The blocks in force, as management shows them. */
async function listBlocks(app: TestApp) {
  return listAt((await app.ask('/auth/blocks', { headers: { ...asMaster, ...from('203.0.113.200') } })).json, 'items')
}

async function unblock(app: TestApp): Promise<void> {
  for (const { id } of await listBlocks(app)) {
    const headers = { ...asMaster, ...from('203.0.113.200') }
    const answer = await app.ask(`/auth/blocks/${id}`, { method: 'DELETE', headers })
    expect([answer.status, answer.text]).toEqual([204, ''])
  }
}

describe('ends', () => {
  const JANUARY = (time: string, day = '01') => Date.parse(`2030-01-${day}T${time}Z`)
  const ROWS: readonly (readonly [lockout: string | number, timeZone: string | undefined, now: number, end: number])[] =
    [
      [86_400, undefined, START, START + 24 * HOUR],
      ['24h', undefined, START, START + 24 * HOUR],
      ['1 hour', undefined, START + 1, START + 1 + HOUR],
      ['2 days', undefined, START, START + 48 * HOUR],
      ['16:00', undefined, START, JANUARY('16:00:00')],
      ['4:00 PM', undefined, START, JANUARY('16:00:00')],
      ['4 pm', undefined, START, JANUARY('16:00:00')],
      ['4:00 PM', undefined, JANUARY('15:59:59'), JANUARY('16:00:00')],
      ['4:00 PM', undefined, JANUARY('16:00:00'), JANUARY('16:00:00', '02')],
      ['4:00 PM', undefined, JANUARY('16:00:01'), JANUARY('16:00:00', '02')],
      ['12:00 AM', undefined, START, JANUARY('00:00:00', '02')],
      ['16:00', 'Europe/Berlin', START, JANUARY('15:00:00')],
      ['16:00', 'America/New_York', START, JANUARY('21:00:00')],
      // On the day that Berlin turns to summer time, and in the hour that it leaves out.
      ['16:00', 'Europe/Berlin', Date.UTC(2030, 2, 31), Date.UTC(2030, 2, 31, 14)],
      ['16:00', 'Europe/Berlin', Date.UTC(2030, 2, 30, 20), Date.UTC(2030, 2, 31, 14)],
    ]

  const policyOf = (lockout: string | number, timeZone: string | undefined): RatePolicy => ({
    limit: 1,
    window: '1s',
    lockout,
    ...(timeZone === undefined ? {} : { timeZone }),
  })

  test.each([...ROWS])('%p in %p from %p on at %p', async (lockout, timeZone, now, end) => {
    const policy = policyOf(lockout, timeZone)
    await using app = await createTestApp({}, (inner) => inner.get('/x', open, { rateLimit: policy }))
    app.time.now = now
    expect((await app.ask('/x')).said).toBe('200')
    const locked = await app.ask('/x')
    expectProblem(locked, 'locked_out', ['retryAfter'])
    expect(locked.headers.get('retry-after')).toBe(String(Math.ceil((end - now) / 1000)))
    // The limit’s own window is long over.
    app.time.now = end - 1
    const still = await app.ask('/x')
    expect([still.said, still.headers.get('retry-after')]).toEqual([LOCKED, '1'])
    app.time.now = end
    expect((await app.ask('/x')).said).toBe('200')
  })
})

test('who is locked out cannot prolong it by asking on', async () => {
  const headers = newcomer()
  await askTimes(t, 2, '/path', { headers })
  const waits: (string | null)[] = []
  for (let minute = 0; minute < 60; minute += 10) {
    for (let time = 0; time < 5; time += 1) waits.push((await t.ask('/path', { headers })).headers.get('retry-after'))
    t.time.now += 600_000
  }
  expect([...new Set(waits)]).toEqual(['3600', '3000', '2400', '1800', '1200', '600'])
  expect(await askTimes(t, 1, '/path', { headers })).toEqual(['200'])
})

describe('of scope path', () => {
  test('is one for the route, in any spelling and by any method', async () => {
    const headers = newcomer()
    expect(await askTimes(t, 2, '/path', { headers })).toEqual(['200', LOCKED])
    for (const [path, question] of [
      ['/path', {}],
      ['/path', { method: 'HEAD' }],
      ['/path', { raw: '{' }],
      ['/path', { method: 'OPTIONS' }],
      ['/path/', {}],
      ['//path', {}],
      ['/%70ath', {}],
      ['/path?x=1', {}],
      ['/path/below', {}],
    ] satisfies [string, Question][]) {
      expect([path, (await t.ask(path, { ...question, headers })).status]).toEqual([path, 429])
    }
    for (const path of ['/open', '/pathological', '/item/1', '/everywhere']) {
      expect([path, (await t.ask(path, { headers })).said]).toEqual([path, '200'])
    }
    expect(await askTimes(t, 1, '/path', { headers: newcomer() })).toEqual(['200'])
  })

  test('is one for all that its pattern matches', async () => {
    const headers = newcomer()
    expect(await askTimes(t, 1, '/item/1', { headers })).toEqual(['200'])
    expect(await askTimes(t, 1, '/item/2', { headers })).toEqual([LOCKED])
    expect(await askTimes(t, 1, '/item/3', { headers })).toEqual([LOCKED])
    expect(await askTimes(t, 1, '/open', { headers })).toEqual(['200'])
  })

  test('refuses before a body is read, and the upgrade of a WebSocket', async () => {
    const headers = newcomer()
    await askTimes(t, 2, '/path', { headers })
    const upload = unfinishedUpload('POST', '/path', { 'Content-Type': 'application/json', ...headers })
    expect((await sendRaw(t.origin, upload))?.text).toContain('"code":"locked_out"')
    const upgrade = () => sendRaw(t.origin, upgradeRequest('/ws/locked', headers))
    expect([(await upgrade())?.status, (await upgrade())?.status, (await upgrade())?.status]).toEqual([101, 429, 429])
  })

  test('is one for the raw target as well', async () => {
    const headers = newcomer()
    await askTimes(t, 2, '/item/1', { headers })
    const head = `Host: localhost\r\nX-Forwarded-For: ${headers['x-forwarded-for']}`
    for (const target of ['/item/..', '/item/%2e%2e', '/item/.', '/item/..\\7']) {
      const answer = await sendRaw(t.origin, `GET ${target} HTTP/1.1\r\n${head}\r\n\r\n`)
      expect(answer?.text).not.toContain('\r\n\r\nopen')
    }
  })
})

test('of scope global is one for everything', async () => {
  const headers = newcomer()
  expect(await askTimes(t, 2, '/everywhere', { headers })).toEqual(['200', LOCKED])
  for (const path of ['/everywhere', '/open', '/nowhere', '/auth/me', '/path']) {
    expect(await askTimes(t, 1, path, { headers })).toEqual([LOCKED])
  }
  expect(await askTimes(t, 1, '/open', { headers: newcomer() })).toEqual(['200'])
})

test('of the default limit is one for everything', async () => {
  await using app = await create({ rateLimit: { default: HOURLY } })
  expect(await askTimes(app, 2, '/nowhere')).toEqual(['404 not_found', LOCKED])
  app.time.now += 600_000
  for (const path of ['/open', '/path', '/auth/me']) expect(await askTimes(app, 1, path)).toEqual([LOCKED])
})

test('of a limit in code is one for its route', async () => {
  const headers = newcomer()
  expect(await askTimes(t, 2, '/code', { headers })).toEqual(['200', LOCKED])
  t.time.now += 600_000
  expect(await askTimes(t, 1, '/code', { headers })).toEqual([LOCKED])
  expect(await askTimes(t, 1, '/open', { headers })).toEqual(['200'])
})

test('of one limit in a list is not started by another one', async () => {
  const before = await listBlocks(t)
  const said = await askTimes(t, 5, '/list', { headers: newcomer() })
  expect(said).toEqual(['200', LIMITED, LIMITED, LIMITED, LIMITED])
  expect(await listBlocks(t)).toEqual(before)
})

describe('of a key', () => {
  test('holds wherever it comes from, and for no other key', async () => {
    const [one, two] = [await addKey(t), await addKey(t)]
    const ask = (headers: object, address: string) =>
      askTimes(t, 1, '/byKey', { headers: { ...headers, ...from(address) } })
    await ask(one.headers, '10.0.0.1')
    expect(await ask(one.headers, '10.0.0.2')).toEqual([LOCKED])
    expect(await ask(one.headers, '10.0.0.3')).toEqual([LOCKED])
    expect(await ask(two.headers, '10.0.0.1')).toEqual(['200'])
    expect(await ask({}, '10.0.0.1')).toEqual(['200'])
    // On its path alone.
    expect(await askTimes(t, 1, '/key', { headers: one.headers })).toEqual(['200'])
  })

  test('of scope global holds wherever a key is asked for', async () => {
    const key = await addKey(t)
    expect(await askTimes(t, 2, '/byKey/everywhere', { headers: key.headers })).toEqual(['200', LOCKED])
    for (const path of ['/key', '/auth/me', '/byKey/everywhere']) {
      expect(await askTimes(t, 1, path, { headers: key.headers })).toEqual([LOCKED])
    }
    expect(await askTimes(t, 1, '/open', { headers: key.headers })).toEqual(['200'])
  })
})

test('of what a function names holds for that, on that limit', async () => {
  const headers = { 'x-tenant': 'acme' }
  expect(await askTimes(t, 2, '/byTenant', { headers })).toEqual(['200', LOCKED])
  t.time.now += 600_000
  expect(await askTimes(t, 1, '/byTenant', { headers: { ...headers, ...newcomer() } })).toEqual([LOCKED])
  expect(await askTimes(t, 1, '/byTenant', { headers: { 'x-tenant': 'other' } })).toEqual(['200'])
  expect(await askTimes(t, 1, '/byTenant/other', { headers })).toEqual(['200'])
})

describe('in management', () => {
  test('is listed with whom it keeps out, where, and until when', async () => {
    await using app = await create()
    const key = await addKey(app)
    await askTimes(app, 2, '/item/7', { headers: from('2001:db8::7') })
    app.time.now += 1
    await askTimes(app, 2, '/byKey/everywhere', { headers: key.headers })
    const [second, first] = await listBlocks(app)
    expect(first).toMatchObject({
      subject: '2001:db8::/64',
      kind: 'lockout',
      scope: 'path',
      path: '/item/:id',
      createdAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-01-01T01:00:00.000Z',
    })
    expect(second).toMatchObject({ subject: key.id, kind: 'lockout', scope: 'global', path: null })
  })

  test('DELETE frees at once, and lets it count from zero', async () => {
    await using app = await create()
    const key = await addKey(app)
    await askTimes(app, 2, '/path')
    await askTimes(app, 2, '/byKey', { headers: key.headers })
    await askTimes(app, 2, '/byTenant', { headers: { 'x-tenant': 'a' } })
    await unblock(app)
    expect(await askTimes(app, 2, '/path')).toEqual(['200', LOCKED])
    expect(await askTimes(app, 2, '/byKey', { headers: key.headers })).toEqual(['200', LOCKED])
    expect(await askTimes(app, 2, '/byTenant', { headers: { 'x-tenant': 'a' } })).toEqual(['200', LOCKED])
  })

  test('many refusals at once make one', async () => {
    await using app = await create()
    await Promise.all(Array.from({ length: 50 }, () => app.ask('/path')))
    expect(await listBlocks(app)).toHaveLength(1)
    expect(app.countRows().machine_auth_blocks).toBe(1)
  })
})

test('outlives the process that made it', async () => {
  await inDirectory(async (directory) => {
    const database = `sqlite:${join(directory, 'kept.db')}`
    const before = await create({ database })
    const key = await addKey(before)
    await askTimes(before, 2, '/path')
    await askTimes(before, 2, '/byKey', { headers: key.headers })
    await before.close()
    await using after = await create({ database })
    after.time.now = START + HOUR / 2
    const locked = await after.ask('/path')
    expect([locked.said, locked.headers.get('retry-after')]).toEqual([LOCKED, '1800'])
    expect(await askTimes(after, 1, '/byKey', { headers: key.headers })).toEqual([LOCKED])
    expect(await askTimes(after, 1, '/open')).toEqual(['200'])
    after.time.now = START + HOUR
    expect(await askTimes(after, 1, '/path')).toEqual(['200'])
  })
})

test('does not touch an address of the allow-list, which is limited all the same', async () => {
  await using app = await create({ abuse: { allow: ['10.0.0.0/8'] } })
  const headers = from('10.1.2.3')
  expect(await askTimes(app, 3, '/path', { headers })).toEqual(['200', LIMITED, LIMITED])
  expect(await listBlocks(app)).toEqual([])
  app.time.now += 60_000
  const answer = await app.ask('/path', { headers })
  expect([answer.said, Object.values(remainingOf(answer))]).toEqual(['200', [0]])
  expect(textAt((await app.ask('/path', { headers })).json, 'code')).toBe('rate_limited')
})
