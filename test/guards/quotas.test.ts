/** Monthly quotas: counted exactly once per request, kept, and never exceeded. */
import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { cellOf, inDirectory } from '../storage/support.ts'
import { expectProblem, textAt } from '../support/answers.ts'
import { askTimes, LIMITED } from '../support/limited.ts'
import { everywhere } from '../support/shared-limits.ts'
import { addKey, createTestApp, type TestApp } from '../support/test-app.ts'
import { openSocket, withLog } from './support.ts'

const EXCEEDED = '429 quota_exceeded'
const FEBRUARY = Date.UTC(2030, 1, 1)
const SECOND = 1000

const t = await createTestApp({ protect: [{ path: '/ruled', require: { apiKey: true } }] }, (app) =>
  app
    .get('/guarded/thrice', ({ auth }) => auth.apiKey(), { apiKey: true, requirePermission: 'users.view' })
    .get('/code', async ({ auth }) => [await auth.apiKey(), await auth.requirePermission('users.view')])
    .get('/ruled/guarded', ({ apiKey }) => apiKey.id, { apiKey: true })
    .get('/limited', ({ apiKey }) => apiKey.id, { apiKey: true, rateLimit: { limit: 1000, window: '1m' } })
    .get('/narrow', ({ apiKey }) => apiKey.id, { apiKey: true, rateLimit: { limit: 1, window: '1d', by: 'apiKey' } })
    .get('/narrow/permission', ({ principal }) => principal.id, {
      requirePermission: 'users.view',
      rateLimit: { limit: 1000, window: '1m' },
    })
    .get('/test/only', ({ apiKey }) => apiKey.id, { apiKey: { environment: 'test' } })
    .ws('/ws/key', { apiKey: true, open: (ws) => void ws.send('open'), message: () => undefined }),
)
afterAll(t.close)

type Headers = Readonly<Record<string, string>>

/** How often a key can still be used, found out by using it up. */
async function useUp(app: TestApp, headers: Headers): Promise<number> {
  // What was believed empty is asked for again.
  app.time.now += SECOND
  let uses = 0
  while ((await app.ask('/key', { headers })).status === 200) uses += 1
  return uses
}

/** Sends so many requests at once and answers how many were let in. */
async function flood(apps: readonly TestApp[], times: number, headers: Headers): Promise<number> {
  const asked = Array.from({ length: times }, (_, index) => apps[index % apps.length]?.ask('/key', { headers }))
  const said = (await Promise.all(asked)).map((answer) => answer?.said)
  expect(new Set(said.filter((each) => each !== '200'))).toEqual(new Set([EXCEEDED]))
  return said.filter((each) => each === '200').length
}

const usedOf = ({ client }: Pick<TestApp, 'client'>, subject: string) =>
  cellOf(client, `select max(used) from machine_auth_quotas where subject = '${subject}'`)

describe('a key with a quota', () => {
  test('is refused when it is used up, and told when it resets', async () => {
    await using app = await createTestApp()
    const { headers } = await addKey(app, { monthlyQuota: 3 })
    expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', '200'])
    const refused = await app.ask('/key', { headers })
    expectProblem(refused, 'quota_exceeded', ['retryAfter', 'resetsAt'])
    expect(refused.json).toMatchObject({ resetsAt: '2030-02-01T00:00:00.000Z', retryAfter: 31 * 86_400 })
    expect(refused.headers.get('retry-after')).toBe(String(31 * 86_400))
    expect(textAt(refused.json, 'detail')).toContain('quota of 3 requests a month')
  })

  test('may be used again from the first moment of the next month, in UTC', async () => {
    await using app = await createTestApp()
    const { headers } = await addKey(app, { monthlyQuota: 2 })
    await askTimes(app, 2, '/key', { headers })
    app.time.now = FEBRUARY - 1
    const refused = await app.ask('/key', { headers })
    expect([refused.said, refused.headers.get('retry-after')]).toEqual([EXCEEDED, '1'])
    app.time.now = FEBRUARY
    expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', EXCEEDED])
    app.time.now = Date.UTC(2032, 1, 29, 23, 59, 59, 999)
    expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', EXCEEDED])
    app.time.now = Date.UTC(2032, 2, 1)
    expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', EXCEEDED])
  })

  test('shares it with no other key', async () => {
    const [one, two] = [await addKey(t, { monthlyQuota: 2 }), await addKey(t, { monthlyQuota: 2 })]
    expect(await askTimes(t, 3, '/key', { headers: one.headers })).toEqual(['200', '200', EXCEEDED])
    expect(await askTimes(t, 3, '/key', { headers: two.headers })).toEqual(['200', '200', EXCEEDED])
  })

  test('costs at most one statement a request, and one without a quota none', async () => {
    const [quota, none] = [await addKey(t, { monthlyQuota: 1000 }), await addKey(t)]
    await askTimes(t, 1, '/key', { headers: quota.headers })
    await askTimes(t, 1, '/key', { headers: none.headers })
    t.takeStatements()
    await askTimes(t, 5, '/key', { headers: none.headers })
    expect(t.takeStatements()).toEqual([])
    let most = 0
    let all = 0
    for (let time = 0; time < 50; time += 1) {
      await t.ask('/key', { headers: quota.headers })
      const { length } = t.takeStatements()
      most = Math.max(most, length)
      all += length
    }
    expect(most).toBe(1)
    // Uses are claimed a hundredth ahead.
    expect(all).toBeLessThan(12)
  })
})

