/** Limits that handlers write out, in their compiled form: a new object for every request, which mostly says the same. */
import { type CompiledPolicy, compilePolicies } from '../limits/policy.ts'
import type { LimitStrategy, RateLimitInput } from '../options/limit-types.ts'

/** How many are remembered. */
const MOST_REMEMBERED = 1000

/** The text of a limit without functions; null for one with, whose functions know the request they were made for. */
function plainTextOf(given: RateLimitInput): string | null {
  const policies = Array.isArray(given) ? given : [given]
  const hasFunctions = policies.some((policy) => Object.values(policy ?? {}).some((each) => typeof each === 'function'))
  return hasFunctions ? null : JSON.stringify(given)
}

export class HandlerLimits {
  readonly #strategy: LimitStrategy
  readonly #known = new Map<string, readonly CompiledPolicy[]>()

  /** @param strategy of limits that name none */
  constructor(strategy: LimitStrategy) {
    this.#strategy = strategy
  }

  /** @throws TypeError with a line for each mistake */
  compile(given: RateLimitInput): readonly CompiledPolicy[] {
    const text = plainTextOf(given)
    const known = text === null ? undefined : this.#known.get(text)
    if (known !== undefined) return known
    const policies = compilePolicies(given, this.#strategy, 'auth.rateLimit')
    if (text !== null && this.#known.size < MOST_REMEMBERED) this.#known.set(text, policies)
    return policies
  }
}
