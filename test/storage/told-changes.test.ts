/** Whoever writes tells of each change once it has committed, and of none that was undone. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { SQL } from 'bun'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'
import {
  aBlock,
  aFamily,
  aKey,
  anOrganization,
  aSession,
  aSigningKey,
  aToken,
  aUser,
  NOW,
} from '../contract/fixtures.ts'
import { changesOf, type Opened, withoutChangeLog } from '../contract/support.ts'
import { openMigrated } from '../support/migrated.ts'
import { until } from '../support/until.ts'

const BY = { at: NOW, reason: null, by: 'usr_admin' }
const role = (name: string) => ({ name, permissions: [], inherits: [] })

/** Every verb that records a change, once. */
async function changeAll(storage: Storage): Promise<void> {
  const { keys, organizations, users, refreshFamilies, bearerTokens, sessions, roles, blocks, signingKeys } = storage
  const [user, organization] = [aUser(), anOrganization()]
  await users.insert(user)
  await organizations.insert(organization)
  const [revoked, rotated, selected] = [aKey(), aKey(), aKey({ organizationId: organization.id })]
  for (const key of [revoked, rotated, selected]) await keys.insert(key)
  await keys.update(revoked.id, { name: 'other' }, NOW)
  await keys.revoke(revoked.id, BY)
  await keys.rotate(aKey({ rotatedFrom: rotated.id }), {
    old: rotated,
    at: NOW,
    oldExpiresAt: null,
    reason: 'rotated',
    by: 'usr_admin',
    quota: { period: '2030-01', from: rotated.id, to: 'key_next' },
  })
  await keys.revokeSelected({ organizationId: organization.id }, BY)
  await organizations.update(organization.id, { status: 'suspended' }, NOW)
  await users.update(user.id, { status: 'disabled' }, NOW)
  const families = [aFamily({ userId: user.id }), aFamily({ userId: user.id })] as const
  for (const family of families) await refreshFamilies.insert(family)
  await refreshFamilies.revoke(families[0].id, 'logout', NOW)
  await refreshFamilies.revokeByUser(user.id, 'logout', NOW)
  const token = aToken()
  await bearerTokens.insert(token)
  await bearerTokens.revoke(token.id, null, NOW)
  const [session, other] = [aSession({ userId: user.id }), aSession({ userId: user.id })]
  for (const each of [session, other]) await sessions.insert(each)
  await sessions.delete(session.id)
  await sessions.deleteByUser(user.id, NOW)
  await roles.put(role('auditor'), NOW)
  await roles.delete('auditor', NOW)
  const block = aBlock()
  await blocks.put(block)
  await blocks.delete(block.id)
  await signingKeys.ensureCurrent(aSigningKey())
  await signingKeys.rotate(aSigningKey({ createdAt: NOW + 1 }))
}
const CHANGES = 17
/** The server has connections for other tests too. */
const FEW = { poolSize: 2, timeout: 10_000, prepare: true, ca: null }

type Told = Opened & { readonly heard: string[] }

/** What holds for every database. */
function describeTelling(name: string, open: () => Promise<Told>): void {
  describe(name, () => {
    let told: Told
    beforeEach(async () => {
      told = await open()
    })

    test('all that is in the log is told, in its order', async () => {
      await changeAll(told.storage)
      expect(told.heard).toHaveLength(CHANGES)
      expect(told.heard).toEqual([...(await changesOf(told.storage))])
    })

    test('nothing is told of what was undone', async () => {
      const { storage, heard } = told
      const key = aKey()
      await storage.keys.insert(key)
      await withoutChangeLog(told, () => storage.keys.revoke(key.id, BY).catch(() => undefined))
      expect(heard).toEqual([])
      const stale = { ...key, name: 'as it was' }
      await storage.keys.update(key.id, { enabled: false }, NOW, stale).catch(() => undefined)
      expect(heard).toEqual([])
      await storage.keys.revoke(key.id, BY)
      await storage.keys.revoke(key.id, BY)
      expect(heard).toEqual([`key ${key.id}`])
    })
  })
}

describeTelling('SQLite', async () => {
  const heard: string[] = []
  const client = openMigrated()
  const onCommitted = ({ kind, subject }: { kind: string; subject: string }) => void heard.push(`${kind} ${subject}`)
  const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'check', onCommitted })
  await ready
  return { storage, heard, exec: async (statement) => client.run(statement) }
})

