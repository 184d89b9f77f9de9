/**
 * The audit of routes: a guard that is written on a route and does not stand before it stops the start.
 *
 * Elysia ignores an option whose macro it does not know or did not reach (a route declared before the plugin, an
 * option after another plugin's switched-off macro), and the route would answer anybody.
 */
import { type ModuleRequirement, modulePermission } from '../authorization/modules.ts'
import type { AppInternals, InternalRoute } from './elysia-internals.ts'
import type { GuardMark } from './gate.ts'
import { isGuardName } from './names.ts'
import { tunePipeline } from './pipeline.ts'
import type { ApiKeyRequirement, PermissionRequirement } from './requirements.ts'
import { toPermissionRule } from './requirements.ts'
import { guardsOf } from './routes.ts'

/** What names a route may mention. */
export interface KnownNames {
  /** Null while stored roles are not loaded yet. */
  readonly hasRole: ((name: string) => boolean) | null
  readonly hasPermission: (name: string) => boolean
  readonly hasModule: (name: string) => boolean
}

/** Routes that would not be guarded as they say. Its message has one line for each. */
export class RouteAuditError extends Error {
  override readonly name = 'RouteAuditError'
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(`machine-auth refuses to serve:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

function unknownPermissions(names: readonly string[], known: KnownNames): readonly string[] {
  return names
    .filter((name) => !known.hasPermission(name))
    .map((name) => `permission '${name}' is not declared (options: modules or permissions)`)
}

const METHODS_OF_ALL = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

function unknownModule(requirement: ModuleRequirement, method: string, known: KnownNames): readonly string[] {
  if (!known.hasModule(requirement.module)) {
    return [`module '${requirement.module}' is not declared (options: modules)`]
  }
  const methods = method === 'ALL' ? METHODS_OF_ALL : [method === 'WS' ? 'GET' : method]
  return methods.flatMap((each) => {
    const permission = modulePermission(requirement, each)
    if (permission === null) return [`method ${each} has no permission in module '${requirement.module}'`]
    return unknownPermissions([permission], known)
  })
}

function unknownRoles(roles: readonly string[], known: KnownNames): readonly string[] {
  const { hasRole } = known
  if (hasRole === null) return []
  return roles.filter((role) => !hasRole(role)).map((role) => `role '${role}' is not declared (options: roles)`)
}

/** The names in a guard that nothing declares. */
function unknownNames(guard: GuardMark, method: string, known: KnownNames): readonly string[] {
  switch (guard.name) {
    case 'requireRole':
      return unknownRoles(guard.value as readonly string[], known)
    case 'requirePermission':
      return unknownPermissions(toPermissionRule(guard.value as PermissionRequirement).names, known)
    case 'requireModule':
      return unknownModule(guard.value as ModuleRequirement, method, known)
    case 'apiKey':
      return unknownPermissions((guard.value as ApiKeyRequirement).permissions ?? [], known)
    default: {
      if (!guard.name.startsWith('authorized')) return []
      const { roles, permission } = guard.value as { roles?: readonly string[]; permission?: string }
      return [
        ...unknownRoles(roles ?? [], known),
        ...unknownPermissions(permission === undefined ? [] : [permission], known),
      ]
    }
  }
}

/**
 * Elysia answers a constant before any hook when a route has all four kinds of hooks. A precompiled one had our `parse`
 * when it was compiled, whether or not it was taken off since.
 */
function isServedUnguarded(route: InternalRoute, isPrecompiled: boolean): boolean {
  const { parse, transform, beforeHandle, afterHandle } = route.hooks
  return (
    typeof route.handler !== 'function' &&
    (isPrecompiled || (parse?.length ?? 0) > 0) &&
    [transform, beforeHandle, afterHandle].every((hooks) => (hooks?.length ?? 0) > 0)
  )
}

function mistakesOf(route: InternalRoute, known: KnownNames, isPrecompiled: boolean): readonly string[] {
  const guards = guardsOf(route)
  const mistakes = Object.keys(route.hooks)
    .filter(isGuardName)
    .map(
      (name) =>
        `'${name}' is not applied: declare the route after .use(machineAuth()), without options switched off beside it`,
    )
  if (guards.length > 0 && isServedUnguarded(route, isPrecompiled)) {
    mistakes.push(
      "a constant cannot be guarded together with parse, transform, beforeHandle (or resolve) and afterHandle hooks; the request log adds an afterHandle hook where it keeps bodies: answer from a function, such as () => 'text'",
    )
  }
  for (const guard of guards) mistakes.push(...unknownNames(guard, route.method, known))
  return mistakes.map((mistake) => `${route.method} ${route.path}: ${mistake}`)
}

const TOO_LATE = 'a guarded route that reads the request itself cannot be precompiled: remove precompile from the app'

/**
 * Checks every route of an app, and prepares its pipeline.
 *
 * @throws RouteAuditError naming each route and what to do
 */
export function auditRoutes(app: AppInternals, known: KnownNames): void {
  if (app.config.aot === false) {
    throw new RouteAuditError(['this app sets aot: false: guards need Elysia’s compiled handlers, remove the option'])
  }
  const { precompile } = app.config
  const isPrecompiled = precompile === true || (typeof precompile === 'object' && precompile.compose === true)
  const mistakes = app.router.history.flatMap((route) => {
    const readsItself = tunePipeline(app, route)
    const own = mistakesOf(route, known, isPrecompiled)
    return readsItself && isPrecompiled ? [...own, `${route.method} ${route.path}: ${TOO_LATE}`] : own
  })
  if (mistakes.length > 0) throw new RouteAuditError([...new Set(mistakes)])
}
