import { asc, inArray } from 'drizzle-orm'
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
      await transaction(function* (tx) {
        for (const permission of put) {
          yield tx
            .insert(permissions)
            .values(permission)
            .onConflictDoUpdate({
              target: permissions.name,
              set: { module: excluded(permissions.module), label: excluded(permissions.label) },
            })
        }
        if (remove.length > 0) yield tx.delete(permissions).where(inArray(permissions.name, [...remove]))
      })
    },
  }
}
