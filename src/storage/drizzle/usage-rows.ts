import { getTableColumns, sql } from 'drizzle-orm'
import type { UsageRecord } from '../records.ts'
import { createBulkInsert } from './bulk-insert.ts'
import type { Database } from './database.ts'
import { excluded } from './excluded.ts'
import type { Handle } from './handle.ts'
import type { Steps } from './transaction.ts'

/** Names the counter that a row adds to. */
function placeOf({ keyId, period, start, organizationId, method, route, status }: UsageRecord): string {
  return [keyId, period, start, organizationId, method, route, status].join('\0')
}

/** Answers what adds rows to the counters of the table. */
export function createUsageAdding(database: Database): (tx: Handle, rows: readonly UsageRecord[]) => Steps<unknown> {
  const { usage } = database.tables
  const { keyId, period, start, organizationId, method, route, status, ...counters } = getTableColumns(usage)
  const target = [keyId, period, start, organizationId, method, route, status]
  const names = Object.keys(counters) as (keyof typeof counters)[]
  const set = Object.fromEntries(names.map((name) => [name, sql`${counters[name]} + ${excluded(counters[name])}`]))
  const upsert = createBulkInsert(database, usage, (insert) => insert.onConflictDoUpdate({ target, set }))

  function sumOf(one: UsageRecord, other: UsageRecord): UsageRecord {
    return { ...one, ...Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) }
  }

  /** One row for each counter, as PostgreSQL demands of a statement, in an order that racing callers share. */
  function inOrder(rows: readonly UsageRecord[]): readonly UsageRecord[] {
    const byPlace = new Map<string, UsageRecord>()
    for (const row of rows) {
      const place = placeOf(row)
      const other = byPlace.get(place)
      byPlace.set(place, other === undefined ? row : sumOf(other, row))
    }
    return [...byPlace].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }

  return (tx, rows) => upsert(tx, inOrder(rows))
}
