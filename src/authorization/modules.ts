/** Modules: the permissions that they declare, and that a method needs on them. */
import type { CrudVerb, HttpVerb, ModuleDefinition } from '../options/types.ts'

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

/** What a module's permission is for: a crud verb, or an action by a method. */
export interface ModulePermission {
  readonly name: string
  /** Such as `view`, or `export (POST)`. */
  readonly purpose: string
}

/** All permissions a module declares; a module that lists neither crud nor actions has all four crud verbs. */
export function permissionsOfModule(name: string, definition: ModuleDefinition): readonly ModulePermission[] {
  const actions = Object.entries(definition.actions ?? {})
  const crud = definition.crud ?? (actions.length === 0 ? ALL_CRUD : [])
  return [
    ...crud.map((verb) => ({ name: `${name}.${verb}`, purpose: verb })),
    ...actions.flatMap(([action, methods]) =>
      methods.map((method) => ({
        name: `${name}.${action}.${method}`,
        purpose: `${action} (${method.toUpperCase()})`,
      })),
    ),
  ]
}
