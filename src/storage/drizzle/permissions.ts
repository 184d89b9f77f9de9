import { asc, eq } from 'drizzle-orm'
import type { PermissionStore } from '../ports/permissions.ts'
import type { Database } from './database.ts'
import { excluded } from './excluded.ts'
import { lockUntilEnd } from './lock.ts'

export function createPermissionStore(database: Database): PermissionStore {
  const { handle, tables, transaction } = database
  const { permissions } = tables

  return {
    list() {
      return handle.select().from(permissions).orderBy(asc(permissions.name))
    },

    async sync(put, remove) {
      const wanted = new Map([
        ...remove.map((name) => [name, null] as const),
        ...put.map((each) => [each.name, each] as const),
      ])
      await transaction(function* (tx) {
        // One would take nothing of what another is about to put, and both would stand.
        yield* lockUntilEnd(database, tx, 'machine_auth_permissions')
        for (const [name, permission] of wanted) {
          if (permission === null) yield tx.delete(permissions).where(eq(permissions.name, name))
          else {
            yield tx
              .insert(permissions)
              .values(permission)
              .onConflictDoUpdate({
                target: permissions.name,
                set: { module: excluded(permissions.module), label: excluded(permissions.label) },
              })
          }
        }
      })
    },
  }
}
