/** What an organization allows its keys and tokens at most: when they are made, changed and used. */
import { describe, expect, test } from 'bun:test'
import type { Actor } from '../../src/authorization/actor.ts'
import type { ApiKeyRecord } from '../../src/storage/records.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'

const DAY = 86_400_000
const at = (days: number) => new Date(START + days * DAY).toISOString()

async function setUp(bounds: Parameters<ReturnType<typeof createServices>['organizations']['setLimits']>[1] = {}) {
  const services = createServices({ roles: { admin: ['*'], viewer: ['users.view'] } })
  const { organizations, users, keys, tokens, memory } = services
  const { id: acme } = await organizations.create({ name: 'Acme', ...bounds })
  const user = await users.create({ email: 'a@acme.example', organizationId: acme, roles: ['admin'] })
  const { apiKey, bearer } = services.authenticators
  return {
    ...{ services, organizations, keys, tokens, memory, acme, user: user.id },
    bound: (more: Parameters<typeof organizations.setLimits>[1]) => organizations.setLimits(acme, more),
    async grantedTo(text: string): Promise<readonly string[] | string> {
      const outcome = await (text.startsWith('mac_') ? apiKey : bearer).resolve(text)
      return outcome.kind === 'refused' ? outcome.code : outcome.granted.names
    },
  }
}

type World = Awaited<ReturnType<typeof setUp>>
const actors: readonly (readonly [string, (world: World) => Actor])[] = [
  ['the platform', () => actorWith(['*'])],
  ['an administrator of it', ({ acme }) => actorWith(['*'], { organizationId: acme })],
]

