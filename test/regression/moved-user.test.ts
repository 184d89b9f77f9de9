/** A credential acts for its owner inside one organization; it does not follow him out of it. */
import { expect, test } from 'bun:test'
import { addKey, createTestApp, withBearer } from '../support/test-app.ts'

test('an opaque token of a user who was moved is refused as his API key is', async () => {
  await using t = await createTestApp()
  const old = await t.core.organizations.create({ name: 'Old' })
  const next = await t.core.organizations.create({ name: 'Next' })
  const user = await t.core.users.create({ email: 'm@example.com', organizationId: old.id, roles: ['keeper'] })
  const permissions = ['machine_auth.*']
  const { rawToken } = await t.core.tokens.bearer.create({ name: 'x', userId: user.id, permissions })
  const key = await addKey(t, { userId: user.id, permissions })
  const askBoth = async () => [
    (await t.ask('/auth/keys', { headers: withBearer(rawToken) })).status,
    (await t.ask('/auth/keys', { headers: key.headers })).status,
  ]
  expect(await askBoth()).toEqual([200, 200])
  await t.core.users.update(user.id, { organizationId: next.id })
  expect(await askBoth()).not.toContain(200)
  // Nor does suspending the organization he is in now leave him a way in.
  await t.core.organizations.suspend(next.id)
  expect(await askBoth()).not.toContain(200)
})
