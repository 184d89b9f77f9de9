/** How the stored registry of permissions differs from what code declares. */
import type { PermissionRecord } from '../storage/records.ts'
import type { PermissionEntry } from './registry.ts'

export interface PermissionChanges {
  readonly created: readonly { readonly name: string; readonly label: string }[]
  /** Another label, or another module. */
  readonly changed: readonly { readonly name: string; readonly from: string; readonly to: string }[]
  readonly removed: readonly { readonly name: string; readonly label: string }[]
}

export function changesOf(
  declared: readonly PermissionEntry[],
  stored: readonly PermissionRecord[],
): PermissionChanges {
  const known = new Map(stored.map((each) => [each.name, each]))
  const names = new Set(declared.map(({ name }) => name))
  return {
    created: declared.filter(({ name }) => !known.has(name)).map(({ name, label }) => ({ name, label })),
    changed: declared.flatMap(({ name, label, module }) => {
      const old = known.get(name)
      const isSame = old === undefined || (old.label === label && old.module === module)
      return isSame ? [] : [{ name, from: old.label, to: label }]
    }),
    removed: stored.filter(({ name }) => !names.has(name)).map(({ name, label }) => ({ name, label })),
  }
}
