/** Figures for which very many rows are gone through are read in parts, so that requests have their turn in between. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openStorage } from '../../src/storage/open.ts'
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import { aKey, aUsage, NOW } from '../contract/fixtures.ts'

/** More than two parts, and a part that is full to the last row. */
const SIZES = [1, 1999, 2000, 2001, 4000, 4500]
const DAY = 86_400_000

const client = new Database(':memory:')
const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'auto' })
beforeAll(() => ready)
afterAll(() => client.close())

/** How often others had their turn while something was read. */
async function turnsDuring<T>(read: Promise<T>): Promise<{ readonly value: T; readonly turns: number }> {
  let turns = 0
  let isOver = false
  const turn = () => {
    turns += 1
    if (!isOver) setImmediate(turn)
  }
  setImmediate(turn)
  const value = await read
  isOver = true
  return { value, turns }
}

/** Copies of the first key, with each property of every third one changed. */
function fillKeys(count: number): void {
  client.run('DELETE FROM machine_auth_api_keys WHERE id <> ?', ['key_0'])
  const columns = client
    .query<{ name: string }, []>("SELECT name FROM pragma_table_info('machine_auth_api_keys')")
    .all()
    .map(({ name }) => name)
  const changed: Readonly<Record<string, string>> = {
    id: `'key_' || n`,
    enabled: 'n % 3 <> 0',
    expires_at: `CASE WHEN n % 5 = 0 THEN ${NOW} WHEN n % 5 = 1 THEN ${NOW + 1} END`,
    revoked_at: `CASE WHEN n % 7 = 0 THEN ${NOW} END`,
  }
  client.run(
    `INSERT INTO machine_auth_api_keys (${columns.join(', ')})
      WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1})
      SELECT ${columns.map((name) => changed[name] ?? name).join(', ')} FROM machine_auth_api_keys, numbers
        WHERE id = 'key_0' AND n < ${count}`,
  )
}

test('keys are counted whatever parts they make', async () => {
  expect(await storage.keys.count(NOW)).toEqual({ all: 0, active: 0 })
  await storage.keys.insert(aKey({ id: 'key_0', enabled: true, expiresAt: null, revokedAt: null }))
  for (const size of SIZES) {
    fillKeys(size)
    const isActive = (n: number) => n === 0 || (n % 3 !== 0 && n % 5 !== 0 && n % 7 !== 0)
    const active = Array.from({ length: size }, (_, n) => n).filter(isActive).length
    const { value, turns } = await turnsDuring(storage.keys.count(NOW))
    expect(value).toEqual({ all: size, active })
    expect(turns).toBeGreaterThanOrEqual(Math.floor((size - 1) / 2000))
  }
})

test('the busiest keys are found whatever parts and days their rows make', async () => {
  const days = [NOW, NOW + DAY, NOW + 3 * DAY]
  const requestsOf = (index: number) => 1 + ((index * 7919) % 4001)
  const rows = Array.from({ length: 4500 }, (_, index) =>
    aUsage({
      ...{ period: 'day', keyId: `key_${index % 1501}`, start: days[index % 3] ?? NOW, route: `/${index}` },
      ...{ requests: requestsOf(index), status: index % 2 === 0 ? 200 : 500 },
    }),
  )
  const to = { position: 1, target: 1, written: 0 }
  await storage.usage.record({ journal: 'one', from: START_OF_JOURNAL, to, rows, now: NOW })
  const sums = new Map<string, { keyId: string; requests: number; errors: number }>()
  for (const { keyId, requests, status } of rows) {
    const sum = sums.get(keyId) ?? { keyId, requests: 0, errors: 0 }
    sums.set(keyId, {
      keyId,
      requests: sum.requests + requests,
      errors: sum.errors + (status >= 400 ? requests : 0),
    })
  }
  const sorted = [...sums.values()].sort((a, b) => b.requests - a.requests || (a.keyId < b.keyId ? -1 : 1))
  for (const limit of [1, 10, 2000]) {
    const { value, turns } = await turnsDuring(storage.usage.busiestKeys(NOW, limit))
    expect(value).toEqual(sorted.slice(0, limit))
    expect(turns).toBeGreaterThanOrEqual(2)
  }
})

test('what one key came to is added up in parts', async () => {
  const rows = Array.from({ length: 5000 }, (_, index) => aUsage({ keyId: 'key_many', route: `/${index}` }))
  const to = { position: 1, target: 1, written: 0 }
  await storage.usage.record({ journal: 'many', from: START_OF_JOURNAL, to, rows, now: NOW })
  const query = { keyId: 'key_many', period: 'hour', from: NOW, to: NOW + 1 } as const
  const { value, turns } = await turnsDuring(storage.usage.sumsOfKey(query))
  expect(value.statuses).toEqual([{ status: 200, requests: 5000 }])
  expect(turns).toBeGreaterThanOrEqual(10)
})
