import type { PermissionRecord } from '../records.ts'

export interface PermissionStore {
  /** By name. */
  list(): Promise<readonly PermissionRecord[]>
  /** Inserts or relabels `put` (which keep their `createdAt`) and deletes `remove`, in one transaction. */
  sync(put: readonly PermissionRecord[], remove: readonly string[]): Promise<void>
}