describe('an organization’s quota', () => {
  const create = async (monthlyQuota: number) =>
    (await t.core.organizations.create({ name: crypto.randomUUID(), monthlyQuota })).id

  test('is used by all its keys together', async () => {
    const organizationId = await create(3)
    const keys = [await addKey(t, { organizationId }), await addKey(t, { organizationId })]
    const said: string[] = []
    for (const index of [0, 1, 0, 1, 0]) said.push((await t.ask('/key', { headers: keys[index]?.headers ?? {} })).said)
    expect(said).toEqual(['200', '200', '200', EXCEEDED, EXCEEDED])
    const refused = await t.ask('/key', { headers: keys[0]?.headers ?? {} })
    expect(textAt(refused.json, 'detail')).toContain("organization's quota of 3 requests")
    expect(refused.json.resetsAt).toBe('2030-02-01T00:00:00.000Z')
  })

  test('and the key’s own count both or neither', async () => {
    const organizationId = await create(2)
    const { id, headers } = await addKey(t, { organizationId, monthlyQuota: 5 })
    expect(await askTimes(t, 6, '/key', { headers })).toEqual(['200', '200', ...Array(4).fill(EXCEEDED)])
    await t.core.organizations.setLimits(organizationId, { monthlyQuota: 100 })
    expect(await useUp(t, headers)).toBe(3)
    expect(usedOf(t, `apiKey:${id}`)).toBe(5)
    // What the key refused, the organization still has.
    const other = await addKey(t, { organizationId, monthlyQuota: 1000 })
    expect(await useUp(t, other.headers)).toBe(95)
  })
})

describe('a request counts once', () => {
  test.each(['/key', '/guarded/thrice', '/code', '/ruled/guarded', '/limited', '/auth/me'])(
    'however many guards ask: %s',
    async (path) => {
      const { headers } = await addKey(t, { monthlyQuota: 5, permissions: ['users.view'] })
      expect(await askTimes(t, 2, path, { headers })).toEqual(['200', '200'])
      expect(await useUp(t, headers)).toBe(3)
    },
  )

  test('as the upgrade of a WebSocket', async () => {
    const { headers } = await addKey(t, { monthlyQuota: 5 })
    expect(await openSocket(t.origin, '/ws/key', headers)).toBe('open')
    expect(await useUp(t, headers)).toBe(4)
  })
})

describe('a request counts for nothing that', () => {
  test.each([
    ['lacks a permission', '/users', '403 permission_required', {}],
    ['lacks a permission, on a limited route', '/narrow/permission', '403 permission_required', {}],
    ['lacks a permission, for management', '/auth/keys', '403 permission_required', {}],
    ['has no user', '/user', '403 user_required', {}],
    ['has no role', '/admin', '403 user_required', {}],
    ['is of another environment', '/test/only', '403 environment_mismatch', {}],
    ['comes from elsewhere', '/key', '403 ip_not_allowed', { ipAllowlist: ['10.0.0.1'] }],
    ['comes from elsewhere, on a limited route', '/limited', '403 ip_not_allowed', { ipAllowlist: ['10.0.0.1'] }],
    ['lacks another credential', '/token', '401 credential_missing', {}],
    ['finds no route', '/nowhere', '404 not_found', {}],
    ['needs no key', '/open', '200', {}],
  ] as const)('%s', async (_, path, said, more) => {
    const { id, headers } = await addKey(t, { monthlyQuota: 5, ...more })
    expect(await askTimes(t, 2, path, { headers })).toEqual([said, said])
    // A key that may not be used from here is looked at in storage.
    if ('ipAllowlist' in more) expect([null, 0]).toContain(usedOf(t, `apiKey:${id}`) as null)
    else expect(await useUp(t, headers)).toBe(5)
  })

  test.each(['/nowhere', '/open', '/token', '/users'])('comes to %s when no use is claimed ahead', async (path) => {
    const { headers } = await addKey(t, { monthlyQuota: 5 })
    for (let round = 0; round < 2; round += 1) {
      expect(await askTimes(t, 1, '/key', { headers })).toEqual(['200'])
      await askTimes(t, 3, path, { headers })
    }
    expect(await useUp(t, headers)).toBe(3)
  })

  test('the key’s own rate refuses', async () => {
    const { headers } = await addKey(t, { monthlyQuota: 5, rateLimit: { limit: 2, window: '1m' } })
    expect(await askTimes(t, 5, '/key', { headers })).toEqual(['200', '200', LIMITED, LIMITED, LIMITED])
    t.time.now += 60_000
    expect(await askTimes(t, 2, '/key', { headers })).toEqual(['200', '200'])
    t.time.now += 60_000
    expect(await askTimes(t, 2, '/key', { headers })).toEqual(['200', EXCEEDED])
  })

  test('the route’s limit refuses', async () => {
    const { headers } = await addKey(t, { monthlyQuota: 5 })
    expect(await askTimes(t, 4, '/narrow', { headers })).toEqual(['200', LIMITED, LIMITED, LIMITED])
    expect(await useUp(t, headers)).toBe(4)
  })

  test('a block refuses', async () => {
    const { id, headers } = await addKey(t, { monthlyQuota: 5 })
    const block = await t.core.blocks.add({ subject: id, duration: '1h' })
    expect(await askTimes(t, 2, '/key', { headers })).toEqual(Array(2).fill('403 address_blocked'))
    expect(await askTimes(t, 2, '/limited', { headers })).toEqual(Array(2).fill('403 address_blocked'))
    await t.core.blocks.remove(block.id)
    expect(await useUp(t, headers)).toBe(5)
  })

  test('comes when the quota is used up, for the key’s own rate either', async () => {
    const { headers } = await addKey(t, { monthlyQuota: 1, rateLimit: { limit: 5, window: '1m' } })
    await t.ask('/key', { headers })
    for (let time = 0; time < 3; time += 1) {
      const refused = await t.ask('/key', { headers })
      // What nobody asked counts that are elsewhere for, nobody knows here.
      const standing = everywhere.isShared ? null : '"key";r=4;t=60'
      expect([refused.said, refused.headers.get('ratelimit')]).toEqual([EXCEEDED, standing])
    }
  })
})

