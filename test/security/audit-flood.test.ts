/** SECURITY.md: who is refused cannot fill the audit log, and his first attempt is in it. */
import { expect, test } from 'bun:test'
import { from, PROXIED } from '../support/limited.ts'
import { addTokens, createTestApp, MASTER_KEY, type TestApp } from '../support/test-app.ts'

const MINUTE = 60_000

const eventsOf = async ({ core }: TestApp, action: string) =>
  (await core.audit.list({ action }, { limit: 100 })).items.toReversed()

async function guessFrom(t: TestApp, addresses: number) {
  for (let address = 0; address < addresses; address++) {
    const { headers } = { headers: { 'x-admin-key': 'wrong', ...from(`203.0.${address >> 8}.${address & 255}`) } }
    expect((await t.ask('/auth/keys', { headers })).said).toBe('401 master_key_invalid')
  }
}

test('wrong master keys from many addresses: sixty rows in a minute, and one that says how many more', async () => {
  await using t = await createTestApp({ ...PROXIED, masterKey: MASTER_KEY })
  await guessFrom(t, 300)
  expect(await eventsOf(t, 'master_key.refused')).toHaveLength(60)
  t.time.now += MINUTE
  await guessFrom(t, 1)
  const events = await eventsOf(t, 'master_key.refused')
  expect(events).toHaveLength(62)
  expect(events.find(({ subject }) => subject === 'several')?.details).toEqual({ more: 240 })
})

test('where there is no master key, nobody guesses it', async () => {
  // Whatever the app of the tests has by default.
  const none: object = { masterKey: undefined }
  await using t = await createTestApp({ ...PROXIED, ...none })
  await guessFrom(t, 50)
  expect(await eventsOf(t, 'master_key.refused')).toEqual([])
})

test('attempts of one on another organization’s things: the first at once, the rest counted', async () => {
  await using t = await createTestApp()
  const [own, other] = [
    await t.core.organizations.create({ name: 'Own' }),
    await t.core.organizations.create({ name: 'Other' }),
  ]
  const { id } = await t.core.users.create({ email: 'a@example.com', organizationId: own.id, roles: ['admin'] })
  const { headers } = await addTokens(t, id)
  const attempt = async (organization: string) =>
    expect((await t.ask(`/auth/audit?organizationId=${organization}`, { headers })).said).toBe('404 not_found')
  await attempt(other.id)
  expect(await eventsOf(t, 'cross_tenant_attempt')).toMatchObject([{ actor: id, subject: other.id, details: {} }])
  for (let turn = 0; turn < 20; turn++) await attempt(other.id)
  for (let turn = 0; turn < 80; turn++) await attempt(`org_${turn}`)
  expect(await eventsOf(t, 'cross_tenant_attempt')).toHaveLength(10)
  t.time.now += MINUTE
  await attempt(other.id)
  const events = await eventsOf(t, 'cross_tenant_attempt')
  expect(events).toHaveLength(12)
  expect(events.find(({ details }) => details.more !== undefined)).toMatchObject({
    actor: id,
    organizationId: own.id,
    details: { more: 91 },
  })
})
