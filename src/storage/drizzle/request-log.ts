import { and, eq, gte, lt } from 'drizzle-orm'
import type { RequestLogStore } from '../ports/request-log.ts'
import type { RequestLogRecord } from '../records.ts'
import { createBoundedDelete } from './bounded-delete.ts'
import { createBulkInsert } from './bulk-insert.ts'
import type { Database } from './database.ts'
import { type Keyset, readPage } from './paging.ts'

/** Without what PostgreSQL cannot store in text: one such entry would keep all others of its batch out, for ever. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return value.toWellFormed().replaceAll('\0', '\ufffd')
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [storable(name), storable(member)]))
}

export function createRequestLogStore(database: Database): RequestLogStore {
  const { handle, tables, transaction } = database
  const { requestLog } = tables
  const deleteSome = createBoundedDelete(database)
  const insert = createBulkInsert(database, requestLog, (rows) => rows.onConflictDoNothing())
  const newestFirst: Keyset<RequestLogRecord> = {
    name: 'at',
    order: 'desc',
    by: requestLog.at,
    type: 'number',
    id: requestLog.id,
    valueOf: (entry) => entry.at,
    idOf: (entry) => entry.id,
  }

  return {
    append(entries) {
      return transaction(function* (tx) {
        // Of the same shape.
        yield* insert(tx, entries.map(storable) as RequestLogRecord[])
      })
    },

    list({ requestId, keyId, userId, organizationId, method, route, status, from, to }, page) {
      const conditions = [
        requestId === undefined ? undefined : eq(requestLog.requestId, requestId),
        keyId === undefined ? undefined : eq(requestLog.keyId, keyId),
        userId === undefined ? undefined : eq(requestLog.userId, userId),
        organizationId === undefined ? undefined : eq(requestLog.organizationId, organizationId),
        method === undefined ? undefined : eq(requestLog.method, method),
        route === undefined ? undefined : eq(requestLog.route, route),
        status === undefined ? undefined : eq(requestLog.status, status),
        from === undefined ? undefined : gte(requestLog.at, from),
        to === undefined ? undefined : lt(requestLog.at, to),
      ]
      return readPage(page, newestFirst, ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(requestLog)
          .where(and(...conditions, after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    purge: (before, limit) => deleteSome(requestLog, requestLog.at, lt(requestLog.at, before), limit),
  }
}