test('what the hearer throws harms nothing, and it is asked after the commit', async () => {
  const client = openMigrated()
  const found: unknown[] = []
  const onCommitted = () => {
    found.push(client.query('select count(*) as count from machine_auth_changes').get())
    throw new Error('broken')
  }
  const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'check', onCommitted })
  await ready
  expect(await storage.roles.put(role('auditor'), NOW)).toBe(true)
  expect(found).toEqual([{ count: 1 }])
  expect(await changesOf(storage)).toEqual(['role auditor'])
  client.close()
})

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'

describe.skipIf(!serverUp && !required)('PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let client: SQL
  const stops: (() => Promise<void>)[] = []
  beforeAll(async () => {
    database = await createServerDatabase()
    client = new SQL({ url: database.url, max: 1 })
  })
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()))
  })
  afterAll(async () => {
    await client.close()
    await database.drop()
  })

  /** Two processes: one writes, the other only listens. */
  async function openTwo() {
    const heard: string[] = []
    const onCommitted = ({ kind, subject }: { kind: string; subject: string }) => void heard.push(`${kind} ${subject}`)
    const writer = openStorage(database.url, { migrate: 'auto', notify: true, onCommitted, postgres: FEW })
    await writer.ready
    const reader = openStorage(database.url, { migrate: 'check', postgres: FEW })
    await reader.ready
    stops.push(writer.storage.close, reader.storage.close)
    await client.unsafe(
      "do $$ declare t text; begin for t in select tablename from pg_tables where tablename like 'machine\\_auth\\_%' and tablename not like '%\\_migrations' loop execute 'delete from ' || t; end loop; end $$",
    )
    return { writer, reader, heard }
  }

  describeTelling('by its URL', async () => {
    const { writer, heard } = await openTwo()
    return { storage: writer.storage, heard, exec: (statement) => client.unsafe(statement) }
  })

  test('another process hears what was committed and nothing else, also after its connection was killed', async () => {
    const { writer, reader } = await openTwo()
    const payloads: string[] = []
    const { listen } = reader
    if (listen === null) throw new Error('there is no listen')
    const stop = await listen((payload) => void payloads.push(payload))
    await changeAll(writer.storage)
    await until(async () => payloads.length >= CHANGES)
    expect(payloads).toEqual([...(await changesOf(writer.storage))])

    const key = aKey()
    await writer.storage.keys.insert(key)
    await writer.storage.keys
      .update(key.id, { enabled: false }, NOW, { ...key, name: 'as it was' })
      .catch(() => undefined)
    const long = 'x'.repeat(300)
    await writer.storage.roles.put(role(long), NOW)
    await writer.storage.roles.put(role('y'.repeat(256)), NOW)
    await until(async () => payloads.length > CHANGES)
    expect(payloads.slice(CHANGES)).toEqual([`role ${'y'.repeat(256)}`])
    expect(await changesOf(writer.storage)).toContain(`role ${long}`)

    await client.unsafe(
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'LISTEN%' and datname = current_database()",
    )
    await until(async () => {
      await writer.storage.roles.put(role('again'), NOW)
      return payloads.at(-1) === 'role again'
    })

    await stop()
    const before = payloads.length
    await writer.storage.roles.put(role('unheard'), NOW)
    await until(async () => {
      const rows = await client.unsafe(
        "select 1 from pg_stat_activity where query like 'LISTEN%' and datname = current_database()",
      )
      return rows.length === 0
    })
    expect(payloads).toHaveLength(before)
  })

  test('nothing is told by who is not asked to', async () => {
    const { reader } = await openTwo()
    const payloads: string[] = []
    const stop = await reader.listen?.((payload) => void payloads.push(payload))
    await reader.storage.roles.put(role('silent'), NOW)
    await client.unsafe("select pg_notify('machine_auth_changes', 'end')")
    await until(async () => payloads.includes('end'))
    expect(payloads).toEqual(['end'])
    await stop?.()
  })

  test('closing ends what listens', async () => {
    const { reader } = await openTwo()
    await reader.listen?.(() => undefined)
    await reader.storage.close()
    await until(async () => {
      const rows = await client.unsafe(
        "select 1 from pg_stat_activity where query like 'LISTEN%' and datname = current_database()",
      )
      return rows.length === 0
    })
  })
})

test('there is nothing to listen to on SQLite', async () => {
  const client = openMigrated()
  const { ready, listen } = openStorage({ db: drizzle(client) }, { migrate: 'check' })
  await ready
  expect(listen).toBeNull()
  client.close()
})
