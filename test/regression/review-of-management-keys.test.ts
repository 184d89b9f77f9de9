/** What a review found open in managing keys. */
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { KeyChange } from '../../src/keys/key-change.ts'
import { inDirectory } from '../storage/support.ts'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, createServices, START } from '../support/services.ts'
import { addKey, asMaster, createTestApp, createTestCore, withBearer } from '../support/test-app.ts'

const DAY = 86_400_000
const at = (days: number) => new Date(START + days * DAY).toISOString()
const WIDE = { permissions: ['*'] }
const MANY = { limit: 1_000_000, window: '1s' }

describe('a change of a key is judged by the key that it is written to', () => {
  const helper = actorWith(['platform.admin', 'machine_auth.keys.*', 'posts.view'])

  async function setUp() {
    const services = createServices()
    const { key } = await services.keys.create({ name: 'k', permissions: ['posts.view'], ipAllowlist: ['10.0.0.1'] })
    return { ...services, id: key.id }
  }

  test('somebody who covers it no more when he writes is refused, and nothing is written', async () => {
    const { keys, memory, id } = await setUp()
    memory.before.set('keys.update', async () => void (await keys.update(id, WIDE)))
    await expectRefused(keys.update(id, { ipAllowlist: [] }, helper), 'permission_required')
    expect(await keys.find(id)).toMatchObject({ permissions: ['*'], ipAllowlist: ['10.0.0.1/32'] })
  })

  test('somebody who covers it still changes it as it is now', async () => {
    const { keys, memory, id } = await setUp()
    memory.before.set('keys.update', async () => void (await keys.update(id, { name: 'other', permissions: [] })))
    expect(await keys.update(id, { ipAllowlist: [] }, helper)).toMatchObject({ name: 'other', ipAllowlist: [] })
  })
})

describe('a key that was rotated', () => {
  async function setUp() {
    const services = createServices()
    const { key } = await services.keys.create({ name: 'k', expiresAt: at(30) })
    const { key: successor } = await services.keys.rotate(key.id, { gracePeriod: '1d' })
    return { ...services, id: key.id, successor: successor.id }
  }

  test.each<[KeyChange]>([[{ expiresAt: null }], [{ expiresAt: at(2) }], [{ expiresAt: at(20), name: 'x' }]])(
    'does not outlive its grace by %j',
    async (change) => {
      const { keys, time, id, successor } = await setUp()
      for (const now of [START, START + 3 * DAY]) {
        time.now = now
        const later = typeof change.expiresAt === 'string' ? { ...change, expiresAt: at(25) } : change
        expect((await expectRefused(keys.update(id, later), 'conflict')).detail).toContain(successor)
        expect(await keys.find(id)).toMatchObject({ expiresAt: at(1), name: 'k' })
      }
    },
  )

  test('may end earlier, and be changed otherwise', async () => {
    const { keys, id } = await setUp()
    await keys.update(id, { expiresAt: at(0.5), name: 'x' })
    expect(await keys.find(id)).toMatchObject({ expiresAt: at(0.5), name: 'x' })
  })

  test('is not told of as one that expires, and its successor tells where it comes from', async () => {
    const { memory, id, successor } = await setUp()
    expect(memory.rows.keys.get(id)?.expiryWarnedAt).toBe(START)
    expect(memory.rows.keys.get(successor)?.expiryWarnedAt).toBeNull()
    const events = [...memory.rows.audit.values()].filter(({ subject }) => subject === successor)
    expect(events).toMatchObject([{ action: 'key.created', details: { rotatedFrom: id, expiresAt: at(30) } }])
  })
})

test('switching off what one does not cover takes the right to revoke', async () => {
  const { keys } = createServices()
  const { key } = await keys.create({ name: 'k', permissions: ['*'] })
  const updater = actorWith(['platform.admin', 'machine_auth.keys.update'])
  await expectRefused(keys.disable(key.id, updater), 'permission_required')
  expect((await keys.find(key.id)).status).toBe('active')
  const revoker = actorWith(['platform.admin', 'machine_auth.keys.update', 'machine_auth.keys.delete'])
  expect((await keys.disable(key.id, revoker)).status).toBe('disabled')
})

