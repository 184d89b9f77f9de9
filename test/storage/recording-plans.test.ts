import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzleSqlite } from 'drizzle-orm/bun-sqlite'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { openStorage } from '../../src/storage/open.ts'
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { aKey, anEntry, aUsage, NOW } from '../contract/fixtures.ts'
import { lookThroughPostgres } from '../support/credentials/postgres.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const MONTH = { keyId: 'key_1', from: NOW - 30 * DAY, to: NOW }
const PAGE = { limit: 10 }
const COUNTERS = /sqlite_autoindex_machine_auth_usage_1|machine_auth_usage_key_id_period_start/
const BY_START = /machine_auth_usage_start_idx/

/** What is read or deleted of tables that grow with the requests, and the index that must carry it. */
const VERBS: readonly {
  readonly name: string
  readonly index: RegExp
  readonly verb: (storage: Storage) => Promise<unknown>
}[] = [
  { name: 'sums of hours', index: COUNTERS, verb: ({ usage }) => usage.sumsOfKey({ ...MONTH, period: 'hour' }) },
  { name: 'sums of days', index: COUNTERS, verb: ({ usage }) => usage.sumsOfKey({ ...MONTH, period: 'day' }) },
  { name: 'all requests together', index: COUNTERS, verb: ({ usage }) => usage.overall('hour', NOW) },
  { name: 'the busiest keys', index: BY_START, verb: ({ usage }) => usage.busiestKeys(NOW, 10) },
  { name: 'deleting counters', index: BY_START, verb: ({ usage }) => usage.purge('hour', NOW, 10) },
  {
    name: 'deleting receipts',
    index: /machine_auth_usage_receipts_at_idx/,
    verb: ({ usage }) => usage.purgeReceipts(NOW, 10),
  },
  {
    name: 'deleting checkpoints',
    index: /machine_auth_usage_checkpoints_updated_idx/,
    verb: ({ usage }) => usage.purgeCheckpoints(NOW),
  },
  {
    name: 'a checkpoint',
    index: /sqlite_autoindex_machine_auth_usage_checkpoints_1|machine_auth_usage_checkpoints_pkey/,
    verb: ({ usage }) => usage.checkpoint('one'),
  },
  {
    name: 'noting uses of keys',
    // Of a few keys PostgreSQL takes any index that has their ids.
    index: /sqlite_autoindex_machine_auth_api_keys_1|Index Cond: \(id = /,
    verb: ({ usage }) => usage.touch([{ keyId: 'key_1', at: NOW }]),
  },
  {
    name: 'the request log',
    index: /machine_auth_request_log_at_idx/,
    verb: ({ requestLog }) => requestLog.list({ from: NOW, to: NOW + 1 }, PAGE),
  },
  {
    name: 'the request log of a key',
    index: /machine_auth_request_log_key_idx/,
    verb: ({ requestLog }) => requestLog.list({ keyId: 'key_1' }, PAGE),
  },
  {
    name: 'the request log of an organization',
    index: /machine_auth_request_log_organization_idx/,
    verb: ({ requestLog }) => requestLog.list({ organizationId: 'org_1' }, PAGE),
  },
  {
    name: 'the request log of a user',
    index: /machine_auth_request_log_user_idx/,
    verb: ({ requestLog }) => requestLog.list({ userId: 'user_1' }, PAGE),
  },
  {
    name: 'the request log of a request',
    index: /machine_auth_request_log_request_idx/,
    verb: ({ requestLog }) => requestLog.list({ requestId: 'one' }, PAGE),
  },
  {
    name: 'deleting of the request log',
    index: /machine_auth_request_log_at_idx/,
    verb: ({ requestLog }) => requestLog.purge(NOW, 10),
  },
]

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

function createLog() {
  const statements: Statement[] = []
  return {
    statements,
    logger: { logQuery: (text: string, values: unknown[]) => void statements.push({ text, values }) },
  }
}

/** Of tables with next to nothing in them any index is as good to PostgreSQL. */
async function fill({ keys, usage, requestLog }: Storage): Promise<void> {
  const ids = Array.from({ length: 50 }, (_, index) => `key_${index}`)
  for (const id of ids) await keys.insert(aKey({ id }))
  const starts = Array.from({ length: 60 }, (_, index) => NOW - index * HOUR)
  const rows = ['*', ...ids].flatMap((keyId) =>
    starts.flatMap((start) => (['hour', 'day'] as const).map((period) => aUsage({ keyId, period, start }))),
  )
  const to = { position: 1, target: 1, written: 0 }
  await usage.record({ journal: 'one', from: START_OF_JOURNAL, to, rows, now: NOW })
  const entries = Array.from({ length: 500 }, (_, index) =>
    anEntry({ at: NOW + index, keyId: `key_${index % 50}`, organizationId: `org_${index % 20}` }),
  )
  await requestLog.append(entries)
}

describe('on SQLite', () => {
  const { statements, logger } = createLog()
  const client = new Database(':memory:')
  const { storage, ready } = openStorage({ db: drizzleSqlite(client, { logger }) }, { migrate: 'auto' })
  beforeAll(async () => {
    await ready
    await fill(storage)
  })
  afterAll(() => client.close())

  test.each([...VERBS])('an index carries $name', async ({ verb, index }) => {
    statements.length = 0
    await verb(storage)
    expect(statements).not.toBeEmpty()
    for (const { text } of statements) {
      const parameters = text.match(/\?/g)?.map(() => null) ?? []
      const plan = client.query<{ detail: string }, null[]>(`explain query plan ${text}`).all(...parameters)
      const details = plan.map(({ detail }) => detail)
      expect(details.join('\n')).toMatch(index)
      expect(details.filter((detail) => /^SCAN machine_auth_\w+$/.test(detail))).toEqual([])
    }
  })

  test.each([
    [{}, 'at'],
    [{ keyId: 'key_1' }, 'key'],
    [{ organizationId: 'org_1' }, 'organization'],
    [{ userId: 'user_1' }, 'user'],
    [{ requestId: 'one' }, 'request'],
    [{ organizationId: 'org_1', requestId: 'one' }, 'request'],
    [{ userId: 'user_1', requestId: 'one' }, 'request'],
    [{ organizationId: 'org_1', keyId: 'key_1' }, 'key'],
    [{ organizationId: 'org_1', userId: 'user_1' }, 'user'],
    [{ organizationId: 'org_1', status: 500 }, 'organization'],
    [{ status: 500, method: 'GET', route: '/a' }, 'at'],
  ])('pages of the request log by %j need no sorting, and the index by %s', async (filter, index) => {
    statements.length = 0
    await storage.requestLog.list(filter, PAGE)
    expect(statements).not.toBeEmpty()
    for (const { text } of statements) {
      const parameters = text.match(/\?/g)?.map(() => null) ?? []
      const plan = client.query<{ detail: string }, null[]>(`explain query plan ${text}`).all(...parameters)
      const details = plan.map(({ detail }) => detail).join('\n')
      expect(details).not.toContain('TEMP B-TREE')
      expect(details).toContain(`machine_auth_request_log_${index}_idx`)
    }
  })
})

describe('on PostgreSQL', () => {
  const { statements, logger } = createLog()
  let client: PGlite
  let storage: Storage
  beforeAll(async () => {
    client = await PGlite.create()
    const opened = openStorage({ db: drizzlePglite(client, { logger }) }, { migrate: 'auto' })
    storage = opened.storage
    await opened.ready
    await fill(storage)
    await client.exec('analyze')
    // Of tables as small as these every row is read, unless that is dear.
    await client.exec('set enable_seqscan = off')
  }, 30_000)
  afterAll(async () => {
    await lookThroughPostgres('PGlite', async (statement) => (await client.query(statement)).rows)
    await client.close()
  })

  test.each([...VERBS])('an index carries $name', async ({ verb, index }) => {
    statements.length = 0
    await verb(storage)
    expect(statements).not.toBeEmpty()
    for (const { text, values } of statements) {
      const { rows } = await client.query<Record<string, string>>(`explain ${text}`, [...values])
      const plan = rows.flatMap((row) => Object.values(row)).join('\n')
      expect(plan).toMatch(index)
      expect(plan).not.toContain('Seq Scan on machine_auth_')
    }
  })
})
