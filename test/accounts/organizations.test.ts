import { describe, expect, test } from 'bun:test'
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
