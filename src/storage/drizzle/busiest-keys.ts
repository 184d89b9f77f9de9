import { and, asc, desc, eq, gte, notInArray, sql } from 'drizzle-orm'
import { breathe } from '../../lib/breathe.ts'
import { ALL_KEYS, NO_KEY, type UsageStore } from '../ports/usage.ts'
import type { Database } from './database.ts'
import { firstOf } from './first-of.ts'

/** Rows that are read in a row: some milliseconds on SQLite, where nobody else has a turn meanwhile. */
const PART = 2000

interface Sums {
  readonly keyId: string
  requests: number
  errors: number
}

function isBusier(one: Sums, other: Sums): boolean {
  return one.requests > other.requests || (one.requests === other.requests && one.keyId < other.keyId)
}

export function createBusiestKeys({ handle, tables, dialect }: Database): UsageStore['busiestKeys'] {
  const { usage } = tables
  const { keyId, period, start, status } = usage
  const isDay = eq(period, 'day')
  const isKey = notInArray(keyId, [ALL_KEYS, NO_KEY])
  const place = sql.raw('rowid')

  function readAtOnce(from: number, limit: number) {
    const requests = sql`sum(${usage.requests})`.mapWith(Number)
    const errors = sql`sum(case when ${status} >= 400 then ${usage.requests} else 0 end)`.mapWith(Number)
    return handle
      .select({ keyId, requests, errors })
      .from(usage)
      .where(and(isDay, gte(start, from), isKey))
      .groupBy(keyId)
      .orderBy(desc(requests), asc(keyId))
      .limit(limit)
  }

  async function findDay(from: number): Promise<number | null> {
    const [found] = await handle
      .select({ start })
      .from(usage)
      .where(and(isDay, gte(start, from)))
      .orderBy(asc(start))
      .limit(1)
    return found?.start ?? null
  }

  /** In the order of the index on period and start, which has the place of each row behind them. */
  async function* rowsOf(day: number) {
    for (let after = 0, isLast = false; !isLast; ) {
      const rows = await handle
        .select({ keyId, status, requests: usage.requests, place: sql`${place}`.mapWith(Number) })
        .from(usage)
        .where(and(isDay, eq(start, day), sql`${place} > ${after}`))
        .orderBy(place)
        .limit(PART)
      yield rows
      isLast = rows.length < PART
      after = rows.at(-1)?.place ?? after
      await breathe()
    }
  }

  async function readInParts(from: number, limit: number) {
    const byKey = new Map<string, Sums>()
    for (let day = await findDay(from); day !== null; day = await findDay(day + 1)) {
      for await (const rows of rowsOf(day)) {
        for (const row of rows) {
          if (row.keyId === ALL_KEYS || row.keyId === NO_KEY) continue
          let sums = byKey.get(row.keyId)
          if (sums === undefined) {
            sums = { keyId: row.keyId, requests: 0, errors: 0 }
            byKey.set(row.keyId, sums)
          }
          sums.requests += row.requests
          if (row.status >= 400) sums.errors += row.requests
        }
      }
    }
    return firstOf(byKey.values(), limit, isBusier)
  }

  return dialect === 'sqlite' ? readInParts : readAtOnce
}