describe('P36 many requests at once', () => {
  test.each([1, 2, 7])('are let in exactly as often as %p are left', async (left) => {
    const { id, headers } = await addKey(t, { monthlyQuota: 20 })
    expect(await askTimes(t, 20 - left, '/key', { headers })).toEqual(Array(20 - left).fill('200'))
    expect(await flood([t], 100, headers)).toBe(left)
    expect(usedOf(t, `apiKey:${id}`)).toBe(20)
  })

  test('are let in exactly once by an organization’s last use, whichever key they come with', async () => {
    const { id: organizationId } = await t.core.organizations.create({ name: 'Last', monthlyQuota: 1 })
    const keys = await Promise.all(Array.from({ length: 10 }, () => addKey(t, { organizationId })))
    const admitted = await Promise.all(keys.map(({ headers }) => flood([t], 10, headers)))
    expect(admitted.reduce((sum, each) => sum + each)).toBe(1)
    expect(usedOf(t, `organization:${organizationId}`)).toBe(1)
  })

  test('of two processes on one database never get more than there are', async () => {
    await inDirectory(async (directory) => {
      const database = `sqlite:${join(directory, 'shared.db')}`
      await using here = await createTestApp({ database })
      await using there = await createTestApp({ database })
      const last = await addKey(here, { monthlyQuota: 1 })
      expect(await flood([here, there], 100, last.headers)).toBe(1)
      const many = await addKey(here, { monthlyQuota: 250 })
      const admitted = await flood([here, there], 300, many.headers)
      // A few that one of them has claimed may be left over; none is ever given twice.
      expect([admitted <= 250, admitted > 240]).toEqual([true, true])
    })
  })
})

describe('across a restart', () => {
  test.each([
    ['few', 5, 3],
    ['many, claimed ahead', 3000, 25],
  ])('what was used stays used, and nothing more: %s', async (_, monthlyQuota, used) => {
    await inDirectory(async (directory) => {
      const file = join(directory, 'kept.db')
      const database = `sqlite:${file}`
      const before = await createTestApp({ database })
      const { id: organizationId } = await before.core.organizations.create({ name: 'Acme', monthlyQuota })
      const { id, headers } = await addKey(before, { monthlyQuota, organizationId })
      expect(await askTimes(before, used, '/key', { headers })).toEqual(Array(used).fill('200'))
      await before.close()
      const client = new Database(file)
      expect(usedOf({ client }, `apiKey:${id}`)).toBe(used)
      expect(usedOf({ client }, `organization:${organizationId}`)).toBe(used)
      client.close()
      await using after = await createTestApp({ database })
      if (monthlyQuota === 5) expect(await useUp(after, headers)).toBe(2)
      else expect(await askTimes(after, 1, '/key', { headers })).toEqual(['200'])
    })
  })
})

test('what cannot be counted is not let in, and whoever has no quota still is', async () => {
  await using app = await createTestApp()
  const [quota, none] = [await addKey(app, { monthlyQuota: 5 }), await addKey(app)]
  app.client.run('drop table machine_auth_quotas')
  const { result } = await withLog(async () => [
    (await app.ask('/key', { headers: quota.headers })).status >= 500,
    (await app.ask('/open', { headers: quota.headers })).status,
    (await app.ask('/key', { headers: none.headers })).status,
  ])
  expect(result).toEqual([true, 200, 200])
})
