/** Limits with functions of one source that are not the same: wherever they meet they would count as one limit. */
import { type CompiledPolicy, haveSameFunctions } from '../limits/policy.ts'
import { RouteAuditError } from './audit.ts'
import type { RouteDescription } from './routes.ts'

interface Declared {
  readonly policy: CompiledPolicy
  /** Method and path. */
  readonly route: string
}

function hasFunctions(policy: CompiledPolicy): boolean {
  return typeof policy.by === 'function' || (policy.kind === 'rate' && typeof policy.cost === 'function')
}

/**
 * Demands a name of limits that count globally and are told apart by nothing that all processes have: whether two
 * functions of one source do the same only the app knows. A name says that they are one limit, or two.
 *
 * @throws RouteAuditError with a line for each
 */
export function requireTwinsNamed(routes: readonly RouteDescription[]): void {
  const known = new Map<string, Declared>()
  const mistakes: string[] = []
  for (const { method, path, limits } of routes) {
    const policies = limits.flatMap(({ value }) => value as readonly CompiledPolicy[])
    const route = `${method} ${path}`
    for (const policy of policies.filter((each) => each.scope === 'global' && !each.isNamed && hasFunctions(each))) {
      const twin = known.get(policy.fingerprint)
      if (twin === undefined) known.set(policy.fingerprint, { policy, route })
      else if (!haveSameFunctions(twin.policy, policy)) mistakes.push(describe(route, twin))
    }
  }
  if (mistakes.length > 0) throw new RouteAuditError(mistakes)
}

function describe(route: string, twin: Declared): string {
  return `${route}: its global limit has another function of the same source as that of ${twin.route}: give both a name, the same one when they are one limit`
}
