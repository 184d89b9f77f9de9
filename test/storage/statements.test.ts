import { Database } from 'bun:sqlite'
import { describe, expect, spyOn, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { aKey, NOW } from '../contract/fixtures.ts'
import { fillForPath, PATH } from './path-verbs.ts'

async function openCounted() {
  const client = new Database(':memory:')
  const statements: string[] = []
  const db = drizzle(client, { logger: { logQuery: (text) => void statements.push(text) } })
  const { storage, ready } = openStorage({ db }, { migrate: 'auto' })
  await ready
  await fillForPath(storage)
  return { client, storage, statements }
}

/** What is one statement; the others write in transactions, or of several rows. */
const ONE_STATEMENT = /^(?!usage\.|loginAddresses\.remember|requestLog\.)/

describe('on the way of a request', () => {
  const prepared = Object.entries(PATH).filter(([, { isBuilt }]) => isBuilt === undefined)

  test.each(prepared)('%s is put together once', async (name, { call }) => {
    const { client, storage, statements } = await openCounted()
    statements.length = 0
    await call(storage)
    if (ONE_STATEMENT.test(name)) expect(statements).toHaveLength(1)
    const once = statements.length
    const prepare = spyOn(client, 'prepare')
    for (const time of [2, 3]) {
      await call(storage)
      expect(statements).toHaveLength(once * time)
    }
    expect(prepare).not.toHaveBeenCalled()
    client.close()
  })
})

const KEY = aKey({ id: 'key_2', name: 'second' })
const ROTATION = { old: KEY, at: NOW, oldExpiresAt: NOW + 1, reason: 'rotated', by: 'user_1' }
const MONTH = { period: '2030-01', from: 'apiKey:key_2', to: 'apiKey:key_3' }
const NOBODY = { userId: 'user_2', createdBefore: NOW }
const REVOCATION = { at: NOW, reason: null, by: 'user_1' }
const PAGE = { limit: 10 }

/** What managing may cost, however many keys, users and organizations there are. */
const MANAGING: readonly {
  readonly name: string
  readonly statements: number
  readonly verb: (storage: Storage) => Promise<unknown>
}[] = [
  { name: 'keys.findByIdStart', statements: 1, verb: ({ keys }) => keys.findByIdStart('key_', 10) },
  { name: 'keys.findByLookup', statements: 1, verb: ({ keys }) => keys.findByLookup(['one', 'two']) },
  { name: 'keys.update of a limit', statements: 2, verb: ({ keys }) => keys.update('key_1', { credits: 1 }, NOW) },
  // What is searched for follows from the row as it was written.
  { name: 'keys.update of a name', statements: 3, verb: ({ keys }) => keys.update('key_1', { name: 'x' }, NOW) },
  // Whether it was rotated is asked of the row that is held.
  { name: 'keys.update of an expiry', statements: 3, verb: ({ keys }) => keys.update('key_1', { expiresAt: 9 }, NOW) },
  { name: 'keys.update of nothing', statements: 1, verb: ({ keys }) => keys.update('key_1', {}, NOW) },
  {
    name: 'keys.rotate',
    statements: 5,
    async verb({ keys }) {
      await keys.rotate({ ...KEY, id: 'key_3', rotatedFrom: 'key_2' }, { ...ROTATION, quota: MONTH })
    },
  },
  { name: 'keys.countSelected', statements: 1, verb: ({ keys }) => keys.countSelected(NOBODY) },
  { name: 'keys.revokeSelected of none', statements: 1, verb: ({ keys }) => keys.revokeSelected(NOBODY, REVOCATION) },
  {
    name: 'keys.revokeSelected of an organization',
    statements: 1,
    verb: ({ keys }) => keys.revokeSelected({ organizationId: 'org_2' }, REVOCATION),
  },
  { name: 'keys.countByOrganization', statements: 1, verb: ({ keys }) => keys.countByOrganization(['org_1', 'org_2']) },
  {
    name: 'keys.claimExpiryWarnings',
    statements: 1,
    verb: ({ keys }) => keys.claimExpiryWarnings(NOW, NOW + 1, 10),
  },
  {
    name: 'organizations.update',
    statements: 2,
    verb: ({ organizations }) => organizations.update('org_1', { status: 'suspended' }, NOW),
  },
  {
    name: 'organizations.list by name',
    statements: 1,
    verb: ({ organizations }) => organizations.list({ sort: 'name', order: 'asc' }, PAGE),
  },
  { name: 'organizations.list', statements: 1, verb: ({ organizations }) => organizations.list({}, PAGE) },
  { name: 'users.list by e-mail', statements: 1, verb: ({ users }) => users.list({ sort: 'email' }, PAGE) },
  {
    name: 'users.list of an organization',
    statements: 1,
    verb: ({ users }) => users.list({ organizationId: 'org_1' }, PAGE),
  },
  { name: 'permissions.list', statements: 1, verb: ({ permissions }) => permissions.list() },
]

test.each([...MANAGING])('$name: $statements statements, each by an index', async ({ statements: count, verb }) => {
  const { client, storage, statements } = await openCounted()
  await storage.keys.insert(KEY)
  statements.length = 0
  await verb(storage)
  const sent = statements.filter((text) => !/^(begin|commit)/i.test(text))
  expect(sent).toHaveLength(count)
  for (const text of sent) {
    const parameters = text.match(/\?/g)?.map(() => null) ?? []
    const plan = client.query<{ detail: string }, null[]>(`explain query plan ${text}`).all(...parameters)
    const slow = plan.filter(({ detail }) => /^SCAN (?!.* USING (?:COVERING )?INDEX)|TEMP B-TREE/.test(detail))
    expect([text, slow]).toEqual([text, []])
  }
  client.close()
})

const OF_ONE = { organizationId: 'org_1' }

/** Lists of keys, and which index must carry them: with the order of another one all keys would be sorted each time. */
const KEY_LISTS = [
  { name: 'all', filter: {}, index: 'machine_auth_api_keys_created_idx' },
  { name: 'all by name', filter: { sort: 'name' }, index: 'machine_auth_api_keys_name_idx' },
  { name: 'all by last use', filter: { sort: 'lastUsedAt' }, index: 'machine_auth_api_keys_used_idx' },
  { name: 'those of an organization', filter: OF_ONE, index: 'machine_auth_api_keys_organization_idx' },
  {
    name: 'those of an organization by name',
    filter: { ...OF_ONE, sort: 'name' },
    index: 'machine_auth_api_keys_organization_name_idx',
  },
  {
    name: 'those of an organization by last use',
    filter: { ...OF_ONE, sort: 'lastUsedAt' },
    index: 'machine_auth_api_keys_organization_used_idx',
  },
] as const

describe('with many keys', () => {
  function plansOf(client: Database, texts: readonly string[]): readonly string[] {
    return texts.flatMap((text) => {
      const parameters = text.match(/\?/g)?.map(() => null) ?? []
      const plan = client.query<{ detail: string }, null[]>(`explain query plan ${text}`).all(...parameters)
      return plan.map(({ detail }) => detail)
    })
  }

  test.each([...KEY_LISTS])(
    'a page of $name is read from its index, in either direction',
    async ({ filter, index }) => {
      const { client, storage, statements } = await openCounted()
      for (const id of ['key_a', 'key_b']) await storage.keys.insert(aKey({ id, name: id, organizationId: 'org_1' }))
      for (const order of ['asc', 'desc'] as const) {
        statements.length = 0
        const { nextCursor } = await storage.keys.list({ ...filter, order }, { limit: 1 }, NOW)
        expect(nextCursor).not.toBeNull()
        await storage.keys.list({ ...filter, order }, { cursor: nextCursor ?? '', limit: 1 }, NOW)
        const plans = plansOf(client, statements)
        expect(plans).toHaveLength(2)
        for (const plan of plans) expect(plan).toContain(`USING INDEX ${index}`)
      }
      client.close()
    },
  )

  test('those that are not revoked are counted without reading them', async () => {
    const { client, storage, statements } = await openCounted()
    statements.length = 0
    await storage.keys.countByOrganization(['org_1', 'org_2'])
    expect(plansOf(client, statements)).toEqual([
      expect.stringContaining('USING COVERING INDEX machine_auth_api_keys_unrevoked_idx'),
    ])
    client.close()
  })
})
