/** What a review of managing found about roles by their names, reserved names, and who reads of what was done. */
import { describe, expect, test } from 'bun:test'
import { SYSTEM } from '../../src/authorization/actor.ts'
import { expectInvalid, expectRefused } from '../support/refusals.ts'
import { actorWith, createServices } from '../support/services.ts'
import { createTestApp } from '../support/test-app.ts'

const PASSWORD = 'a quite different horse'

describe('everything inside an organization is not the roles by their names', () => {
  const ROLES = { admin: ['*'], operator: [], user: ['posts.view'] }

  async function withMember(roles: readonly string[]) {
    const services = createServices({ roles: ROLES })
    const { id: organizationId } = await services.organizations.create({ name: 'A' })
    const member = await services.users.create({
      email: 'm@example.com',
      organizationId,
      roles,
      password: 'their own horse',
    })
    const as = (own: readonly string[]) => actorWith(['*'], { organizationId, userId: 'user_admin', roles: own })
    return { services, users: services.users, member, as, key: actorWith(['*'], { organizationId }) }
  }

  test('a role is given by who has it, or the platform', async () => {
    const { users, as, key, member } = await withMember([])
    const input = { email: 'op@example.com', roles: ['operator'] }
    for (const actor of [as(['admin']), key]) {
      await expectRefused(users.create(input, actor), 'permission_required')
      await expectRefused(users.setRoles(member.id, ['operator'], actor), 'permission_required')
    }
    expect((await users.create(input, as(['admin', 'operator']))).roles).toEqual(['operator'])
    expect((await users.setRoles(member.id, ['operator'])).roles).toEqual(['operator'])
  })

  test('who has a role that the actor has not can be disabled, enabled and logged out by him, not taken over', async () => {
    const { services, users, as, member } = await withMember(['operator'])
    const admin = as(['admin'])
    for (const change of [
      { password: PASSWORD },
      { email: 'x@example.com' },
      { status: 'active' as const, password: PASSWORD },
    ]) {
      await expectRefused(users.update(member.id, change, admin), 'permission_required')
    }
    await services.sessions.create(member.id)
    expect(await services.sessions.endAll(member.id, admin)).toBe(1)
    expect((await users.disable(member.id, admin)).status).toBe('disabled')
    expect((await users.enable(member.id, admin)).status).toBe('active')
  })
})

test('of two puts that would close a circle together one is refused, in each of 20 races', async () => {
  await using t = await createTestApp()
  const { roles } = t.core
  for (let race = 0; race < 20; race++) {
    const [a, b] = [`a${race}`, `b${race}`]
    for (const name of [a, b]) await roles.put(name, { permissions: ['posts.view'] })
    const puts = [
      roles.put(a, { permissions: ['posts.view'], inherits: [b] }),
      roles.put(b, { permissions: ['posts.view'], inherits: [a] }),
    ]
    const refused = (await Promise.allSettled(puts)).flatMap((put) => (put.status === 'rejected' ? [put.reason] : []))
    expect(refused).toHaveLength(1)
    await expectInvalid(Promise.reject(refused[0]), refused[0].extras.errors[0].path)
    const stored = (await roles.list()).filter(({ name }) => name === a || name === b)
    expect(stored.flatMap(({ inherits }) => inherits)).toHaveLength(1)
  }
})

test.each(['cli', 'CLI', 'token', 'anonymous', 'system', 'master'])('nobody is called %s', async (id) => {
  const { users, tokens } = createServices()
  await expectInvalid(users.create({ email: 'x@example.com', id }), 'id')
  await expectInvalid(tokens.issueForClient({ clientId: id }), 'client_id')
})

describe('the audit log', () => {
  async function withOrganizations() {
    const services = createServices()
    const [a, b] = [
      await services.organizations.create({ name: 'A' }),
      await services.organizations.create({ name: 'B' }),
    ]
    const user = await services.users.create({ email: 'm@example.com', organizationId: a.id })
    const readBy = async (organizationId: string, action: string) =>
      (await services.audit.list({ action }, {}, actorWith(['*'], { organizationId }))).items
    return { services, a: a.id, b: b.id, user, readBy }
  }

  test('tells each organization of a move, and neither which the other is', async () => {
    const { services, a, b, user, readBy } = await withOrganizations()
    await services.users.update(user.id, { organizationId: b, roles: ['support'] })
    const [left, ...more] = await readBy(a, 'user.updated')
    const [entered, ...others] = await readBy(b, 'user.updated')
    expect([more, others]).toEqual([[], []])
    expect(left?.details).toEqual({ before: { organizationId: a }, after: { organizationId: 'changed' } })
    expect(entered?.details).toEqual({ before: { roles: [] }, after: { organizationId: b, roles: ['support'] } })
  })

  test('tells an organization of who leaves for none, and who comes from none, once', async () => {
    const { services, a, b, user, readBy } = await withOrganizations()
    await services.users.update(user.id, { organizationId: null })
    expect((await readBy(a, 'user.updated')).map(({ details }) => details)).toEqual([
      { before: { organizationId: a }, after: { organizationId: null } },
    ])
    await services.users.update(user.id, { organizationId: b })
    expect((await readBy(b, 'user.updated')).map(({ details }) => details)).toEqual([
      { before: { organizationId: null }, after: { organizationId: b } },
    ])
    expect((await services.audit.list({ action: 'user.updated' })).items).toHaveLength(2)
  })

  test('tells the user’s organization of a session that code or the command line ended', async () => {
    const { services, a, b, user, readBy } = await withOrganizations()
    for (const actor of [SYSTEM, { ...SYSTEM, id: 'cli' }]) {
      const { session } = await services.sessions.create(user.id)
      await services.sessions.end(session.id, undefined, actor)
    }
    expect((await readBy(a, 'session.ended')).map(({ actor }) => actor).toSorted()).toEqual(['cli', 'system'])
    expect(await readBy(b, 'session.ended')).toEqual([])
  })

  test('tells what a deleted role granted', async () => {
    const { services } = await withOrganizations()
    await services.roles.put('reader', { permissions: ['posts.view'], inherits: ['support'] })
    await services.roles.delete('reader')
    const { items } = await services.audit.list({ action: 'role.deleted' })
    expect(items[0]?.details).toEqual({ before: { permissions: ['posts.view'], inherits: ['support'] } })
  })
})
