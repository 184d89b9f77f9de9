/** Permissions declared in code, by module. */
import type { CrudVerb, ModuleDefinition } from './types.ts'

type Modules = Readonly<Record<string, ModuleDefinition>>

/** Without crud and actions a module has all four crud verbs; with actions alone it has none. */
type CrudOf<D> = D extends { readonly crud: readonly (infer V extends string)[] }
  ? V
  : D extends { readonly actions: infer A }
    ? keyof A extends never
      ? CrudVerb
      : never
    : CrudVerb

type ActionsOf<D> = D extends { readonly actions: infer A }
  ? {
      [Name in keyof A & string]: A[Name] extends readonly (infer V extends string)[] ? `${Name}.${V}` : never
    }[keyof A & string]
  : never

/**
 * The names of all permissions that modules declare.
 *
 * @example type Permission = PermissionOf<typeof permissions> // 'users.view' | 'users.profile.get'
 */
export type PermissionOf<M extends Modules> = {
  [Name in keyof M & string]: `${Name}.${CrudOf<M[Name]> | ActionsOf<M[Name]>}`
}[keyof M & string]

/**
 * Declares the permissions of an app, for the option `modules` and the config file. Returns its argument.
 *
 * @param modules by name: `label` for people, `crud` verbs, and `actions` with the methods that each has
 * @example
 * export const permissions = definePermissions({
 *   users: { label: 'User management', crud: ['view', 'create'], actions: { profile: ['get'] } },
 * })
 * machineAuth({ modules: permissions }) // users.view, users.create, users.profile.get
 */
export function definePermissions<const M extends Modules>(modules: M): M {
  return modules
}
