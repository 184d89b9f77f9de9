import { describe, expect, test } from 'bun:test'
import type { NewOrganization, OrganizationChange } from '../../src/accounts/organization-input.ts'
import type { OrganizationRecord } from '../../src/storage/records.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, auditedActions, createServices, START } from '../support/services.ts'

describe('organizations', () => {
  test('are created active, with a trimmed name', async () => {
    const { organizations } = createServices()
    expect(await organizations.create({ name: ' Acme ' })).toEqual({
      id: expect.stringMatching(/^org_[A-Za-z0-9]{16}$/),
      name: 'Acme',
      status: 'active',
      rateLimit: null,
      monthlyQuota: null,
      maxPermissions: null,
      maxKeyLifetime: null,
      keyCount: 0,
      createdAt: new Date(START).toISOString(),
    })
  })

  test.each(['', ' ', 'a\nb', 'x'.repeat(256), 'a\u202eb', 'a\ud800'])('the name %p is refused', async (name) => {
    await expectInvalid(createServices().organizations.create({ name }), 'name')
  })

  test('a name taken, in any Unicode form, is a conflict', async () => {
    const { organizations } = createServices()
    await organizations.create({ name: 'Caf\u00e9' })
    await expectRefused(organizations.create({ name: 'Cafe\u0301 ' }), 'conflict')
  })

  test.each([
    { name: 'an organization', actor: actorWith(['*'], { organizationId: 'org_1' }) },
    { name: 'a person', actor: actorWith(['machine_auth.*'], { userId: 'user_1' }) },
  ])('$name cannot make any', async ({ actor }) => {
    const { organizations, memory } = createServices()
    await expectRefused(organizations.create({ name: 'Acme' }, actor), 'permission_required')
    expect(memory.rows.organizations.size).toBe(0)
  })

  test('an organization sees itself, a person none, the platform all', async () => {
    const { organizations } = createServices()
    const acme = await organizations.create({ name: 'Acme' })
    const other = await organizations.create({ name: 'Other' })
    const actor = actorWith(['*'], { organizationId: acme.id })
    expect((await organizations.list({}, {}, actor)).items).toEqual([acme])
    expect((await organizations.list({}, {}, actorWith([], { userId: 'u' }))).items).toEqual([])
    expect((await organizations.list()).items).toHaveLength(2)
    expect((await organizations.list({}, {}, actorWith(['platform.admin']))).items).toHaveLength(2)
    expect(await organizations.find(acme.id, actor)).toEqual(acme)
    await expectRefused(organizations.find(other.id, actor), 'not_found')
    await expectRefused(organizations.find('org_ghost', actor), 'not_found')
  })

  test('suspending refuses keys, users and tokens at once; activating brings them back', async () => {
    const services = createServices()
    const { organizations, authenticators } = services
    const { id } = await organizations.create({ name: 'Acme' })
    const user = await services.users.create({ email: 'a@acme.example', organizationId: id })
    const { rawKey } = await services.keys.create({ name: 'k', organizationId: id })
    const { rawToken } = await services.tokens.bearer.create({ name: 't', organizationId: id })
    const { cookieValue } = await services.sessions.create(user.id)
    const { access_token } = await services.tokens.issueForUser(user)
    const outcomes = async () => [
      await authenticators.apiKey.resolve(rawKey),
      await authenticators.bearer.resolve(rawToken),
      await authenticators.session.resolve(cookieValue),
      await authenticators.jwt.resolve(access_token),
    ]
    const isRefused = async () => (await outcomes()).map(({ kind }) => kind === 'refused')
    expect(await isRefused()).toEqual([false, false, false, false])
    expect((await organizations.suspend(id)).status).toBe('suspended')
    expect(await outcomes()).toMatchObject(Array(4).fill({ code: 'organization_suspended' }))
    await organizations.activate(id)
    expect(await isRefused()).toEqual([false, false, false, false])
    expect(services.invalidated).toEqual([`organization:${id}`, `organization:${id}`])
  })

  test("another's cannot be suspended, and suspending twice is written down once", async () => {
    const services = createServices()
    const { organizations } = services
    const { id } = await organizations.create({ name: 'Acme' })
    await expectRefused(organizations.suspend(id, actorWith(['*'], { organizationId: 'org_other' })), 'not_found')
    expect((await organizations.find(id)).status).toBe('active')
    await organizations.suspend(id)
    await organizations.suspend(id)
    await expectRefused(organizations.suspend('org_ghost'), 'not_found')
    expect(auditedActions(services)).toEqual(['organization.created', 'cross_tenant_attempt', 'organization.suspended'])
  })
})

const DAY = 86_400_000
const LIMITS = {
  rateLimit: { limit: 100, window: '1m' },
  monthlyQuota: 5000,
  maxPermissions: ['users.*', 'posts.view'],
  maxKeyLifetime: '90d',
}

