/** What an app says is not storage's: its own functions that fail are answered as ever while the database is away. */
import { describe, expect, test } from 'bun:test'
import { AppOrganizations } from '../../src/authentication/app-organizations.ts'
import { MachineAuthError } from '../../src/index.ts'
import { withLog } from '../guards/support.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { withOutages } from '../support/outage.ts'
import { expectRefused } from '../support/refusals.ts'
import { addKey, addSession, START, withBearer } from '../support/test-app.ts'
import { createApp, STALENESS, TTL } from './support.ts'

const ask = async (t: Awaited<ReturnType<typeof createApp>>, path: string, headers: Record<string, string>) => {
  const { result } = await withLog(() => t.ask(path, { headers }))
  return result.said
}

test.each([
  ['with an error of its own', new Error('its database is away'), '500 internal_error'],
  ['as if it were storage', new MachineAuthError('storage_unavailable'), '503 storage_unavailable'],
])('a verifier of its own that fails %s is not made up for', async (_, failure, said) => {
  const app = { isAway: false }
  await using t = await createApp({
    bearer: {
      verify(text) {
        if (app.isAway) throw failure
        return text === 'opaque-of-the-app' ? { permissions: ['*'], expiresAt: t.time.now + STALENESS } : null
      },
    },
  })
  const headers = withBearer('opaque-of-the-app')
  expect(await ask(t, '/users', headers)).toBe('200')
  app.isAway = true
  expect(await ask(t, '/users', headers)).toBe('200')
  t.pass(TTL)
  expect(await ask(t, '/users', headers)).toBe(said)
})

test('users are asked for on every request: what the app says last counts, also of a key that is believed', async () => {
  const app = { roles: ['admin'], isAway: false }
  await using t = await createApp({
    users: {
      load(id) {
        if (app.isAway) throw new Error('its database is away')
        return { id, roles: app.roles }
      },
    },
  })
  const { headers } = await addKey(t, { userId: 'user_of_the_app', permissions: ['*'] })
  expect(await ask(t, '/admin', headers)).toBe('200')
  t.outage.isAway = true
  t.pass(TTL)
  expect(await ask(t, '/admin', headers)).toBe('200')
  app.roles = ['user']
  expect(await ask(t, '/admin', headers)).toBe('403 role_required')
  app.isAway = true
  expect(await ask(t, '/admin', headers)).toBe('500 internal_error')
})

async function createMember() {
  const organization = { id: null as string | null }
  const t = await createApp({ users: { load: (id) => ({ id, organizationId: organization.id }) } })
  organization.id = (await t.core.organizations.create({ name: 'Acme' })).id
  const { headers } = await addSession(t, 'user_of_the_app')
  expect(await ask(t, '/user', headers)).toBe('200')
  return { t, headers, acme: organization.id, join: (id: string) => (organization.id = id) }
}

describe('a user whom the app puts into an organization of ours', () => {
  test('is served as long as that was seen lately', async () => {
    const { t, headers } = await createMember()
    await using _app = t
    t.outage.isAway = true
    t.pass(STALENESS - 1)
    expect(await ask(t, '/user', headers)).toBe('200')
    t.pass(1)
    expect(await ask(t, '/user', headers)).toBe('503 storage_unavailable')
  })

  test('is not served in one that was never seen', async () => {
    const { t, headers, join } = await createMember()
    await using _app = t
    join('org_of_nobody')
    t.outage.isAway = true
    expect(await ask(t, '/user', headers)).toBe('503 storage_unavailable')
  })

  test('is not served once it was heard to be suspended, also by a look-up that began before', async () => {
    const { t, headers, acme } = await createMember()
    await using _app = t
    const read = t.outage.hold('organizations.find')
    const early = ask(t, '/user', headers)
    await read.reached
    await t.core.organizations.suspend(acme)
    read.release()
    await early
    t.outage.isAway = true
    expect(await ask(t, '/user', headers)).toBe('503 storage_unavailable')
    t.outage.isAway = false
    expect(await ask(t, '/user', headers)).toBe('403 organization_suspended')
  })
})

test('of organizations no more are remembered than there is room for, the newest', async () => {
  const time = { now: START }
  const memory = createMemoryStorage(() => time.now)
  const { storage, outage } = withOutages(memory)
  const known = new AppOrganizations({ store: storage.organizations, clock: () => time.now, staleness: 1000, size: 2 })
  for (const id of ['org_1', 'org_2', 'org_1', 'org_3']) expect(await known.find(id)).toBeNull()
  outage.isAway = true
  expect(await Promise.all(['org_1', 'org_3'].map((id) => known.find(id)))).toEqual([null, null])
  await expectRefused(known.find('org_2'), 'storage_unavailable')
})
