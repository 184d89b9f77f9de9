/** What the limits of one route come to: each with the place where it counts. */
import { type LimitLabel, labelOf } from '../limits/headers.ts'
import type { Limiter } from '../limits/limiter.ts'
import type { Limiters } from '../limits/limiters.ts'
import type { CompiledConcurrency, CompiledPolicy, CompiledRate } from '../limits/policy.ts'
import type { SharedLimits } from '../limits/shared-limits.ts'

export interface PlannedRate {
  /** The same for limits that count together. */
  readonly place: string
  readonly policy: CompiledRate
  readonly limiter: Limiter
  readonly label: LimitLabel
}

export interface PlannedConcurrency {
  readonly policy: CompiledConcurrency
  readonly place: string
}

export interface LimitPlan {
  readonly route: string | null
  readonly rates: readonly PlannedRate[]
  readonly concurrencies: readonly PlannedConcurrency[]
  /** Whether one of them takes the place of a key's own limit. */
  readonly overridesKey: boolean
  /** Whether nothing but addresses is counted, so that no credential need be known. */
  readonly isByAddress: boolean
}

/** Paths count apart from each other, and from what counts globally. */
function placeOf({ fingerprint, scope }: CompiledPolicy, route: string | null): string {
  return scope === 'global' ? fingerprint : `${fingerprint} ${JSON.stringify(route)}`
}

/** Whether it counts addresses alone; what a function says a request costs may depend on who asks. */
function needsNoCredential(policy: CompiledPolicy): boolean {
  return policy.by === 'ip' && (policy.kind === 'concurrent' || typeof policy.cost === 'number')
}

/**
 * @param route the pattern where the limits are asked for
 * @param find the limiter of a place
 */
export function createLimitPlan(
  policies: readonly CompiledPolicy[],
  route: string | null,
  find: (place: string, policy: CompiledRate) => Limiter,
): LimitPlan {
  const rates: PlannedRate[] = []
  const concurrencies: PlannedConcurrency[] = []
  // A group and its route may say the same: that is one limit.
  const distinct = new Map(policies.map((policy) => [policy.fingerprint, policy]))
  for (const policy of distinct.values()) {
    const place = placeOf(policy, route)
    if (policy.kind === 'concurrent') concurrencies.push({ policy, place })
    else rates.push({ place, policy, limiter: find(place, policy), label: labelOf(policy.name, policy.rate) })
  }
  return {
    route,
    rates,
    concurrencies,
    overridesKey: rates.some(({ policy }) => policy.isOverride),
    isByAddress: policies.every(needsNoCredential),
  }
}

/** The plans of limits that routes declare, one for each route that has them. */
export class LimitPlans {
  readonly #limiters: Limiters
  readonly #shared: Pick<SharedLimits, 'declare'> | null
  readonly #plans = new WeakMap<readonly CompiledPolicy[], Map<string | null, LimitPlan>>()

  /** @param shared counts of several processes, which are told of each limit; null where this one counts alone */
  constructor(limiters: Limiters, shared: Pick<SharedLimits, 'declare'> | null) {
    this.#limiters = limiters
    this.#shared = shared
  }

  of(policies: readonly CompiledPolicy[], route: string | null): LimitPlan {
    let ofRoutes = this.#plans.get(policies)
    if (ofRoutes === undefined) {
      ofRoutes = new Map()
      this.#plans.set(policies, ofRoutes)
    }
    const known = ofRoutes.get(route)
    if (known !== undefined) return known
    const plan = createLimitPlan(policies, route, (place, { rate }) => {
      this.#shared?.declare(place, rate)
      return this.#limiters.declared(place, rate)
    })
    ofRoutes.set(route, plan)
    return plan
  }
}
