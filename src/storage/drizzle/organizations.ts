import { and, eq, gt, isNull, or, sql } from 'drizzle-orm'
import type { OrganizationOrder, OrganizationPatch, OrganizationStore } from '../ports/accounts.ts'
import type { OrganizationRecord } from '../records.ts'
import { recordChange } from './changes.ts'
import { type Database, once } from './database.ts'
import { readPage, type Sorts, sortedBy } from './paging.ts'
import { rowsOf } from './transaction.ts'

export function createOrganizationStore(database: Database): OrganizationStore {
  const { handle, tables, transaction } = database
  const { organizations, apiKeys, bearerTokens } = tables

  const byId = once(() =>
    handle
      .select()
      .from(organizations)
      .where(eq(organizations.id, sql.placeholder('id')))
      .prepare(),
  )

  const sorts: Sorts<OrganizationRecord, NonNullable<OrganizationOrder['sort']>> = {
    createdAt: { by: organizations.createdAt, type: 'number', valueOf: ({ createdAt }) => createdAt },
    name: { by: organizations.name, type: 'string', valueOf: ({ name }) => name },
  }

  /** What is to end earlier by a bound on lives, and when. */
  function endEarlier(table: typeof apiKeys | typeof bearerTokens, organizationId: string, lifetime: number) {
    const end = sql<number>`${table.createdAt} + ${lifetime}`
    const isLater = or(isNull(table.expiresAt), gt(table.expiresAt, end))
    return { end, where: and(eq(table.organizationId, organizationId), isNull(table.revokedAt), isLater) }
  }

  return {
    async insert(organization) {
      await handle.insert(organizations).values(organization)
    },

    async find(id) {
      const [organization] = await byId().execute({ id })
      return organization ?? null
    },

    async findByName(name) {
      const [organization] = await handle.select().from(organizations).where(eq(organizations.name, name))
      return organization ?? null
    },

    async count() {
      const [row] = await handle.select({ count: sql`count(*)`.mapWith(Number) }).from(organizations)
      return row?.count ?? 0
    },

    list(order, page) {
      return readPage(page, sortedBy(sorts, order, organizations.id), ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(organizations)
          .where(after)
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async update(id, patch, now) {
      const given: OrganizationPatch = Object.fromEntries(
        Object.entries(patch).filter(([, value]) => value !== undefined),
      )
      if (Object.keys(given).length === 0) return this.find(id)
      const { maxKeyLifetime: lifetime } = given
      return transaction(function* (tx) {
        const [organization] = yield* rowsOf(
          tx.update(organizations).set(given).where(eq(organizations.id, id)).returning(),
        )
        if (organization === undefined) return null
        if (typeof lifetime === 'number') {
          const keys = endEarlier(apiKeys, id, lifetime)
          // Of another expiry nobody was told.
          yield tx.update(apiKeys).set({ expiresAt: keys.end, expiryWarnedAt: null }).where(keys.where)
          const tokens = endEarlier(bearerTokens, id, lifetime)
          yield tx.update(bearerTokens).set({ expiresAt: tokens.end }).where(tokens.where)
        }
        yield* recordChange(database, tx, { at: now, kind: 'organization', subject: id })
        return organization
      })
    },
  }
}
