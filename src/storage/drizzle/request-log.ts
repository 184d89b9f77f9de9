import { and, type Column, gte, lt, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { RequestLogFilter, RequestLogStore } from '../ports/request-log.ts'
import type { RequestLogRecord } from '../records.ts'
import { createBoundedDelete } from './bounded-delete.ts'
import { createBulkInsert } from './bulk-insert.ts'
import type { Database } from './database.ts'
import { type Keyset, readPage, type Slice } from './paging.ts'
import { scanPage } from './scan.ts'
import { createTurns } from './turns.ts'

/** What is equal to what is asked for: first those that have an index, of few entries before one of many. */
const FILTERS = ['requestId', 'keyId', 'userId', 'organizationId', 'method', 'route', 'status'] as const
const INDEXED: ReadonlySet<(typeof FILTERS)[number]> = new Set(['requestId', 'keyId', 'userId', 'organizationId'])

/** Without what PostgreSQL cannot store in text: one such entry would keep all others of its batch out, for ever. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [storable(name), storable(member)]))
}

export function createRequestLogStore(database: Database): RequestLogStore {
  const { handle, tables, transaction } = database
  const { requestLog } = tables
  const { id, at } = requestLog
  const turns = createTurns(database)
  /** Of two indexes SQLite, which knows nothing of what is in them, takes the wrong one at times: a sign hides one. */
  const unindexed = (column: Column) => (database.dialect === 'sqlite' ? sql`+${column}` : sql`${column}`)
  const deleteSome = createBoundedDelete(database)
  const insert = createBulkInsert(database, requestLog, (rows) => rows.onConflictDoNothing())
  const newestFirst: Keyset<RequestLogRecord> = {
    name: 'at',
    order: 'desc',
    by: at,
    type: 'number',
    id,
    valueOf: (entry) => entry.at,
    idOf: (entry) => entry.id,
  }

  /** The condition whose index is read, and those that no index helps with. */
  function conditionsOf(filter: RequestLogFilter): { readonly led: SQL | undefined; readonly others: readonly SQL[] } {
    const [first, ...rest] = FILTERS.filter((name) => filter[name] !== undefined)
    if (first === undefined) return { led: undefined, others: [] }
    const equals = (name: (typeof FILTERS)[number], column: SQLWrapper) => sql`${column} = ${filter[name]}`
    const isLed = INDEXED.has(first)
    return {
      led: isLed ? equals(first, requestLog[first]) : undefined,
      others: (isLed ? rest : [first, ...rest]).map((name) => equals(name, unindexed(requestLog[name]))),
    }
  }

  return {
    append(entries) {
      return transaction(function* (tx) {
        // Of the same shape.
        yield* insert(tx, entries.map(storable) as RequestLogRecord[])
      })
    },

    list(filter, page) {
      const { from, to } = filter
      const { led, others } = conditionsOf(filter)
      const listed = and(led, from === undefined ? undefined : gte(at, from), to === undefined ? undefined : lt(at, to))
      const read = ({ after, orderBy, limit }: Slice) =>
        handle
          .select()
          .from(requestLog)
          .where(and(listed, ...others, after))
          .orderBy(...orderBy)
          .limit(limit)
      if (others.length === 0) return readPage(page, newestFirst, read)
      return scanPage(page, newestFirst, {
        turns,
        read,
        places: ({ after, orderBy, limit, offset }) =>
          handle
            .select({ v: at, i: id })
            .from(requestLog)
            .where(and(listed, after))
            .orderBy(...orderBy)
            .limit(limit)
            .offset(offset),
      })
    },

    purge: (before, limit) => deleteSome(requestLog, requestLog.at, lt(requestLog.at, before), limit),
  }
}
