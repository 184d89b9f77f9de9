/** A database of an older version, with rows, that this version opens. */
import { Database as Client } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { SQL } from 'bun'
import type { Database } from '../../src/storage/drizzle/database.ts'
import { migrate } from '../../src/storage/drizzle/migrate/runner.ts'
import { readMigrations } from '../../src/storage/drizzle/migrate/shipped.ts'
import { openPostgres } from '../../src/storage/drizzle/postgres.ts'
import { openSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { listPendingMigrations, openStorage } from '../../src/storage/open.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'
import { aKey, anOrganization, aSession, aUser, NOW } from '../contract/fixtures.ts'
import { inDirectory, SETTINGS } from './support.ts'

const organization = anOrganization({ id: 'org_1', name: 'Acme' })
const user = aUser({ id: 'user_1', email: 'a@example.com', organizationId: 'org_1', roles: ['user'] })
const session = aSession({ id: 'sess_1', hash: 'h', userId: 'user_1', address: null, userAgent: null })
const key = aKey({
  ...{ id: 'key_1', name: 'CI', prefix: 'mac_live_key_1', hash: 'h', userId: 'user_1', organizationId: 'org_1' },
  ...{ permissions: ['a.b'], ipAllowlist: [], metadata: null },
})

/** The records above as the version of `0000_init` stored them, in SQL that both databases read. */
const ROWS = [
  `insert into machine_auth_organizations (id, name, status, created_at) values ('org_1', 'Acme', 'active', ${NOW})`,
  `insert into machine_auth_users
    (id, email, password_hash, organization_id, roles, status, tokens_not_before, created_at)
    values ('user_1', 'a@example.com', '$argon2id$old', 'org_1', '["user"]', 'active', 0, ${NOW})`,
  `insert into machine_auth_sessions (id, hash, user_id, created_at, last_seen_at, expires_at)
    values ('sess_1', 'h', 'user_1', ${NOW}, ${NOW}, ${NOW + 1000})`,
  `insert into machine_auth_api_keys
    (id, name, prefix, environment, hash, pepper, organization_id, user_id, permissions, ip_allowlist, rate_limit,
     monthly_quota, enabled, created_at, created_by, search_text)
    values ('key_1', 'CI', 'mac_live_key_1', 'live', 'h', 'pepper-1', 'org_1', 'user_1', '["a.b"]', '[]',
     '{"limit":60,"window":"1m"}', 1000, true, ${NOW}, 'system', 'ci')`,
]

/** Makes a database of the first migration only. */
async function migrateToInit(database: Database): Promise<void> {
  await migrate(database, { migrations: readMigrations(database.dialect).slice(0, 1) })
  await database.close()
}

async function expectUpgrade(address: string, names: readonly string[]): Promise<void> {
  expect(await listPendingMigrations(address)).toEqual(names.slice(1))
  const { storage, ready } = openStorage(address, { migrate: 'auto' })
  try {
    await ready
    expect(await storage.keys.findWithOwner('key_1')).toEqual({ key, user, organization })
    expect(await storage.sessions.findByHash('h')).toEqual({ session, user, organization })
    expect(await storage.organizations.update('org_1', { monthlyQuota: 5 }, NOW)).toEqual({
      ...organization,
      monthlyQuota: 5,
    })
    expect(await storage.quotas.claim({ subject: 'key:key_1', period: '2030-01', amount: 1, limit: 5 })).toBe(1)
    expect(await storage.keys.claimCredits('key_1', 1, NOW)).toBeNull()
    expect(await storage.blocks.listActive(NOW)).toEqual([])
    expect(await storage.loginAddresses.knows('user_1', '192.0.2.1')).toBeFalse()
  } finally {
    await storage.close()
  }
  expect(await listPendingMigrations(address)).toEqual([])
}

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'

describe('a database made by 0000_init is upgraded and keeps its rows', () => {
  test('on SQLite', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'a.db')
      await migrateToInit(openSqlite(file, SETTINGS))
      const client = new Client(file)
      for (const row of ROWS) client.run(row)
      client.close()
      await expectUpgrade(
        `sqlite:${file}`,
        readMigrations('sqlite').map(({ name }) => name),
      )
    }))

  test.skipIf(!serverUp && !required)('on PostgreSQL', async () => {
    const { url, drop } = await createServerDatabase()
    try {
      await migrateToInit(openPostgres(url, SETTINGS))
      const client = new SQL({ url, max: 1 })
      for (const row of ROWS) await client.unsafe(row)
      await client.close()
      await expectUpgrade(
        url,
        readMigrations('postgres').map(({ name }) => name),
      )
    } finally {
      await drop()
    }
  })
})
