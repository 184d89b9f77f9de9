/** Roles: those of the options, and those stored, with inheritance. */
import type { RoleRecord } from '../storage/records.ts'
import { PermissionSet } from './permission-set.ts'

/** Collects a role and all it inherits; a cycle or an unknown name adds nothing. */
function collect(name: string, table: ReadonlyMap<string, RoleRecord>, seen: Set<string>): readonly string[] {
  if (seen.has(name)) return []
  seen.add(name)
  const role = table.get(name)
  if (role === undefined) return []
  return [...role.permissions, ...role.inherits.flatMap((parent) => collect(parent, table, seen))]
}

/** What each role grants. Replaced as a whole when stored roles change. */
export class RoleRegistry {
  readonly #configured: Readonly<Record<string, readonly string[]>>
  #table: ReadonlyMap<string, RoleRecord>
  #cache = new Map<string, PermissionSet>()

  /** @param configured roles of the options; they win over stored roles of the same name */
  constructor(configured: Readonly<Record<string, readonly string[]>>) {
    this.#configured = configured
    this.#table = this.#tableWith([])
  }

  #tableWith(stored: readonly RoleRecord[]): ReadonlyMap<string, RoleRecord> {
    const table = new Map(stored.map((role) => [role.name, role]))
    for (const [name, permissions] of Object.entries(this.#configured)) {
      table.set(name, { name, permissions, inherits: [] })
    }
    return table
  }

  /** Takes over the stored roles. */
  replaceStored(stored: readonly RoleRecord[]): void {
    this.#table = this.#tableWith(stored)
    this.#cache = new Map()
  }

  has(name: string): boolean {
    return this.#table.has(name)
  }

  /** The permissions of several roles together; unknown roles grant nothing. */
  permissionsOf(roles: readonly string[]): PermissionSet {
    const key = JSON.stringify(roles)
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const granted = new PermissionSet(roles.flatMap((name) => collect(name, this.#table, new Set())))
    // Bounded by forgetting: combinations of roles are few unless someone makes them up.
    if (this.#cache.size >= 1000) this.#cache.clear()
    this.#cache.set(key, granted)
    return granted
  }
}
