import { and, eq, getTableColumns, gt, isNull, notInArray, or, sql } from 'drizzle-orm'
import type { BearerTokenStore } from '../ports/tokens.ts'
import { recordingChanges } from './changes.ts'
import type { Database } from './database.ts'
import { createJoinedSelect } from './joined-rows.ts'
import { newestFirst, readPage } from './paging.ts'
import { textParameter } from './parameters.ts'

export function createBearerTokenStore(database: Database): BearerTokenStore {
  const { handle, tables, clock } = database
  const { bearerTokens, users, organizations } = tables
  const unrevoked = isNull(bearerTokens.revokedAt)

  const columns = {
    token: getTableColumns(bearerTokens),
    user: getTableColumns(users),
    organization: getTableColumns(organizations),
  }
  const withOwner = createJoinedSelect(database, columns, () =>
    handle
      .select(columns)
      .from(bearerTokens)
      .leftJoin(users, eq(users.id, bearerTokens.userId))
      // A token of no organization of its own answers to its user's.
      .leftJoin(
        organizations,
        eq(organizations.id, sql`coalesce(${bearerTokens.organizationId}, ${users.organizationId})`),
      )
      .where(eq(bearerTokens.id, textParameter('id')))
      .prepare(),
  )

  return {
    async insert(token) {
      await handle.insert(bearerTokens).values(token)
    },

    async findWithOwner(id) {
      const [found] = await withOwner({ id })
      return found ?? null
    },

    list(page) {
      return readPage(page, newestFirst(bearerTokens), ({ after, orderBy, limit }) =>
        handle
          .select()
          .from(bearerTokens)
          .where(after)
          .orderBy(...orderBy)
          .limit(limit),
      )
    },

    async revoke(id, reason, now) {
      const [revoked] = await recordingChanges(
        database,
        (tx) =>
          tx
            .update(bearerTokens)
            .set({ revokedAt: now, revokedReason: reason })
            .where(and(eq(bearerTokens.id, id), unrevoked))
            .returning(),
        { at: now, kind: 'token', subject: id },
      )
      return revoked ?? null
    },

    async rehash(id, fromPepper, hash, pepper) {
      const rehashed = await handle
        .update(bearerTokens)
        .set({ hash, pepper })
        .where(and(eq(bearerTokens.id, id), eq(bearerTokens.pepper, fromPepper)))
        .returning({ id: bearerTokens.id })
      return rehashed.length > 0
    },

    async countUnknownPeppers(known) {
      const unexpired = or(isNull(bearerTokens.expiresAt), gt(bearerTokens.expiresAt, clock()))
      const [row] = await handle
        .select({ count: sql`count(*)`.mapWith(Number) })
        .from(bearerTokens)
        .where(and(unrevoked, unexpired, notInArray(bearerTokens.pepper, [...known])))
      return row?.count ?? 0
    },
  }
}
