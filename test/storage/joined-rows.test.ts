import { describe, expect, test } from 'bun:test'
import { eq, getTableColumns, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { createJoinedSelect } from '../../src/storage/drizzle/joined-rows.ts'
import { textParameter } from '../../src/storage/drizzle/parameters.ts'
import { attachSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { aKey, anOrganization, aUser } from '../contract/fixtures.ts'
import { openMigrated } from '../support/migrated.ts'
import { SETTINGS } from './support.ts'

const database = attachSqlite(drizzle(openMigrated()), SETTINGS)
const { handle, tables } = database
const { apiKeys, users, organizations } = tables
const columns = {
  key: getTableColumns(apiKeys),
  user: getTableColumns(users),
  organization: getTableColumns(organizations),
}
const select = () =>
  handle
    .select(columns)
    .from(apiKeys)
    .leftJoin(users, eq(users.id, apiKeys.userId))
    .leftJoin(organizations, eq(organizations.id, apiKeys.organizationId))
const ofName = () =>
  select()
    .where(eq(apiKeys.name, textParameter('name')))
    .orderBy(apiKeys.id)
    .prepare()

await handle.insert(organizations).values(anOrganization({ id: 'org_1', maxPermissions: ['posts.*'] }))
await handle.insert(users).values(aUser({ id: 'user_1', roles: [] }))
const ROWS = {
  'a key alone': aKey({ enabled: false, metadata: null, rateLimit: null }),
  'a key with a user': aKey({ userId: 'user_1' }),
  'a key with an organization': aKey({ organizationId: 'org_1' }),
  'a key with both': aKey({ userId: 'user_1', organizationId: 'org_1', credits: 0, expiresAt: 0 }),
  'a key whose owners are gone': aKey({ userId: 'user_2', organizationId: 'org_2' }),
}
for (const [name, key] of Object.entries(ROWS)) {
  await handle.insert(apiKeys).values({ ...key, name, searchText: '' })
}

describe('a row of several tables is as Drizzle puts it together', () => {
  const find = createJoinedSelect(database, columns, ofName)

  test.each(Object.keys(ROWS))('%s', async (name) => {
    const expected = await ofName().execute({ name })
    expect(expected).toHaveLength(1)
    expect(await find({ name })).toEqual(expected)
    expect(Object.keys((await find({ name }))[0]?.key ?? {})).toEqual(Object.keys(expected[0]?.key ?? {}))
  })

  test('none where there is none', async () => {
    expect(await find({ name: 'another' })).toEqual([])
  })

  test('several in their order', async () => {
    const all = createJoinedSelect(database, columns, () => select().where(sql`true`).orderBy(apiKeys.id).prepare())
    const found = await all({})
    expect(found.map(({ key }) => key.id)).toEqual(
      Object.values(ROWS)
        .map(({ id }) => id)
        .toSorted(),
    )
  })
})
