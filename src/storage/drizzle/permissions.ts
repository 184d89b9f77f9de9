import { asc, eq } from 'drizzle-orm'
import type { PermissionStore } from '../ports/permissions.ts'
import type { Database } from './database.ts'
import { excluded } from './excluded.ts'

export function createPermissionStore({ handle, tables, transaction }: Database): PermissionStore {
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
      // In one order: processes that start at once would wait for each other's rows in a circle.
      const inOrder = [...wanted].toSorted(([one], [other]) => (one < other ? -1 : 1))
      await transaction(function* (tx) {
        for (const [name, permission] of inOrder) {
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