describe('a key without a rate of its own gives no higher one than what holds for it:', () => {
  const DEFAULT = { limit: 60, window: '1m' }
  const SLOW = { limit: 20, window: '1m' }

  test.each([
    ["its organization's", SLOW, { limit: 21, window: '1m' }],
    ['the default', undefined, { limit: 61, window: '1m' }],
  ])('%s', async (_, rateLimit, faster) => {
    await using t = await createTestApp({ apiKeys: { defaultRateLimit: DEFAULT } })
    const organization = await t.core.organizations.create({ name: 'A', ...(rateLimit ? { rateLimit } : {}) })
    const own = { organizationId: organization.id, permissions: ['machine_auth.*'] }
    const { id, headers } = await addKey(t, own)
    const other = await addKey(t, own)
    const given = await addKey(t, { ...own, rateLimit: MANY })
    for (const wanted of [faster, MANY]) {
      const body = { rateLimit: wanted }
      for (const subject of [id, other.id]) {
        const { said } = await t.ask(`/auth/keys/${subject}`, { method: 'PATCH', headers, body })
        expect(said).toBe('403 permission_required')
      }
      const made = await t.ask('/auth/keys', { headers, body: { name: 'n', ...body } })
      expect(made.said).toBe('403 permission_required')
    }
    expect((await t.ask(`/auth/keys/${given.id}/rotate`, { headers, body: {} })).said).toBe('403 permission_required')
    expect((await t.core.keys.find(id)).rateLimit).toBeNull()
    const held = { name: 'n', rateLimit: rateLimit ?? DEFAULT }
    expect((await t.ask('/auth/keys', { headers, body: held })).said).toBe('201')
    expect((await t.ask(`/auth/keys/${other.id}/rotate`, { headers, body: {} })).said).toBe('201')
  })
})

test('a bound on lives that comes later holds for the keys and opaque tokens that are there', async () => {
  await using t = await createTestApp()
  const { id: organizationId } = await t.core.organizations.create({ name: 'A' })
  const key = await addKey(t, { organizationId })
  const { rawToken } = await t.core.tokens.bearer.create({ name: 'x', organizationId })
  const asKey = async () => (await t.ask('/key', { headers: key.headers })).said
  const asToken = async () => (await t.ask('/token', { headers: withBearer(rawToken) })).said
  expect([await asKey(), await asToken()]).toEqual(['200', '200'])
  await t.core.organizations.update(organizationId, { maxKeyLifetime: '3d' })
  t.time.now = START + 3 * DAY - 1
  expect([await asKey(), await asToken()]).toEqual(['200', '200'])
  expect((await t.core.keys.verify({ key: key.rawKey })).key?.expiresAt).toBe(at(3))
  expect(await t.core.keys.find(key.id)).toMatchObject({ status: 'active', expiresAt: at(3) })
  // Also where both are remembered.
  t.time.now += 1
  expect([await asKey(), await asToken()]).toEqual(['401 api_key_expired', '401 token_expired'])
  expect((await t.core.keys.verify({ key: key.rawKey })).key).toMatchObject({ status: 'expired', expiresAt: at(3) })
  expect(await t.core.keys.find(key.id)).toMatchObject({ status: 'expired', expiresAt: at(3) })
  expect((await t.core.keys.list({ status: 'expired' })).items).toMatchObject([{ id: key.id, expiresAt: at(3) }])
  const renamed = await t.ask(`/auth/keys/${key.id}`, { method: 'PATCH', headers: asMaster, body: { name: 'x' } })
  expect(renamed.json).toMatchObject({ status: 'expired', expiresAt: at(3) })
  await expectRefused(t.core.keys.rotate(key.id), 'conflict')
  // Raising it lengthens nothing: that is for somebody to say, key by key.
  await t.core.organizations.update(organizationId, { maxKeyLifetime: null })
  expect([await asKey(), await asToken()]).toEqual(['401 api_key_expired', '401 token_expired'])
  await t.core.keys.update(key.id, { expiresAt: null })
  expect(await asKey()).toBe('200')
})

describe('while the database of the app that keeps the users is down', () => {
  const setUp = () => {
    const app = { isDown: false, asked: 0 }
    const services = createServices({
      users: {
        load(id) {
          app.asked += 1
          if (app.isDown) throw new Error('no connection')
          return id === 'user_ghost' ? null : { id, roles: [], organizationId: null }
        },
      },
    })
    return { app, ...services }
  }
  const boss = actorWith(['platform.admin'])

  test('all keys of a user are revoked without it', async () => {
    const { app, keys } = setUp()
    const { key } = await keys.create({ name: 'k', userId: 'user_1' })
    Object.assign(app, { isDown: true, asked: 0 })
    for (const dryRun of [true, false]) {
      expect(await keys.lockdown({ userId: 'user_1', dryRun }, boss)).toEqual({ count: 1, dryRun })
    }
    expect(app.asked).toBe(0)
    expect((await keys.find(key.id)).status).toBe('revoked')
    // Whether there is such a user nobody can say.
    expect(await keys.lockdown({ userId: 'user_1' }, boss)).toEqual({ count: 0, dryRun: false })
    app.isDown = false
    await expectRefused(keys.lockdown({ userId: 'user_ghost' }, boss), 'not_found')
  })

  test('an organization revokes what a user has in it', async () => {
    const { app, keys, organizations } = setUp()
    const { id: organizationId } = await organizations.create({ name: 'A' })
    const { key } = await keys.create({ name: 'k', organizationId, userId: 'user_1' })
    app.isDown = true
    const admin = actorWith(['machine_auth.*'], { organizationId })
    expect(await keys.lockdown({ userId: 'user_1' }, admin)).toEqual({ count: 1, dryRun: false })
    expect((await keys.find(key.id)).status).toBe('revoked')
  })
})

