/** What no index helps to find is looked for in parts, and of a page in so many rows at most. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { openStorage } from '../../src/storage/open.ts'
import type { RequestLogFilter } from '../../src/storage/ports/request-log.ts'
import type { RequestLogRecord } from '../../src/storage/records.ts'
import { anEntry, NOW } from '../contract/fixtures.ts'

const ROWS = 50_000
/** Rows of one page, and of one part of it. */
const [PAGE, PART] = [20_000, 1000]

const client = new Database(':memory:')
const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'auto' })
const first = anEntry({ at: NOW, status: 500, organizationId: 'org_1' })
const last = anEntry({ at: NOW + ROWS + 1, status: 501, organizationId: 'org_1' })
beforeAll(async () => {
  await ready
  client.run(`insert into machine_auth_request_log
    (id, at, request_id, method, path, route, status, duration, organization_id)
    with recursive n(i) as (select 1 union all select i + 1 from n where i < ${ROWS})
    select 'log_' || i, ${NOW} + i, 'one', 'GET', '/x', '/x', 200, 1, 'org_1' from n`)
  await storage.requestLog.append([first, last])
})
afterAll(() => client.close())

/** Goes through all pages; counts them, and the turns that everybody else has meanwhile. */
async function search(filter: RequestLogFilter, order: 'asc' | 'desc') {
  const found: RequestLogRecord[] = []
  let turns = 0
  let isOver = false
  const count = () => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  let pages = 0
  let cursor: string | undefined
  do {
    const page = await storage.requestLog.list(filter, { cursor, limit: 10, order })
    found.push(...page.items)
    pages += 1
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  isOver = true
  return { found, pages, turns }
}

describe('what is looked for among many', () => {
  test.each<{ name: string; filter: RequestLogFilter; found: RequestLogRecord[] }>([
    { name: 'by status', filter: { status: 500 }, found: [first] },
    { name: 'by status, the newest', filter: { status: 501 }, found: [last] },
    { name: 'by a method that was never used', filter: { method: 'PUT' }, found: [] },
    { name: 'by a route of an organization', filter: { organizationId: 'org_1', route: '/none' }, found: [] },
    { name: 'by a key of a request id that all have', filter: { requestId: 'one', keyId: 'key_9' }, found: [] },
  ])('$name is found beyond pages with nothing, and others have turns meanwhile', async ({ filter, found }) => {
    const rows = 'requestId' in filter ? ROWS : ROWS + 2
    for (const order of ['asc', 'desc'] as const) {
      const answer = await search(filter, order)
      expect(answer.found).toEqual(found)
      expect(answer.pages).toBe(Math.ceil(rows / PAGE))
      expect(answer.turns).toBeGreaterThanOrEqual(Math.floor(rows / PART))
    }
  })

  test('a page with nothing names where the next one begins', async () => {
    const page = await storage.requestLog.list({ status: 500 }, { limit: 10 })
    expect(page.items).toEqual([])
    expect(page.nextCursor).toBeString()
  })

  test('many who look at once take turns, and who looks for little does not wait for them', async () => {
    const order: string[] = []
    const long = Array.from({ length: 10 }, () =>
      storage.requestLog.list({ status: 599 }, { limit: 10 }).then(() => order.push('long')),
    )
    const short = storage.requestLog
      .list({ keyId: 'key_none', status: 200 }, { limit: 10 })
      .then(() => order.push('short'))
    await Promise.all([...long, short])
    expect(order[0]).toBe('short')
  })
})
