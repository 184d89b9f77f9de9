/** What the requests of one key came to. */
import { and, asc, eq, gte, lt, or, type SQL, sql } from 'drizzle-orm'
import { DAY } from '../../lib/time-units.ts'
import type { KeyUsageQuery, UsageStore } from '../ports/usage.ts'
import type { Database } from './database.ts'
import { firstOf } from './first-of.ts'
import {
  addStatus,
  createKeySumQueries,
  type Endpoint,
  type Point,
  type StatusSums,
  toKeyUsageSums,
} from './key-sum-queries.ts'
import { createTurns } from './turns.ts'

const MOST_ENDPOINTS = 200

/** Rows that are read in a row: 1 to 2 ms on SQLite, where nobody else has a turn meanwhile. */
const PART = 500

/** Spans in which each request of a time is once: whole days by the day, of which there are fewer, the rest by the hour. */
function spansOf(query: KeyUsageQuery): readonly KeyUsageQuery[] {
  const { period, from, to } = query
  const firstDay = Math.ceil(from / DAY) * DAY
  const endOfDays = Math.floor(to / DAY) * DAY
  if (period === 'day' || firstDay >= endOfDays) return [query]
  return [
    { ...query, to: firstDay },
    { ...query, period: 'day', from: firstDay, to: endOfDays },
    { ...query, from: endOfDays },
  ]
}

function isMoreUsed(one: Endpoint, other: Endpoint): boolean {
  if (one.requests !== other.requests) return one.requests > other.requests
  return one.method < other.method || (one.method === other.method && one.route < other.route)
}

/** Rows of which there is one for each name. */
class Sums<Row> {
  readonly #rows = new Map<string | number, Row>()
  readonly #nameOf: (row: Row) => string | number
  readonly #add: (one: Row, other: Row) => Row

  constructor(nameOf: (row: Row) => string | number, add: (one: Row, other: Row) => Row) {
    this.#nameOf = nameOf
    this.#add = add
  }

  add(rows: readonly Row[]): void {
    for (const row of rows) {
      const name = this.#nameOf(row)
      const sum = this.#rows.get(name)
      this.#rows.set(name, sum === undefined ? row : this.#add(sum, row))
    }
  }

  get rows(): Iterable<Row> {
    return this.#rows.values()
  }
}

function createSums() {
  return {
    statuses: new Sums<StatusSums>(({ status }) => status, addStatus),
    endpoints: new Sums<Endpoint>(
      ({ method, route }) => `${method} ${route}`,
      (one, other) => ({ ...one, requests: one.requests + other.requests }),
    ),
    series: new Sums<Point>(
      ({ start }) => start,
      (one, { requests, errors }) => ({
        ...one,
        requests: one.requests + requests,
        errors: one.errors + errors,
      }),
    ),
  }
}

export function createKeySums(database: Database): UsageStore['sumsOfKey'] {
  const { handle, tables, dialect } = database
  const { usage } = tables
  const { isOf, byStatus, byEndpoint, byStart } = createKeySumQueries(database)
  const turns = createTurns(database)
  /** With key and period, which are the same in a span, the primary key: so its index has the rows in this order. */
  const { start, organizationId, method, route, status } = usage
  const place = [start, organizationId, method, route, status]
  const placed = sql`(${sql.join(place, sql`, `)})`

  async function readAtOnce(query: KeyUsageQuery) {
    const counted = or(...spansOf(query).map(isOf))
    const [statuses, endpoints, series] = await Promise.all([
      byStatus(counted),
      byEndpoint(counted).limit(MOST_ENDPOINTS),
      byStart(isOf(query)),
    ])
    return toKeyUsageSums(statuses, endpoints, series)
  }

  /** The place of the last row of a part that is full. */
  async function endOf(rows: SQL | undefined): Promise<SQL | undefined> {
    const [end] = await handle
      .select({ start, organizationId, method, route, status })
      .from(usage)
      .where(rows)
      .orderBy(...place.map((column) => asc(column)))
      .limit(1)
      .offset(PART - 1)
    return end && sql`(${end.start}, ${end.organizationId}, ${end.method}, ${end.route}, ${end.status})`
  }

  /**
   * Has the rows of a span read, some at a time. With one bound on each side, since of two SQLite may take the one that
   * is no help.
   */
  async function inParts(span: KeyUsageQuery, read: (rows: SQL | undefined) => Promise<void>): Promise<void> {
    let lower = gte(start, span.from)
    for (let isLast = false; !isLast; ) {
      const end = await turns(async () => {
        const isOfKey = and(eq(usage.keyId, span.keyId), eq(usage.period, span.period), lower)
        const found = await endOf(and(isOfKey, lt(start, span.to)))
        await read(and(isOfKey, found === undefined ? lt(start, span.to) : sql`${placed} <= ${found}`))
        return found
      })
      isLast = end === undefined
      lower = sql`${placed} > ${end}`
    }
  }

  async function readInParts(query: KeyUsageQuery) {
    const { statuses, endpoints, series } = createSums()
    for (const span of spansOf(query)) {
      await inParts(span, async (rows) => {
        statuses.add(await byStatus(rows))
        endpoints.add(await byEndpoint(rows))
      })
    }
    await inParts(query, async (rows) => series.add(await byStart(rows)))
    return toKeyUsageSums(
      [...statuses.rows].sort((one, other) => one.status - other.status),
      firstOf(endpoints.rows, MOST_ENDPOINTS, isMoreUsed),
      [...series.rows].sort((one, other) => one.start - other.start),
    )
  }

  return dialect === 'sqlite' ? readInParts : readAtOnce
}
