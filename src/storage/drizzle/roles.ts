import { asc, eq } from 'drizzle-orm'
import type { RoleStore } from '../ports/accounts.ts'
import { recordingChanges } from './changes.ts'
import type { Database } from './database.ts'

export function createRoleStore(database: Database): RoleStore {
  const { handle, tables } = database
  const { roles } = tables

  return {
    list() {
      return handle.select().from(roles).orderBy(asc(roles.name))
    },

    async put(role, now) {
      const { name, permissions, inherits } = role
      await recordingChanges(
        database,
        (tx) =>
          tx
            .insert(roles)
            .values(role)
            .onConflictDoUpdate({ target: roles.name, set: { permissions, inherits } })
            .returning({ name: roles.name }),
        { at: now, kind: 'role', subject: name },
      )
    },

    async delete(name, now) {
      const deleted = await recordingChanges(
        database,
        (tx) => tx.delete(roles).where(eq(roles.name, name)).returning({ name: roles.name }),
        { at: now, kind: 'role', subject: name },
      )
      return deleted.length > 0
    },
  }
}
