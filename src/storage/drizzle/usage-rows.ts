import { getTableColumns, sql } from 'drizzle-orm'
import type { UsageRecord } from '../records.ts'
import { chunksOf } from './chunks.ts'
import type { Database } from './database.ts'
import { excluded } from './excluded.ts'
import type { Handle } from './handle.ts'
import type { Steps } from './transaction.ts'

/** Rows of one statement: their values are fewer than the 999 that the oldest SQLite in use takes. */
const ROWS_PER_STATEMENT = 40

/** Names the counter that a row adds to. */
function placeOf({ keyId, period, start, organizationId, method, route, status }: UsageRecord): string {
  return [keyId, period, start, organizationId, method, route, status].join('\0')
}

/** Adds rows to the counters of the table. */
export function createUsageAdding({ tables }: Database): (tx: Handle, rows: readonly UsageRecord[]) => Steps<void> {
  const { usage } = tables
  const { keyId, period, start, organizationId, method, route, status, ...counters } = getTableColumns(usage)
  const target = [keyId, period, start, organizationId, method, route, status]
  const names = Object.keys(counters) as (keyof typeof counters)[]
  const sums = Object.fromEntries(names.map((name) => [name, sql`${counters[name]} + ${excluded(counters[name])}`]))

  /** One row for each counter, since PostgreSQL refuses two in a statement, and in an order that racing callers share. */
  function inOrder(rows: readonly UsageRecord[]): readonly UsageRecord[] {
    const byPlace = new Map<string, UsageRecord>()
    for (const row of rows) {
      const place = placeOf(row)
      const other = byPlace.get(place)
      const added = other && Object.fromEntries(names.map((name) => [name, other[name] + row[name]]))
      byPlace.set(place, { ...row, ...added })
    }
    return [...byPlace].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row)
  }

  return function* add(tx, rows) {
    for (const some of chunksOf(inOrder(rows), ROWS_PER_STATEMENT)) {
      yield tx
        .insert(usage)
        .values([...some])
        .onConflictDoUpdate({ target, set: sums })
    }
  }
}