describe('maxPermissions', () => {
  const refused: readonly (readonly [most: readonly string[], wanted: readonly string[], named: readonly string[]])[] =
    [
      [['users.view'], ['users.view', 'posts.view'], ['posts.view']],
      [['users.view'], ['users.*'], ['users.*']],
      [['users.*', 'posts.*'], ['*'], ['*']],
      [[], ['users.view'], ['users.view']],
    ]
  for (const [who, actor] of actors) {
    test.each([...refused])(`%j: %j is refused as %j to ${who}`, async (most, wanted, named) => {
      const world = await setUp({ maxPermissions: most })
      const { keys, tokens, memory, acme } = world
      const by = actor(world)
      const { key } = await keys.create({ name: 'k', organizationId: acme })
      const permissions = wanted
      // Nobody within an organization gives `*`, whatever it allows.
      const missing = wanted.includes('*') ? ['*'] : named
      for (const attempt of [
        keys.create({ name: 'k', organizationId: acme, permissions }, by),
        tokens.bearer.create({ name: 't', organizationId: acme, permissions }, by),
        keys.update(key.id, { permissions }, by),
      ]) {
        const error = await expectRefused(attempt, 'permission_required')
        expect(error.extras.required).toEqual(missing)
      }
      expect([memory.rows.keys.size, memory.rows.tokens.size]).toEqual([1, 0])
      expect((await keys.find(key.id)).permissions).toEqual([])
    })

    test(`what it allows is given by ${who}`, async () => {
      const world = await setUp({ maxPermissions: ['users.*', 'posts.view'] })
      const { keys, tokens, acme, grantedTo } = world
      const owned = { organizationId: acme, permissions: ['users.view', 'posts.view'] }
      const { key, rawKey } = await keys.create({ name: 'k', ...owned }, actor(world))
      const { rawToken } = await tokens.bearer.create({ name: 't', ...owned }, actor(world))
      expect(await grantedTo(rawKey)).toEqual(['posts.view', 'users.view'])
      expect(await grantedTo(rawToken)).toEqual(['posts.view', 'users.view'])
      await keys.update(key.id, { permissions: ['users.*'] }, actor(world))
      expect(await grantedTo(rawKey)).toEqual(['users.*'])
    })
  }

  test('the key of a member is bound as well, and one of nobody is not', async () => {
    const { keys, user } = await setUp({ maxPermissions: ['users.view'] })
    await expectRefused(keys.create({ name: 'k', userId: user, permissions: ['posts.view'] }), 'permission_required')
    expect((await keys.create({ name: 'k', permissions: ['posts.view'] })).key.permissions).toEqual(['posts.view'])
  })

  /** What is stored of a key, what the organization is lowered to, and what is left by the next request. */
  test.each<readonly [readonly string[], readonly string[] | null, readonly string[]]>([
    [['users.view', 'posts.view'], ['users.view'], ['users.view']],
    [['users.*'], ['users.view'], ['users.view']],
    [['users.view'], ['users.*'], ['users.view']],
    [['*'], ['users.*', 'posts.view'], ['posts.view', 'users.*']],
    [
      ['users.*', 'posts.*'],
      ['users.view', 'posts.*'],
      ['posts.*', 'users.view'],
    ],
    [['users.view'], ['posts.*'], []],
    [['users.view'], [], []],
    [['users.view'], null, ['users.view']],
  ])('%j under %j is %j', async (permissions, maxPermissions, left) => {
    const { keys, tokens, acme, user, bound, grantedTo } = await setUp()
    const texts = [
      (await keys.create({ name: 'k', organizationId: acme, permissions })).rawKey,
      (await keys.create({ name: 'k', userId: user, permissions })).rawKey,
      (await tokens.bearer.create({ name: 't', organizationId: acme, permissions })).rawToken,
      (await tokens.bearer.create({ name: 't', userId: user, permissions })).rawToken,
    ]
    const foreign = await keys.create({ name: 'k', permissions })
    for (const text of texts) expect(await grantedTo(text)).toEqual([...permissions].sort())
    await bound({ maxPermissions })
    for (const text of texts) expect(await grantedTo(text)).toEqual([...left])
    expect(await grantedTo(foreign.rawKey)).toEqual([...permissions].sort())
    await bound({ maxPermissions: null })
    for (const text of texts) expect(await grantedTo(text)).toEqual([...permissions].sort())
  })

  test('a verification that is under way while it is lowered is not remembered', async () => {
    const { services, keys, acme, bound, grantedTo } = await setUp()
    const { rawKey } = await keys.create({ name: 'k', organizationId: acme, permissions: ['users.view'] })
    const { findWithOwner } = services.memory.keys
    const [read, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    Object.assign(services.memory.keys, {
      async findWithOwner(id: string) {
        const row = await findWithOwner(id)
        read.resolve()
        await go.promise
        return row
      },
    })
    const slow = grantedTo(rawKey)
    await read.promise
    Object.assign(services.memory.keys, { findWithOwner })
    await bound({ maxPermissions: [] })
    go.resolve()
    await slow
    expect(await grantedTo(rawKey)).toEqual([])
  })

  test('what is above it can be kept while other members change, but not given anew', async () => {
    const { keys, acme, bound } = await setUp()
    const { key } = await keys.create({ name: 'k', organizationId: acme, permissions: ['posts.view'] })
    await bound({ maxPermissions: ['users.*'] })
    expect((await keys.update(key.id, { name: 'renamed' })).name).toBe('renamed')
    await expectRefused(keys.update(key.id, { permissions: ['posts.view'] }), 'permission_required')
    expect((await keys.update(key.id, { permissions: ['users.view'] })).permissions).toEqual(['users.view'])
  })
})

describe('maxKeyLifetime', () => {
  test('is filled in for keys and tokens that say nothing, and counts from their making', async () => {
    const { services, keys, tokens, acme, user } = await setUp({ maxKeyLifetime: '90d' })
    services.time.now += DAY
    for (const owner of [{ organizationId: acme }, { userId: user }]) {
      expect((await keys.create({ name: 'k', ...owner })).key.expiresAt).toBe(at(91))
      expect((await keys.create({ name: 'k', ...owner, expiresAt: null })).key.expiresAt).toBe(at(91))
      expect((await tokens.bearer.create({ name: 't', ...owner })).token.expiresAt).toBe(at(91))
    }
    expect((await keys.create({ name: 'k' })).key.expiresAt).toBeNull()
  })

  test.each([
    ['longer', { expiresAt: new Date(START + 90 * DAY + 1) }, null],
    ['as long as allowed', { expiresAt: at(90) }, at(90)],
    ['shorter', { expiresAt: at(1) }, at(1)],
    ['longer, in days', { expiresInDays: 91 }, null],
    ['as long, in days', { expiresInDays: 90 }, at(90)],
  ])('a key that lives %s', async (_, wanted, expected) => {
    const { keys, memory, acme } = await setUp({ maxKeyLifetime: '90d' })
    const making = keys.create({ name: 'k', organizationId: acme, ...wanted })
    if (expected !== null) expect((await making).key.expiresAt).toBe(expected)
    else await expectInvalid(making, 'expiresAt')
    expect(memory.rows.keys.size).toBe(expected === null ? 0 : 1)
  })

  test('a token that lives longer is refused, saying how long it may', async () => {
    const { tokens, acme } = await setUp({ maxKeyLifetime: '2h' })
    const making = tokens.bearer.create({ name: 't', organizationId: acme, expiresAt: at(1) })
    const error = await expectRefused(making, 'validation_failed')
    expect(error.extras.errors?.[0]?.message).toContain('2h')
  })

  test.each([
    ['by a key that outlives it', 200, 90],
    ['by a key that ends before', 10, 10],
  ])('nothing said, %s: as late as both allow', async (_, days, expected) => {
    const { keys, acme, bound } = await setUp()
    await bound({ maxKeyLifetime: '90d' })
    const apiKey = { environment: 'live', ipAllowlist: [], expiresAt: at(days) } as const
    const actor = { ...actorWith(['users.view'], { organizationId: acme }), apiKey }
    expect((await keys.create({ name: 'k' }, actor)).key.expiresAt).toBe(at(expected))
    await expectRefused(
      keys.create({ name: 'k', expiresAt: at(expected + 1) }, actor),
      days < 90 ? 'permission_required' : 'validation_failed',
    )
  })

  test('a change is measured from the making, not from now', async () => {
    const { services, keys, acme } = await setUp({ maxKeyLifetime: '90d' })
    const { key } = await keys.create({ name: 'k', organizationId: acme, expiresAt: at(60) })
    services.time.now += 50 * DAY
    await expectInvalid(keys.update(key.id, { expiresAt: at(91) }), 'expiresAt')
    expect((await keys.find(key.id)).expiresAt).toBe(at(60))
    expect((await keys.update(key.id, { expiresAt: at(90) })).expiresAt).toBe(at(90))
    await keys.update(key.id, { expiresAt: at(70) })
    expect((await keys.update(key.id, { expiresAt: null })).expiresAt).toBe(at(90))
  })

  test('a key that has lived longer already has expired, as every view says, and is renamed all the same', async () => {
    const { services, keys, acme, bound } = await setUp()
    const { key } = await keys.create({ name: 'k', organizationId: acme, expiresAt: at(300) })
    services.time.now += 100 * DAY
    await bound({ maxKeyLifetime: '90d' })
    const expired = { status: 'expired', expiresAt: at(90) } as const
    expect(await keys.update(key.id, { name: 'renamed' })).toMatchObject(expired)
    expect(await keys.find(key.id)).toMatchObject(expired)
    expect((await keys.list({ status: 'expired' })).items).toMatchObject([{ id: key.id, ...expired }])
    expect((await keys.list({ status: 'active' })).items).toEqual([])
    await expectInvalid(keys.update(key.id, { expiresAt: null }), 'expiresAt')
    await expectInvalid(keys.update(key.id, { expiresAt: at(101) }), 'expiresAt')
    // A longer life is given key by key.
    await bound({ maxKeyLifetime: '200d' })
    expect(await keys.find(key.id)).toMatchObject(expired)
    expect(await keys.update(key.id, { expiresAt: at(200) })).toMatchObject({ status: 'active', expiresAt: at(200) })
  })

  test('an expiry that is taken away from a key that has lived too long ends it not', async () => {
    const { services, keys, memory, acme, bound } = await setUp()
    await bound({ maxKeyLifetime: '90d' })
    const { key } = await keys.create({ name: 'k', organizationId: acme })
    // As if it had been made while the bound was set.
    memory.rows.keys.set(key.id, { ...(memory.rows.keys.get(key.id) as ApiKeyRecord), expiresAt: START + 300 * DAY })
    services.time.now += 100 * DAY
    await expectInvalid(keys.update(key.id, { expiresAt: null }), 'expiresAt')
    expect((await keys.find(key.id)).expiresAt).toBe(at(300))
  })
})

describe('they are the platform’s to change', () => {
  test.each([
    { rateLimit: { limit: 1_000_000, window: '1s' } },
    { monthlyQuota: null },
    { maxPermissions: ['*'] },
    { maxPermissions: null },
    { maxKeyLifetime: null },
    { maxKeyLifetime: '100d', name: 'renamed' },
  ])('%j', async (change) => {
    const { services, organizations, acme } = await setUp({ maxPermissions: ['users.view'], maxKeyLifetime: '1d' })
    const before = await organizations.find(acme)
    for (const own of [['*'], ['platform.admin'], ['machine_auth.*']]) {
      const actor = actorWith(own, { organizationId: acme })
      await expectRefused(organizations.update(acme, change, actor), 'permission_required')
    }
    expect(await organizations.find(acme)).toEqual(before)
    expect(auditedActions(services)).not.toContain('organization.updated')
  })

  test('its own administrator may rename it', async () => {
    const { organizations, acme } = await setUp()
    const actor = actorWith(['users.*'], { organizationId: acme })
    expect((await organizations.update(acme, { name: ' Acme 2 ' }, actor)).name).toBe('Acme 2')
  })
})