describe('changes that race', () => {
  test('switching off loses to none, however often others change the key', async () => {
    const { keys, memory } = createServices()
    const { key } = await keys.create({ name: 'k' })
    let others = 0
    const interfere = async () => {
      if (others++ >= 30) return
      const stored = memory.rows.keys.get(key.id)
      if (stored !== undefined) memory.rows.keys.set(key.id, { ...stored, monthlyQuota: others })
      memory.before.set('keys.update', interfere)
    }
    memory.before.set('keys.update', interfere)
    expect((await keys.disable(key.id)).status).toBe('disabled')
    expect([others, (await keys.find(key.id)).monthlyQuota]).toEqual([1, 1])
    memory.before.clear()
    await keys.revoke(key.id)
    await expectRefused(keys.disable(key.id), 'conflict')
  })

  test('ten renames all take effect, one after the other', async () => {
    const { core } = createTestCore()
    await core.ready
    const { key } = await core.keys.create({ name: 'k' })
    const names = Array.from({ length: 10 }, (_, index) => `k${index}`)
    const renaming = names.map((name) => core.keys.update(key.id, { name }))
    expect((await Promise.all(renaming)).map(({ name }) => name)).toEqual(names)
    const renames = (await core.audit.list({ action: 'key.updated' })).items.map(({ details }) => details)
    // Each tells of the name that the one before it gave.
    const before = renames.map((each) => (each as { before: { name: string } }).before.name)
    expect(new Set(before).size).toBe(10)
    await core.close()
  })

  test('a change that the key itself does not allow is not tried again and again', async () => {
    const { keys, memory } = createServices()
    const { key } = await keys.create({ name: 'k', expiresAt: at(30) })
    await keys.rotate(key.id)
    memory.calls.length = 0
    await expectRefused(keys.update(key.id, { expiresAt: at(20) }), 'conflict')
    expect(memory.calls.filter((call) => call === 'keys.update')).toHaveLength(1)
  })
})

test('a use that is verified elsewhere shows the credits that are left after it', async () => {
  const { core } = createTestCore()
  await core.ready
  const { rawKey } = await core.keys.create({
    name: 'k',
    credits: { remaining: 3, refill: { amount: 3, every: '1d' } },
  })
  const use = async () => {
    const { code, remaining, key } = await core.keys.verify({ key: rawKey, consume: true })
    return [code, remaining, key?.credits]
  }
  const refill = { amount: 3, every: '1d' }
  for (const remaining of [2, 1, 0]) expect(await use()).toEqual(['valid', remaining, { remaining, refill }])
  expect(await use()).toEqual(['quota_exceeded', 0, { remaining: 0, refill }])
  await core.close()
})

test('a use that another limit refuses takes none of the credits that are shown', async () => {
  const { core } = createTestCore()
  await core.ready
  const { rawKey } = await core.keys.create({ name: 'k', credits: { remaining: 9 }, monthlyQuota: 2 })
  const limited = await core.keys.create({
    name: 'k',
    credits: { remaining: 9 },
    rateLimit: { limit: 1, window: '1h' },
  })
  const left = async (key: string) => {
    const { code, key: view } = await core.keys.verify({ key, consume: true })
    return [code, view?.credits?.remaining]
  }
  expect([await left(rawKey), await left(rawKey)]).toEqual([
    ['valid', 8],
    ['valid', 7],
  ])
  expect((await left(rawKey))[0]).toBe('quota_exceeded')
  expect([await left(limited.rawKey), await left(limited.rawKey)]).toEqual([
    ['valid', 8],
    ['rate_limited', 8],
  ])
  await core.close()
})

