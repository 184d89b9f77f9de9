/** The routes of an app with their guards, for people and for continuous integration. */
import { formatDuration } from '../lib/duration.ts'
import type { CompiledPolicy } from '../limits/policy.ts'
import { RouteAuditError } from './audit.ts'
import { internalsOf } from './elysia-internals.ts'
import type { GuardMark } from './gate.ts'
import { describeRoutes, type RouteDescription } from './routes.ts'

/**
 * Lists each route of an app with its guards.
 *
 * @example
 * for (const { method, path, guards } of listRoutes(app)) console.log(method, path, guards.length)
 */
export function listRoutes(app: object): readonly RouteDescription[] {
  return describeRoutes(internalsOf(app))
}

function formatGuard({ name, value }: GuardMark): string {
  return value === true || JSON.stringify(value) === '{}' ? name : `${name}: ${JSON.stringify(value)}`
}

function formatLimit(policy: CompiledPolicy): string {
  const by = typeof policy.by === 'string' ? policy.by : policy.name
  const amount =
    policy.kind === 'rate'
      ? `${policy.rate.limit}/${formatDuration(policy.rate.window)}`
      : `${policy.concurrent} at once`
  return `${amount} by ${by}`
}

function formatLimits({ limits }: RouteDescription): string {
  const policies = limits.flatMap(({ value }) => value as readonly CompiledPolicy[])
  // A group and its route may say the same.
  const shown = [...new Set(policies.map(formatLimit))]
  return shown.length === 0 ? '' : `, rateLimit: ${shown.join(' + ')}`
}

/** One line per route: method, path, its guards, `public` or `UNGUARDED`, and its limits. */
export function formatRoutes(routes: readonly RouteDescription[]): string {
  const methodWidth = Math.max(...routes.map((route) => route.method.length), 0)
  const pathWidth = Math.max(...routes.map((route) => route.path.length), 0)
  return routes
    .map((route) => {
      const guards = route.guards.map(formatGuard).join(', ')
      const shown = guards === '' ? (route.isPublic ? 'public' : 'UNGUARDED') : guards
      return `${route.method.padEnd(methodWidth)}  ${route.path.padEnd(pathWidth)}  ${shown}${formatLimits(route)}`
    })
    .join('\n')
}

/**
 * Demands that every route has a guard or says `public: true`.
 *
 * @throws RouteAuditError naming each route that has neither
 * @example test('no route is forgotten', () => requireGuardedRoutes(app))
 */
export function requireGuardedRoutes(app: object): void {
  const forgotten = listRoutes(app).filter((route) => route.guards.length === 0 && !route.isPublic)
  if (forgotten.length === 0) return
  throw new RouteAuditError(
    forgotten.map((route) => `${route.method} ${route.path}: has no guard; add one, or public: true`),
  )
}
