import { asc, eq } from 'drizzle-orm'
import type { RoleStore } from '../ports/accounts.ts'
import { inheritsFrom } from '../role-inheritance.ts'
import { recordChange, recordingChanges } from './changes.ts'
import type { Database } from './database.ts'
import { lockUntilEnd } from './lock.ts'
import { rowsOf } from './transaction.ts'

export function createRoleStore(database: Database): RoleStore {
  const { handle, tables, transaction } = database
  const { roles } = tables

  return {
    list() {
      return handle.select().from(roles).orderBy(asc(roles.name))
    },

    put(role, now) {
      const { name, permissions, inherits } = role
      return transaction(function* (tx) {
        if (inherits.length > 0) {
          // Two would not see each other's half of a circle.
          yield* lockUntilEnd(database, tx, 'machine_auth_roles')
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
