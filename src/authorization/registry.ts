/** Every permission name that a route, key or role may mention. */
import type { CrudVerb, HttpVerb, ModuleDefinition } from '../options/types.ts'
import { PLATFORM_ADMIN } from './permission-set.ts'

/** The permissions of the management endpoints. */
const OWN_RESOURCES: Readonly<Record<string, readonly string[]>> = {
  keys: ['view', 'create', 'update', 'delete', 'verify'],
  blocks: ['view', 'create', 'delete'],
}

const CRUD_OF_METHOD: ReadonlyMap<string, CrudVerb> = new Map(
  Object.entries({
    GET: 'view',
    HEAD: 'view',
    POST: 'create',
    PUT: 'update',
    PATCH: 'update',
    DELETE: 'delete',
  } as const),
)

const VERB_OF_METHOD: ReadonlyMap<string, HttpVerb> = new Map(
  Object.entries({
    GET: 'get',
    HEAD: 'get',
    POST: 'post',
    PUT: 'put',
    PATCH: 'patch',
    DELETE: 'delete',
  } as const),
)

/** A module and perhaps an action, as `requireModule` names them. */
export interface ModuleRequirement {
  readonly module: string
  readonly action?: string
}

/** The permission a method needs on a module (CONTRACT: module permissions); null for a method that has none. */
export function modulePermission(requirement: ModuleRequirement, method: string): string | null {
  if (requirement.action === undefined) {
    const verb = CRUD_OF_METHOD.get(method)
    return verb === undefined ? null : `${requirement.module}.${verb}`
  }
  const verb = VERB_OF_METHOD.get(method)
  return verb === undefined ? null : `${requirement.module}.${requirement.action}.${verb}`
}

const ALL_CRUD: readonly CrudVerb[] = ['view', 'create', 'update', 'delete']

/** All permissions a module declares; a module that lists neither crud nor actions has all four crud verbs. */
export function permissionsOfModule(name: string, definition: ModuleDefinition): readonly string[] {
  const actions = Object.entries(definition.actions ?? {})
  const crud = definition.crud ?? (actions.length === 0 ? ALL_CRUD : [])
  return [
    ...crud.map((verb) => `${name}.${verb}`),
    ...actions.flatMap(([action, methods]) => methods.map((method) => `${name}.${action}.${method}`)),
  ]
}

/** The names known to one core: its modules', its own, those of the options, and those its roles grant. */
export class PermissionRegistry {
  readonly #names: ReadonlySet<string>
  readonly #modules: Readonly<Record<string, ModuleDefinition>>

  constructor(options: {
    readonly modules: Readonly<Record<string, ModuleDefinition>>
    readonly permissions: readonly string[]
    readonly roles: Readonly<Record<string, readonly string[]>>
  }) {
    this.#modules = options.modules
    const granted = Object.values(options.roles).flat()
    this.#names = new Set([
      ...Object.entries(options.modules).flatMap(([name, definition]) => permissionsOfModule(name, definition)),
      ...Object.entries(OWN_RESOURCES).flatMap(([name, verbs]) => verbs.map((verb) => `machine_auth.${name}.${verb}`)),
      ...options.permissions,
      // A role of the options that grants a name declares it.
      ...granted.filter((name) => !name.endsWith('*')),
      PLATFORM_ADMIN,
    ])
  }

  hasModule(name: string): boolean {
    return Object.hasOwn(this.#modules, name)
  }

  /** Whether a name is declared, or a wildcard covers at least one declared name. */
  has(name: string): boolean {
    if (name === '*' || this.#names.has(name)) return true
    if (!name.endsWith('.*')) return false
    const stem = name.slice(0, -1)
    for (const known of this.#names) if (known.startsWith(stem)) return true
    return false
  }

  list(): readonly string[] {
    return [...this.#names].sort()
  }
}
