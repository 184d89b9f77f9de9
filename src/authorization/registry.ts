/** Every permission name that a route, key or role may mention. */
import type { ModuleDefinition } from '../options/types.ts'
import { permissionsOfModule } from './modules.ts'
import { OWN_PERMISSIONS } from './own-permissions.ts'

/** A declared permission. */
export interface PermissionEntry {
  readonly name: string
  /** Null for one that belongs to no module. */
  readonly module: string | null
  /** What people call it. */
  readonly label: string
  /** Where it is declared: a module, the options `permissions` and `roles`, or this library. */
  readonly source: 'module' | 'options' | 'library'
}

/** What of the options names permissions. */
export interface DeclaredPermissions {
  readonly modules: Readonly<Record<string, ModuleDefinition>>
  readonly permissions: readonly string[]
  readonly roles: Readonly<Record<string, readonly string[]>>
  readonly apiKeys?: { readonly defaultPermissions: readonly string[] }
}

/** `billing.invoices` becomes `Billing invoices`. */
function titleOf(name: string): string {
  const words = name.replaceAll(/[._-]+/g, ' ').trim()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function entriesOf({ modules, permissions, roles, apiKeys }: DeclaredPermissions): readonly PermissionEntry[] {
  // What the options give to a role, or to new keys, they declare.
  const granted = [...Object.values(roles).flat(), ...(apiKeys?.defaultPermissions ?? [])].filter(
    (name) => !name.endsWith('*'),
  )
  return [
    ...[...granted, ...permissions].map((name) => ({
      name,
      module: null,
      label: titleOf(name),
      source: 'options' as const,
    })),
    ...OWN_PERMISSIONS.map((each) => ({ ...each, source: 'library' as const })),
    ...Object.entries(modules).flatMap(([module, definition]) =>
      permissionsOfModule(module, definition).map(({ name, purpose }) => ({
        name,
        module,
        label: `${definition.label ?? titleOf(module)}: ${purpose}`,
        source: 'module' as const,
      })),
    ),
  ]
}

/** The names known to one core: its modules', its own, those of the options, and those its roles grant. */
export class PermissionRegistry {
  readonly #modules: Readonly<Record<string, ModuleDefinition>>
  readonly #entries: ReadonlyMap<string, PermissionEntry>

  constructor(declared: DeclaredPermissions) {
    this.#modules = declared.modules
    // Of a name that is declared twice, the module's label says most.
    this.#entries = new Map(entriesOf(declared).map((entry) => [entry.name, Object.freeze(entry)]))
  }

  hasModule(name: string): boolean {
    return Object.hasOwn(this.#modules, name)
  }

  /** Whether a name is declared, or a wildcard covers at least one declared name. */
  has(name: string): boolean {
    if (name === '*' || this.#entries.has(name)) return true
    if (!name.endsWith('.*')) return false
    const stem = name.slice(0, -1)
    for (const known of this.#entries.keys()) if (known.startsWith(stem)) return true
    return false
  }

  /** By name. */
  list(): readonly PermissionEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}
