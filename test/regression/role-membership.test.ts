/** A role opens `requireRole` by its name: who gives it away gives something, also where it grants no permission. */
import { describe, expect, test } from 'bun:test'
import { actorWith } from '../support/services.ts'
import { addSession, createTestApp, withKey } from '../support/test-app.ts'

const ROLES = { admin: ['*'], billing: [], clerk: ['machine_auth.keys.create'] }

async function createOffice() {
  const t = await createTestApp({ roles: ROLES }, (app) => app.get('/money', () => 'money', { requireRole: 'billing' }))
  const { id: organizationId } = await t.core.organizations.create({ name: 'Acme' })
  const clerk = await t.core.users.create({ email: 'clerk@example.com', roles: ['clerk'], organizationId })
  const boss = await t.core.users.create({ email: 'boss@example.com', roles: ['billing'], organizationId })
  const actor = actorWith(ROLES.clerk, { organizationId, userId: clerk.id })
  return { t, clerk, boss, actor }
}

describe('nobody gives a role that he has not', () => {
  test('by a key for somebody who has it', async () => {
    const { t, clerk, boss } = await createOffice()
    await using _ = t
    const { headers } = await addSession(t, clerk.id)
    const made = await t.ask('/auth/keys', { headers, body: { name: 'x', userId: boss.id } })
    expect(made.said).toBe('403 permission_required')
    const { rawKey = '' } = made.json
    expect((await t.ask('/money', { headers: withKey(String(rawKey)) })).status).not.toBe(200)
  })

  test('by assigning it, to himself or a new user', async () => {
    const { t, clerk, actor } = await createOffice()
    await using _ = t
    const attempts = [
      t.core.users.setRoles(clerk.id, ['clerk', 'billing'], actor),
      t.core.users.create({ email: 'new@example.com', password: 'long enough', roles: ['billing'] }, actor),
    ]
    for (const attempt of attempts) {
      expect(await attempt.then(String, (error) => error.code)).toBe('permission_required')
    }
  })

  test('but an administrator of everything may, and who has it', async () => {
    const { t, boss } = await createOffice()
    await using _ = t
    const chief = actorWith(['*'])
    expect((await t.core.users.setRoles(boss.id, ['billing', 'clerk'], chief)).roles).toEqual(['billing', 'clerk'])
  })
})

test('a role that is deleted opens nothing from the next request on', async () => {
  await using t = await createTestApp({}, (app) =>
    app.get('/help', async ({ auth }) => (await auth.requireRole('helper')).id),
  )
  await t.core.roles.put('helper', { permissions: ['posts.view'] })
  const user = await t.core.users.create({ email: 'h@example.com', roles: ['helper'] })
  const { headers } = await addSession(t, user.id)
  expect((await t.ask('/help', { headers })).said).toBe('200')
  await t.core.roles.delete('helper')
  expect((await t.ask('/help', { headers })).said).toBe('403 role_required')
})
