/** What an app's own functions in a limit are told of a request. */
import type { CompiledRate } from '../limits/policy.ts'
import type { LimitContext } from '../options/limit-types.ts'
import type { Whereabouts } from './limits-port.ts'
import type { Presented } from './presented.ts'

/** Looks up what it is asked for only when it is asked: most limits want none of it. */
export class RequestContext implements LimitContext {
  readonly #presented: Presented
  readonly request: Request
  readonly route: string | null
  readonly params: LimitContext['params']

  constructor(presented: Presented, { route, params }: Whereabouts) {
    this.#presented = presented
    this.request = presented.request
    this.route = route
    this.params = params
  }

  get address(): string | null {
    return this.#presented.address
  }

  get principal(): LimitContext['principal'] {
    const principal = this.#presented.speaker
    if (principal === null) return null
    const { kind, id, user, organizationId } = principal
    return { kind, id, userId: user?.id ?? null, organizationId }
  }
}

/** @throws RangeError for a function's answer that is no cost: counting nothing would be no limit */
export function costOf({ cost, rate }: CompiledRate, context: LimitContext): number {
  if (typeof cost === 'number') return cost
  const asked = cost(context)
  if (!Number.isInteger(asked) || asked < 0) throw new RangeError('rateLimit.cost must answer a whole number from 0')
  return Math.min(asked, rate.burst + 1)
}
