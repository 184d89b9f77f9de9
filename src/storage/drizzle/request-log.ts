import { and, eq, gte, lt } from 'drizzle-orm'
import type { RequestLogStore } from '../ports/request-log.ts'
import type { RequestLogRecord } from '../records.ts'
import { createBoundedDelete } from './bounded-delete.ts'
import { chunksOf } from './chunks.ts'
import type { Database } from './database.ts'
import { type Keyset, readPage } from './paging.ts'

const ENTRIES_PER_STATEMENT = 40

export function createRequestLogStore(database: Database): RequestLogStore {
  const { handle, tables, transaction } = database
  const { requestLog } = tables
  const deleteSome = createBoundedDelete(database)
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
        for (const some of chunksOf(entries, ENTRIES_PER_STATEMENT)) {
          yield tx
            .insert(requestLog)
            .values([...some])
            .onConflictDoNothing()
        }
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

    purge: (before, limit) => deleteSome(requestLog, lt(requestLog.at, before), limit),
  }
}