describe('the audit log', () => {
  test('tells each organization of its keys that the platform locked down', async () => {
    const { keys, organizations, memory } = createServices()
    const [a, b] = [await organizations.create({ name: 'A' }), await organizations.create({ name: 'B' })]
    const owners = [a.id, a.id, b.id, null]
    const made: string[] = []
    for (const organizationId of owners) made.push((await keys.create({ name: 'k', organizationId })).key.id)
    await keys.lockdown({ createdBefore: at(1), reason: 'leak' }, actorWith(['platform.admin']))
    const events = [...memory.rows.audit.values()].filter(({ action }) => action === 'keys.locked_down')
    const told = events.map(({ subject, organizationId, details }) => ({ subject, organizationId, ...details }))
    const common = { userId: null, createdBefore: at(1), reason: 'leak' }
    const eventOf = (organizationId: string | null, named: readonly string[]) => ({
      ...{ subject: organizationId ?? '*', organizationId, count: named.length, keys: named },
      ...common,
    })
    expect(told).toEqual([
      eventOf(a.id, made.slice(0, 2)),
      eventOf(b.id, made.slice(2, 3)),
      eventOf(null, made.slice(3)),
    ])
  })

  test('names a thousand keys of a lockdown, and says how many more there were', async () => {
    const { keys, memory } = createServices()
    const { key } = await keys.create({ name: 'k' })
    const stored = memory.rows.keys.get(key.id)
    if (stored === undefined) throw new Error('no key')
    for (let count = 1; count < 1003; count += 1)
      memory.rows.keys.set(`key_${count}`, { ...stored, id: `key_${count}` })
    expect((await keys.lockdown({ createdBefore: at(1) })).count).toBe(1003)
    const details = [...memory.rows.audit.values()].at(-1)?.details
    expect(details).toMatchObject({ count: 1003, more: 3 })
    expect(details?.keys).toHaveLength(1000)
  })

  test('tells times and durations as views show them', async () => {
    const { core } = createTestCore()
    await core.ready
    const { id } = await core.organizations.create({ name: 'A', maxKeyLifetime: '90d' })
    await core.organizations.update(id, { maxKeyLifetime: '30d', monthlyQuota: 5 })
    const { key } = await core.keys.create({ name: 'k', expiresAt: at(9) })
    await core.keys.update(key.id, { expiresAt: at(8), credits: { remaining: 2, refill: { amount: 2, every: '1h' } } })
    const told = (await core.audit.list()).items.map(({ action, details }) => [action, details])
    expect(Object.fromEntries(told)).toMatchObject({
      'organization.created': { name: 'A', maxKeyLifetime: '90d' },
      'organization.updated': {
        before: { maxKeyLifetime: '90d', monthlyQuota: null },
        after: { maxKeyLifetime: '30d', monthlyQuota: 5 },
      },
      'key.updated': {
        before: { expiresAt: at(9), credits: null },
        after: { expiresAt: at(8), credits: { remaining: 2, refill: { amount: 2, every: '1h' } } },
      },
    })
    expect(JSON.stringify(told)).not.toContain('creditsRefill')
    await core.close()
  })
})

describe('credits that another process sets', () => {
  /** Looks until it is so; answers the ms it took. */
  async function heard(isSo: () => Promise<boolean>): Promise<number> {
    const start = performance.now()
    while (!(await isSo()) && performance.now() - start < 5000) await new Promise((go) => setTimeout(go, 10))
    return performance.now() - start
  }

  test('count within a second, and what was claimed of others is neither used nor given back', () =>
    inDirectory(async (directory) => {
      const database = `sqlite:${join(directory, 'credits.db')}`
      const { core: server } = createTestCore({ database })
      await server.ready
      const { core: cli } = createTestCore({ database })
      await cli.ready
      const { key, rawKey } = await server.keys.create({ name: 'k', credits: { remaining: 100_000 } })
      const set = (remaining: number) => cli.keys.update(key.id, { credits: { remaining } })
      const use = async () => (await server.keys.verify({ key: rawKey, consume: true })).code
      const leftOf = async (core: typeof cli) => (await core.keys.find(key.id)).credits?.remaining
      for (let count = 0; count < 3; count += 1) expect(await use()).toBe('valid')

      await set(0)
      expect(await heard(async () => (await leftOf(server)) === 0)).toBeLessThan(1000)
      expect([await use(), await leftOf(cli)]).toEqual(['quota_exceeded', 0])

      await set(100_000)
      expect(await heard(async () => (await use()) === 'valid')).toBeLessThan(1000)
      expect(await use()).toBe('valid')
      // What nobody changed meanwhile goes back, and is claimed anew.
      const left = await leftOf(server)
      await cli.keys.update(key.id, { name: 'renamed' })
      expect(await heard(async () => (await leftOf(cli)) === left)).toBeLessThan(1000)
      expect(await use()).toBe('valid')

      // Before it is heard of.
      await set(5)
      await server.close()
      expect(await leftOf(cli)).toBe(5)
      await cli.close()
    }))
})
