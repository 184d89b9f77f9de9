/** What a review of managing found about who has another's permissions, and not his roles. */
import { describe, expect, test } from 'bun:test'
import { expectRefused } from '../support/refusals.ts'
import { actorWith, createServices } from '../support/services.ts'

const PASSWORD = 'a quite different horse'

describe('an administrator without the roles of a user of his organization', () => {
  const ROLES = { keeper: ['machine_auth.*', 'posts.*'], reader: ['posts.view'], badge: [], boss: ['*'] }

  async function withReader(roles: readonly string[] = ['badge', 'reader']) {
    const services = createServices({ roles: ROLES })
    const { id: organizationId } = await services.organizations.create({ name: 'A' })
    const { id } = await services.users.create({ email: 'r@example.com', organizationId, roles, password: PASSWORD })
    const keeper = actorWith(ROLES.keeper, { organizationId, userId: 'u', roles: ['keeper'] })
    return { services, id, organizationId, keeper, row: () => services.memory.rows.users.get(id) }
  }

  test('disables and enables him, and takes roles away', async () => {
    const { services, id, keeper, row } = await withReader()
    await services.users.disable(id, keeper)
    expect((await services.users.enable(id, keeper)).status).toBe('active')
    expect((await services.users.setRoles(id, ['badge', 'reader'], keeper)).roles).toEqual(['badge', 'reader'])
    await services.users.disable(id, keeper)
    await services.users.update(id, { status: 'active', roles: ['reader'] }, keeper)
    expect(row()).toMatchObject({ status: 'active', roles: ['reader'] })
    await expectRefused(services.users.setRoles(id, ['badge'], keeper), 'permission_required')
    await services.users.setRoles(id, [], keeper)
    await expectRefused(services.users.setRoles(id, ['reader'], keeper), 'permission_required')
    expect(row()?.roles).toEqual([])
  })

  test.each([
    ['his password', { password: 'another horse of mine' }],
    ['his e-mail', { email: 'mine@example.com' }],
    ['his password while enabling him', { status: 'active', password: 'another horse of mine' }],
    ['his e-mail while taking a role away', { roles: ['reader'], email: 'mine@example.com' }],
    ['his roles by adding one', { roles: ['badge', 'reader', 'keeper'] }],
    ['his roles by giving one for another', { roles: ['keeper'] }],
    ['his organization', { organizationId: null }],
  ] as const)('does not change %s', async (_, change) => {
    const { services, id, keeper, row } = await withReader()
    const before = row()
    await expectRefused(services.users.update(id, change, keeper), 'permission_required')
    expect(row()).toBe(before)
  })

  test('neither enables nor takes from who may do more', async () => {
    const { services, id, keeper, row } = await withReader(['badge', 'boss'])
    await services.users.disable(id)
    const before = row()
    for (const change of [{ status: 'active' }, { roles: [] }, { roles: ['badge'] }] as const) {
      await expectRefused(services.users.update(id, change, keeper), 'permission_required')
    }
    expect(row()).toBe(before)
  })

  test('who may do everything there takes a role from another such, who keeps what he could not be given', async () => {
    const { services, id, organizationId, row } = await withReader(['badge', 'boss'])
    const boss = actorWith(['*'], { organizationId, userId: 'u', roles: [] })
    expect((await services.users.setRoles(id, ['boss'], boss)).roles).toEqual(['boss'])
    await services.users.setRoles(id, [], boss)
    await expectRefused(services.users.setRoles(id, ['boss'], boss), 'permission_required')
    expect(row()?.roles).toEqual([])
  })
})
