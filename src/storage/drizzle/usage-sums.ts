import { and, asc, desc, eq, getTableColumns, gte, lt, or, type SQL, sql } from 'drizzle-orm'
import { DAY } from '../../lib/time-units.ts'
import { ALL_KEYS, type KeyUsageQuery, type UsageStore } from '../ports/usage.ts'
import { createBusiestKeys } from './busiest-keys.ts'
import type { Database } from './database.ts'

const MAX_ENDPOINTS = 200

/** The verbs of `UsageStore` that add up what was counted. */
export function createUsageSums(database: Database): Pick<UsageStore, 'sumsOfKey' | 'overall' | 'busiestKeys'> {
  const { handle, tables } = database
  const { usage } = tables
  const { keyId, period, start, method, route, status } = usage
  const columns = getTableColumns(usage)
  // PostgreSQL's sums of integers are decimals, which drivers answer as text.
  const sum = (value: SQL | (typeof columns)[keyof typeof columns]) => sql`sum(${value})`.mapWith(Number)
  const requests = sum(usage.requests)
  const errors = sum(sql`case when ${status} >= 400 then ${usage.requests} else 0 end`)
  const latencies = {
    latency0: sum(usage.latency0),
    latency1: sum(usage.latency1),
    latency2: sum(usage.latency2),
    latency3: sum(usage.latency3),
    latency4: sum(usage.latency4),
    latency5: sum(usage.latency5),
    latency6: sum(usage.latency6),
    latency7: sum(usage.latency7),
    latency8: sum(usage.latency8),
    latency9: sum(usage.latency9),
    latency10: sum(usage.latency10),
    latency11: sum(usage.latency11),
  }

  function isWithin(id: string, name: KeyUsageQuery['period'], from: number, to: number): SQL | undefined {
    return and(eq(keyId, id), eq(period, name), gte(start, from), lt(start, to))
  }

  /** Rows in which each request of a time is once: whole days by the day, of which there are fewer, the rest by the hour. */
  function isCounted({ keyId: id, period: name, from, to }: KeyUsageQuery): SQL | undefined {
    const firstDay = Math.ceil(from / DAY) * DAY
    const endOfDays = Math.floor(to / DAY) * DAY
    if (name === 'day' || firstDay >= endOfDays) return isWithin(id, name, from, to)
    return or(
      isWithin(id, 'hour', from, firstDay),
      isWithin(id, 'day', firstDay, endOfDays),
      isWithin(id, 'hour', endOfDays, to),
    )
  }

  return {
    async sumsOfKey(query) {
      const counted = isCounted(query)
      const inSeries = isWithin(query.keyId, query.period, query.from, query.to)
      const [byStatus, endpoints, series] = await Promise.all([
        handle
          .select({ status, requests, duration: sum(usage.duration), ...latencies })
          .from(usage)
          .where(counted)
          .groupBy(status)
          .orderBy(asc(status)),
        handle
          .select({ method, route, requests })
          .from(usage)
          .where(counted)
          .groupBy(method, route)
          .orderBy(desc(requests), asc(method), asc(route))
          .limit(MAX_ENDPOINTS),
        handle.select({ start, requests, errors }).from(usage).where(inSeries).groupBy(start).orderBy(asc(start)),
      ])
      const names = Object.keys(latencies) as (keyof typeof latencies)[]
      return {
        statuses: byStatus.map((row) => ({ status: row.status, requests: row.requests })),
        endpoints,
        series,
        latencies: names.map((latency) => byStatus.reduce((all, row) => all + row[latency], 0)),
        duration: byStatus.reduce((all, row) => all + row.duration, 0),
      }
    },

    overall(name, from) {
      return handle
        .select({ start, status, requests: usage.requests })
        .from(usage)
        .where(and(eq(keyId, ALL_KEYS), eq(period, name), gte(start, from)))
        .orderBy(asc(start), asc(status))
    },

    busiestKeys: createBusiestKeys(database),
  }
}
