/** `protect`: what every path under a prefix demands, whether a route is there or not. */

import { createPathMatcher, routedPaths } from '../lib/path.ts'
import { toList } from '../lib/to-list.ts'
import type { ProtectRule } from '../options/types.ts'
import { requireMasterKey } from './master-key.ts'
import type { Presented } from './presented.ts'
import {
  requireApiKey,
  requireBearerToken,
  requireCurrentUser,
  requirePermission,
  requireRole,
  requireSession,
  toPermissionRule,
} from './requirements.ts'

type Demand = (presented: Presented) => unknown

/** One row per demand a rule can make; a new one without a row is a compile error. */
const DEMANDS: {
  readonly [K in keyof Required<ProtectRule['require']>]: (value: NonNullable<ProtectRule['require'][K]>) => Demand
} = {
  apiKey: () => (presented) => requireApiKey(presented, true),
  bearerToken: () => requireBearerToken,
  session: () => requireSession,
  currentUser: () => (presented) => requireCurrentUser(presented),
  masterKey: () => requireMasterKey,
  requireRole: (roles) => (presented) => requireRole(presented, toList(roles)),
  requirePermission: (permission) => (presented) => requirePermission(presented, toPermissionRule(permission)),
}

function demandsOf(rule: ProtectRule): readonly Demand[] {
  return Object.entries(rule.require).map(([name, value]) => {
    // Object.entries loses which value belongs to which row; the options schema has checked both.
    const row = DEMANDS[name as keyof typeof DEMANDS] as (given: unknown) => Demand
    return row(value)
  })
}

/** Whether the route of a method and path says `public: true`. */
type IsPublic = (method: string, path: string) => boolean

export interface Protection {
  /**
   * By every path that the request's URL can be read as.
   *
   * @returns whether a rule applied
   * @throws MachineAuthError as the rule refuses
   */
  requirePath(presented: Presented, isPublic: IsPublic): boolean
  /**
   * By the route that was found: the router chooses by what the client sent (`/closed/..`), which the URL of the request
   * no longer shows.
   *
   * @throws MachineAuthError as the rule refuses
   */
  requireRoute(presented: Presented, route: string, isPublic: IsPublic): void
  /** What the rules of a request's path demand, by the names of guards. */
  demandsOf(url: string): readonly string[]
}

interface CompiledRule {
  readonly matches: (path: string) => boolean
  readonly demands: readonly Demand[]
  /** What it demands, by the names of guards. */
  readonly names: readonly string[]
}

function requireRule(rule: CompiledRule, presented: Presented, paths: readonly string[], isPublic: IsPublic): void {
  try {
    for (const demand of rule.demands) demand(presented)
  } catch (refused) {
    // Asked only now: most requests under a rule are allowed, and finding their route twice would cost them.
    if (paths.every((path) => isPublic(presented.request.method, path))) return
    presented.isGuarded = true
    throw refused
  }
}

/**
 * Compiles the rules; null when there are none.
 *
 * @param prefixes of the apps that serve: a rule means its path below them too
 */
export function createProtection(rules: readonly ProtectRule[], prefixes: readonly string[]): Protection | null {
  if (rules.length === 0) return null
  const compiled = rules.map((rule): CompiledRule => {
    const matchers = ['', ...prefixes].map((prefix) => createPathMatcher(prefix + rule.path))
    return {
      matches: (path) => matchers.some((matches) => matches(path)),
      demands: demandsOf(rule),
      names: Object.keys(rule.require),
    }
  })
  // As many as the app has routes.
  const rulesOfRoutes = new Map<string, readonly CompiledRule[]>()

  function rulesOfRoute(route: string): readonly CompiledRule[] {
    const known = rulesOfRoutes.get(route)
    if (known !== undefined) return known
    const found = compiled.filter(({ matches }) => matches(route))
    rulesOfRoutes.set(route, found)
    return found
  }

  return {
    requirePath(presented, isPublic) {
      const paths = routedPaths(presented.request.url)
      let isRuled = false
      for (const rule of compiled) {
        const matched = paths.filter(rule.matches)
        if (matched.length === 0) continue
        isRuled = true
        requireRule(rule, presented, matched, isPublic)
      }
      return isRuled
    },
    requireRoute(presented, route, isPublic) {
      for (const rule of rulesOfRoute(route)) requireRule(rule, presented, [route], isPublic)
    },
    demandsOf(url) {
      const paths = routedPaths(url)
      return compiled.filter((rule) => paths.some(rule.matches)).flatMap(({ names }) => names)
    },
  }
}
