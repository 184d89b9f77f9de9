import { asc, eq, sql } from 'drizzle-orm'
import type { RoleStore } from '../ports/accounts.ts'
import { inheritsFrom } from '../role-inheritance.ts'
import { recordChange, recordingChanges } from './changes.ts'
import type { Database } from './database.ts'
import type { Handle } from './handle.ts'
import { rowsOf, type Steps } from './transaction.ts'

export function createRoleStore(database: Database): RoleStore {
  const { handle, tables, transaction, dialect } = database
  const { roles } = tables

  /**
   * Lets one caller at a time change what inherits from what. On PostgreSQL two would not see each other's half of a
   * circle; on SQLite the write lock is held.
   */
  function* lockInheritance(tx: Handle): Steps<void> {
    if (dialect === 'sqlite') return
    yield tx
      .select({ locked: sql`pg_advisory_xact_lock(hashtextextended('machine_auth_roles', 0))` })
      .from(sql`(select 1) as one`)
  }

  return {
    list() {
      return handle.select().from(roles).orderBy(asc(roles.name))
    },

    put(role, now) {
      const { name, permissions, inherits } = role
      return transaction(function* (tx) {
        if (inherits.length > 0) {
          yield* lockInheritance(tx)
          const others = yield* rowsOf(tx.select().from(roles))
          if (inherits.some((parent) => inheritsFrom(parent, name, others))) return false
        }
        yield tx.insert(roles).values(role).onConflictDoUpdate({ target: roles.name, set: { permissions, inherits } })
        yield* recordChange(database, tx, { at: now, kind: 'role', subject: name })
        return true
      })
    },

    async delete(name, now) {
      const [deleted] = await recordingChanges(
        database,
        (tx) => tx.delete(roles).where(eq(roles.name, name)).returning(),
        { at: now, kind: 'role', subject: name },
      )
      return deleted ?? null
    },
  }
}
