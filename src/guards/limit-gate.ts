/** `rateLimit` on a route: counts before the body is read, and before any other guard refuses. */
import type { CompiledPolicy } from '../limits/policy.ts'
import { asGate, type Gate, type GateContext, MARK, UNREAD } from './gate.ts'
import type { Whereabouts } from './limits-port.ts'
import type { Presented } from './presented.ts'
import { presentedBy } from './state.ts'
import type { StatusAnswer } from './status-answers.ts'

export const LIMIT_GUARD = 'rateLimit'
/** Tells the hook that counts before the body is read from those of other guards. */
export const LIMIT_PARSE = Symbol('machine-auth.limit')

type LimitGateContext = GateContext & Whereabouts & { readonly route: string }

/**
 * Hooks that count a request for limits; they prove nothing.
 *
 * @param isGuarded whether other guards of the route demand a credential
 * @param demanded the one kind that they read, where it is not whatever speaks for the request
 */
export function createLimitGate(
  policies: readonly CompiledPolicy[],
  isGuarded = false,
  demanded?: 'apiKey' | 'session',
): Gate<Record<never, never>> {
  function count(presented: Presented, whereabouts: Whereabouts): void {
    presented.isGuarded = true
    if (demanded !== undefined) presented.speakBy(demanded)
    presented.limits.chargeRoute(presented, policies, whereabouts, isGuarded)
  }

  function parse({ request, route, params }: LimitGateContext): object | undefined {
    const presented = presentedBy(request)
    try {
      count(presented, { route, params })
    } catch (refused) {
      presented.refuseWith(refused)
      return UNREAD
    }
    return undefined
  }

  function transform({ request, set, route, params }: LimitGateContext): StatusAnswer | undefined {
    const presented = presentedBy(request)
    let answer: StatusAnswer | undefined
    try {
      if (presented.refused !== null) throw presented.refused
      count(presented, { route, params })
      presented.writeHeaders(set.headers)
    } catch (refused) {
      answer = presented.answerRefused(refused, set)
    }
    return answer
  }

  return asGate(
    Object.assign(parse, { [LIMIT_PARSE]: true }),
    Object.assign(transform, { [MARK]: { name: LIMIT_GUARD, value: policies } }),
  )
}
