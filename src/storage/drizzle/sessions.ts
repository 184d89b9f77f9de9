import { and, desc, eq, getTableColumns, gt, lt, sql } from 'drizzle-orm'
import type { SessionStore } from '../ports/sessions.ts'
import { createInsert } from './bulk-insert.ts'
import { recordingChanges } from './changes.ts'
import { type Database, once } from './database.ts'
import { createJoinedSelect } from './joined-rows.ts'
import { textParameter } from './parameters.ts'

export function createSessionStore(database: Database): SessionStore {
  const { handle, tables, clock } = database
  const { sessions, users, organizations } = tables

  const columns = {
    session: getTableColumns(sessions),
    user: getTableColumns(users),
    organization: getTableColumns(organizations),
  }
  const withUser = createJoinedSelect(database, columns, () =>
    handle
      .select(columns)
      .from(sessions)
      .leftJoin(users, eq(users.id, sessions.userId))
      .leftJoin(organizations, eq(organizations.id, users.organizationId))
      .where(eq(sessions.hash, textParameter('hash')))
      .prepare(),
  )
  const exists = once(() =>
    handle
      .select({ id: sessions.id })
      .from(sessions)
      .where(eq(sessions.id, sql.placeholder('id')))
      .prepare(),
  )
  const touch = once(() =>
    handle
      .update(sessions)
      .set({ lastSeenAt: sql`${sql.placeholder('at')}` })
      .where(and(eq(sessions.id, sql.placeholder('id')), lt(sessions.lastSeenAt, sql.placeholder('at'))))
      .prepare(),
  )

  return {
    insert: createInsert(database, sessions),

    async findByHash(hash) {
      const [found] = await withUser({ hash })
      return found ?? null
    },

    async exists(id) {
      const found = await exists().execute({ id })
      return found.length > 0
    },

    listByUser(userId, now) {
      return handle
        .select()
        .from(sessions)
        .where(and(eq(sessions.userId, userId), gt(sessions.expiresAt, now)))
        .orderBy(desc(sessions.createdAt), desc(sessions.id))
    },

    async touch(id, at) {
      await touch().execute({ id, at })
    },

    async delete(id, userId) {
      const own = userId === undefined ? undefined : eq(sessions.userId, userId)
      const [ended] = await recordingChanges(
        database,
        (tx) =>
          tx
            .delete(sessions)
            .where(and(eq(sessions.id, id), own))
            .returning(),
        { at: clock(), kind: 'session', subject: id },
      )
      return ended ?? null
    },

    async deleteByUser(userId, now) {
      const ended = await recordingChanges(
        database,
        (tx) => tx.delete(sessions).where(eq(sessions.userId, userId)).returning({ id: sessions.id }),
        { at: now, kind: 'user', subject: userId },
      )
      return ended.length
    },

    async purge(before) {
      // No change is recorded: an expired session opens nothing, so nobody has to forget it.
      const purged = await handle.delete(sessions).where(lt(sessions.expiresAt, before)).returning({ id: sessions.id })
      return purged.length
    },
  }
}
