import { and, eq } from 'drizzle-orm'
import type { AuditStore } from '../ports/audit.ts'
import type { AuditRecord } from '../records.ts'
import type { Database } from './database.ts'
import { type Keyset, readPage } from './paging.ts'

export function createAuditStore({ handle, tables }: Database): AuditStore {
  const { audit } = tables
  const newestFirst: Keyset<AuditRecord> = {
    name: 'at',
    order: 'desc',
    by: audit.at,
    type: 'number',
    id: audit.id,
    valueOf: (event) => event.at,
    idOf: (event) => event.id,
  }

  return {
    async append(event) {
      await handle.insert(audit).values(event)
    },

    list({ action }, page) {
      return readPage(page, newestFirst, ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(audit)
          .where(and(action === undefined ? undefined : eq(audit.action, action), after))
          .orderBy(...orderBy)
          .limit(limit),
      )
    },
  }
}
