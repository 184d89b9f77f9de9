import { and, asc, desc, eq, getTableColumns, gte, lt, type SQL, sql } from 'drizzle-orm'
import type { KeyUsageQuery, KeyUsageSums } from '../ports/usage.ts'
import type { Database } from './database.ts'

const LATENCIES = [
  ...(['latency0', 'latency1', 'latency2', 'latency3', 'latency4', 'latency5'] as const),
  ...(['latency6', 'latency7', 'latency8', 'latency9', 'latency10', 'latency11'] as const),
]
const COUNTERS = ['requests', 'duration', ...LATENCIES] as const

/** What the requests of one status came to. */
export type StatusSums = { readonly status: number } & Readonly<Record<(typeof COUNTERS)[number], number>>
export type Endpoint = KeyUsageSums['endpoints'][number]
export type Point = KeyUsageSums['series'][number]

export function addStatus(one: StatusSums, other: StatusSums): StatusSums {
  return { ...one, ...Object.fromEntries(COUNTERS.map((name) => [name, one[name] + other[name]])) }
}

export function toKeyUsageSums(
  statuses: readonly StatusSums[],
  endpoints: readonly Endpoint[],
  series: readonly Point[],
): KeyUsageSums {
  const sumOf = (name: (typeof COUNTERS)[number]) => statuses.reduce((all, row) => all + row[name], 0)
  return {
    statuses: statuses.map(({ status, requests }) => ({ status, requests })),
    endpoints,
    series,
    latencies: LATENCIES.map(sumOf),
    duration: sumOf('duration'),
  }
}

/** The statements by which counters of one key are added up. */
export function createKeySumQueries({ handle, tables }: Database) {
  const { usage } = tables
  const { keyId, period, start, method, route, status } = usage
  const columns = getTableColumns(usage)
  // PostgreSQL's sums of integers are decimals, which drivers answer as text.
  const sum = (value: SQL | (typeof columns)[keyof typeof columns]) => sql`sum(${value})`.mapWith(Number)
  const requests = sum(usage.requests)
  const errors = sum(sql`case when ${status} >= 400 then ${usage.requests} else 0 end`)
  // One for each counter, which `Object.fromEntries` cannot say.
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, sum(columns[name])])) as Record<
    (typeof COUNTERS)[number],
    typeof requests
  >

  return {
    isOf: (query: KeyUsageQuery): SQL | undefined =>
      and(eq(keyId, query.keyId), eq(period, query.period), gte(start, query.from), lt(start, query.to)),

    byStatus: (rows: SQL | undefined) =>
      handle
        .select({ status, ...counters })
        .from(usage)
        .where(rows)
        .groupBy(status)
        .orderBy(asc(status)),

    byEndpoint: (rows: SQL | undefined) =>
      handle
        .select({ method, route, requests })
        .from(usage)
        .where(rows)
        .groupBy(method, route)
        .orderBy(desc(requests), asc(method), asc(route)),

    byStart: (rows: SQL | undefined) =>
      handle.select({ start, requests, errors }).from(usage).where(rows).groupBy(start).orderBy(asc(start)),
  }
}
