import { and, eq, getTableColumns, isNull, lt, sql } from 'drizzle-orm'
import type { RefreshFamilyStore } from '../ports/tokens.ts'
import { createInsert } from './bulk-insert.ts'
import { recordingChanges } from './changes.ts'
import { type Database, once } from './database.ts'
import { createJoinedSelect } from './joined-rows.ts'
import { textParameter } from './parameters.ts'

export function createRefreshFamilyStore(database: Database): RefreshFamilyStore {
  const { handle, tables } = database
  const { refreshFamilies, users, organizations } = tables
  const live = isNull(refreshFamilies.revokedAt)

  const columns = {
    family: getTableColumns(refreshFamilies),
    user: getTableColumns(users),
    organization: getTableColumns(organizations),
  }
  const withUser = createJoinedSelect(database, columns, () =>
    handle
      .select(columns)
      .from(refreshFamilies)
      .leftJoin(users, eq(users.id, refreshFamilies.userId))
      .leftJoin(organizations, eq(organizations.id, users.organizationId))
      .where(eq(refreshFamilies.id, textParameter('id')))
      .prepare(),
  )
  const rotate = once(() =>
    handle
      .update(refreshFamilies)
      .set({
        sequence: sql`${refreshFamilies.sequence} + 1`,
        rotatedAt: sql`${sql.placeholder('now')}`,
        expiresAt: sql`${sql.placeholder('expiresAt')}`,
      })
      .where(
        and(
          eq(refreshFamilies.id, sql.placeholder('id')),
          eq(refreshFamilies.sequence, sql.placeholder('fromSequence')),
          live,
        ),
      )
      .returning()
      .prepare(),
  )

  return {
    insert: createInsert(database, refreshFamilies),

    async find(id) {
      const [found] = await withUser({ id })
      return found ?? null
    },

    async rotate(id, fromSequence, now, expiresAt) {
      const [rotated] = await rotate().execute({ id, fromSequence, now, expiresAt })
      return rotated ?? null
    },

    async revoke(id, reason, now) {
      const revoked = await recordingChanges(
        database,
        (tx) =>
          tx
            .update(refreshFamilies)
            .set({ revokedAt: now, revokedReason: reason })
            .where(and(eq(refreshFamilies.id, id), live))
            .returning({ id: refreshFamilies.id }),
        { at: now, kind: 'family', subject: id },
      )
      return revoked.length > 0
    },

    async revokeByUser(userId, reason, now) {
      const revoked = await recordingChanges(
        database,
        (tx) =>
          tx
            .update(refreshFamilies)
            .set({ revokedAt: now, revokedReason: reason })
            .where(and(eq(refreshFamilies.userId, userId), live))
            .returning({ id: refreshFamilies.id }),
        { at: now, kind: 'user', subject: userId },
      )
      return revoked.length
    },

    async purge(before) {
      // No change is recorded: an expired family opens nothing, so nobody has to forget it.
      const purged = await handle
        .delete(refreshFamilies)
        .where(lt(refreshFamilies.expiresAt, before))
        .returning({ id: refreshFamilies.id })
      return purged.length
    },
  }
}