describe('limits of an organization', () => {
  test('are stored when it is made, in one form', async () => {
    const { organizations, memory } = createServices()
    const { rateLimit } = { rateLimit: { limit: 100, window: '60s' } }
    const limits = { ...LIMITS, rateLimit, maxPermissions: ['users:*', 'users.*', 'posts.view'], maxKeyLifetime: 7200 }
    const view = await organizations.create({ name: 'Acme', ...limits })
    expect(view).toMatchObject({ ...LIMITS, maxKeyLifetime: '2h' })
    expect(memory.rows.organizations.get(view.id)).toMatchObject({ ...LIMITS, maxKeyLifetime: 7_200_000 })
    expect(await organizations.find(view.id)).toEqual(view)
  })

  test.each<[OrganizationChange, Partial<OrganizationRecord>]>([
    [{ rateLimit: { limit: 1, window: '1s' } }, { rateLimit: { limit: 1, window: '1s' } }],
    [{ rateLimit: null }, { rateLimit: null }],
    [{ monthlyQuota: 1 }, { monthlyQuota: 1 }],
    [{ monthlyQuota: null }, { monthlyQuota: null }],
    [{ maxPermissions: ['posts.*'] }, { maxPermissions: ['posts.*'] }],
    [{ maxPermissions: [] }, { maxPermissions: [] }],
    [{ maxPermissions: null }, { maxPermissions: null }],
    [{ maxKeyLifetime: '1m' }, { maxKeyLifetime: 60_000 }],
    [{ maxKeyLifetime: '36525d' }, { maxKeyLifetime: 36_525 * DAY }],
    [{ maxKeyLifetime: null }, { maxKeyLifetime: null }],
    [{ name: ' Cafe\u0301 ' }, { name: 'Caf\u00e9' }],
    [{ status: 'suspended' }, { status: 'suspended' }],
    [
      { name: 'New', status: 'suspended', monthlyQuota: 7 },
      { name: 'New', status: 'suspended', monthlyQuota: 7 },
    ],
  ])('%j is stored, and nothing else', async (change, expected) => {
    const services = createServices()
    const { organizations, memory } = services
    const { id } = await organizations.create({ name: 'Acme', ...LIMITS })
    const before = memory.rows.organizations.get(id)
    const view = await organizations.update(id, change)
    expect(memory.rows.organizations.get(id)).toEqual({ ...before, ...expected } as OrganizationRecord)
    expect(view).toEqual(await organizations.find(id))
    expect(services.invalidated).toEqual([`organization:${id}`])
  })

  test.each<[Record<string, unknown>, ...string[]]>([
    [{ name: '' }, 'name'],
    [{ name: null }, 'name'],
    [{ status: 'closed' }, 'status'],
    [{ status: null }, 'status'],
    [{ rateLimit: { limit: 0, window: '1y' } }, 'rateLimit.limit', 'rateLimit.window'],
    [{ rateLimit: 'fast' }, 'rateLimit'],
    [{ monthlyQuota: 0 }, 'monthlyQuota'],
    [{ maxPermissions: ['users.view', 'users.nothing', '!'] }, 'maxPermissions.1', 'maxPermissions.2'],
    [{ maxPermissions: Array(201).fill('users.view') }, 'maxPermissions'],
    [{ maxKeyLifetime: '59s' }, 'maxKeyLifetime'],
    [{ maxKeyLifetime: 'for ever' }, 'maxKeyLifetime'],
    [{ maxKeyLifetime: -1 }, 'maxKeyLifetime'],
    [{ maxKeyLifetime: '36526d' }, 'maxKeyLifetime'],
    [{ name: 'a\nb', monthlyQuota: 1.5, maxKeyLifetime: 0 }, 'name', 'monthlyQuota', 'maxKeyLifetime'],
  ])('the mistakes of %j are named, and nothing is written', async (change, ...paths) => {
    const services = createServices()
    const { organizations, memory } = services
    const { id } = await organizations.create({ name: 'Acme', ...LIMITS })
    const before = memory.rows.organizations.get(id)
    // What JavaScript and JSON can send.
    await expectInvalid(organizations.update(id, change as OrganizationChange), ...paths)
    if (!paths.includes('status')) {
      await expectInvalid(organizations.create({ name: 'Other', ...change } as NewOrganization), ...paths)
    }
    expect(memory.rows.organizations.size).toBe(1)
    expect(memory.rows.organizations.get(id) ?? null).toEqual(before ?? null)
    expect([auditedActions(services), services.invalidated]).toEqual([['organization.created'], []])
  })

  test('a change is written down with what was, and one of nothing is not', async () => {
    const services = createServices()
    const { organizations, memory } = services
    const { id } = await organizations.create({ name: 'Acme', ...LIMITS })
    const boss = actorWith(['platform.admin'], { userId: 'user_boss' })
    await organizations.update(id, { ...LIMITS, name: 'Acme', status: 'active' }, boss)
    await organizations.update(id, {}, boss)
    expect(auditedActions(services)).toEqual(['organization.created'])
    await organizations.update(id, { name: 'New', maxPermissions: null, status: 'suspended' }, boss)
    await organizations.activate(id, boss)
    await organizations.setLimits(id, { monthlyQuota: null }, boss)
    const [, ...events] = [...memory.rows.audit.values()]
    expect(events).toMatchObject([
      { action: 'organization.suspended', actor: 'user_boss', subject: id, organizationId: id },
      {
        action: 'organization.updated',
        details: {
          before: { name: 'Acme', maxPermissions: ['users.*', 'posts.view'] },
          after: { name: 'New', maxPermissions: null },
        },
      },
      { action: 'organization.activated' },
      {
        action: 'organization.updated',
        details: { before: { monthlyQuota: 5000 }, after: { monthlyQuota: null } },
      },
    ])
    expect(events).toHaveLength(4)
  })

  test('setLimits leaves name and status alone', async () => {
    const { organizations } = createServices()
    const { id } = await organizations.create({ name: 'Acme' })
    // @ts-expect-error limits only, but JavaScript sends more
    const view = await organizations.setLimits(id, { ...LIMITS, name: 'Other', status: 'suspended' })
    expect(view).toMatchObject({ ...LIMITS, name: 'Acme', status: 'active' })
  })

  test('a name that is taken is a conflict; of 20 renames to it one is done', async () => {
    const { organizations } = createServices()
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => organizations.create({ name: `n${index}` })),
    )
    await expectRefused(organizations.update(made[0]?.id ?? '', { name: 'n1' }), 'conflict')
    const renames = await Promise.allSettled(made.map(({ id }) => organizations.update(id, { name: 'wanted' })))
    expect(renames.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('what is shown of organizations', () => {
  test('how many keys they have, revoked ones left out, wherever they are shown', async () => {
    const { organizations, keys } = createServices()
    const [acme, empty] = [await organizations.create({ name: 'Acme' }), await organizations.create({ name: 'Empty' })]
    const made = []
    for (let count = 0; count < 3; count += 1) made.push(await keys.create({ name: 'k', organizationId: acme.id }))
    await keys.disable(made[0]?.key.id ?? '')
    await keys.revoke(made[1]?.key.id ?? '')
    const actor = actorWith(['*'], { organizationId: acme.id })
    const shown = [
      await organizations.find(acme.id),
      await organizations.findByName('Acme'),
      await organizations.update(acme.id, { monthlyQuota: 5 }),
      (await organizations.list({}, {}, actor)).items[0],
      (await organizations.list({ sort: 'name', order: 'asc' })).items[0],
    ]
    expect(shown.map((view) => view?.keyCount)).toEqual([2, 2, 2, 2, 2])
    expect((await organizations.find(empty.id)).keyCount).toBe(0)
    expect((await organizations.list({ sort: 'name', order: 'desc' })).items.map(({ keyCount }) => keyCount)).toEqual([
      0, 2,
    ])
  })

  test('by name, in any Unicode form and within reach only', async () => {
    const { organizations } = createServices()
    const { id } = await organizations.create({ name: 'Caf\u00e9' })
    expect((await organizations.findByName(' Cafe\u0301'))?.id).toBe(id)
    expect((await organizations.findByName('Caf\u00e9', actorWith([], { organizationId: id })))?.id).toBe(id)
    expect(await organizations.findByName('Caf\u00e9', actorWith(['*'], { organizationId: 'org_x' }))).toBeNull()
    expect(await organizations.findByName('Caf\u00e9', actorWith([], { userId: 'user_x' }))).toBeNull()
    expect(await organizations.findByName('unknown')).toBeNull()
  })

  test('in the order asked for, page by page', async () => {
    const { organizations, time } = createServices()
    for (const name of ['b', 'c', 'a']) {
      time.now += 1
      await organizations.create({ name })
    }
    const read = async (order: Parameters<typeof organizations.list>[0]) => {
      const first = await organizations.list(order, { limit: 2 })
      const second = await organizations.list(order, { limit: 2, cursor: first.nextCursor ?? '' })
      return [...first.items, ...second.items].map(({ name }) => name).join('')
    }
    expect(await read({})).toBe('acb')
    expect(await read({ order: 'asc' })).toBe('bca')
    expect(await read({ sort: 'name', order: 'asc' })).toBe('abc')
    expect(await read({ sort: 'name' })).toBe('cba')
    await expectInvalid(organizations.list({}, { limit: 0 }), 'limit')
  })
})
