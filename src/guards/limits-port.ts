/** What a request asks of the limits: kept apart from them, since they look at the request. */
import type { ApiKeyPrincipal, Principal } from '../authentication/principal.ts'
import type { NewBlock } from '../blocks/new-block.ts'
import type { BlockView } from '../blocks/views.ts'
import type { Reservation } from '../limits/key-allowance.ts'
import type { Reading } from '../limits/limiter.ts'
import type { CompiledPolicy } from '../limits/policy.ts'
import type { LimitContext, RateLimitInput } from '../options/limit-types.ts'
import type { AnswerHeaders } from './vary.ts'

/** Where the request is, as far as a limit may know. */
export interface Whereabouts {
  /** Null while no route is found. */
  readonly route: string | null
  readonly params: LimitContext['params']
}

export const NOWHERE: Whereabouts = Object.freeze({ route: null, params: Object.freeze({}) })

/**
 * Asks counts that several processes share, ahead of the calls below that count and cannot wait. Each answers null when
 * there is nothing to wait for, and never rejects for what the counts fail with: that is thrown where they count.
 *
 * @typeParam P as of `LimitsPort`
 */
export interface AheadPort<P> {
  /** For the default limit. */
  askDefault(presented: P): Promise<void> | null
  /**
   * For the own limit of the key that a question in a handler will ask for.
   *
   * @param late a use of its quotas that was taken for the question; null where the request's own is there
   */
  askKey(presented: P, demand: (presented: P) => ApiKeyPrincipal | null, late: Reservation | null): Promise<void> | null
  /** For a limit that a handler asks for. @throws TypeError when the limit is none */
  askInHandler(presented: P, given: RateLimitInput, whereabouts: Whereabouts): Promise<void> | null
}

/** @typeParam P what is asked about; `Presented`, which has one of these */
export interface LimitsPort<P> {
  /** Null where this process counts alone. */
  readonly ahead: AheadPort<P> | null
  /**
   * Demands that nothing blocks the request's address on its route.
   *
   * @throws MachineAuthError `address_blocked`, `locked_out`
   */
  requireUnblockedRoute(presented: P, route: string): void
  /**
   * Demands that nothing blocks whom a credential speaks for.
   *
   * @throws MachineAuthError `address_blocked`, `locked_out`
   */
  requireUnblocked(presented: P, principal: Principal): void
  /** Takes a use of its key's quotas in advance; null for a request without such a key. */
  reserve(presented: P): Reservation | Promise<Reservation> | null
  /**
   * Counts a request for a key's own limit and quotas, once.
   *
   * @throws MachineAuthError `rate_limited`, `quota_exceeded`
   */
  chargeKey(presented: P, principal: ApiKeyPrincipal): void
  /**
   * Counts a request for limits that its route declares, once: for all of them or for none.
   *
   * @param isGuarded whether the route demands a credential: then its key's own limit is one of them
   * @throws MachineAuthError `rate_limited`, `locked_out`, `address_blocked`, `quota_exceeded`
   */
  chargeRoute(presented: P, policies: readonly CompiledPolicy[], whereabouts: Whereabouts, isGuarded: boolean): void
  /**
   * Counts a request for a limit that a handler asks for, once.
   *
   * @throws TypeError when the limit is none; MachineAuthError as `chargeRoute`
   */
  chargeInHandler(presented: P, given: RateLimitInput, whereabouts: Whereabouts): Reading
  /** Blocks what a handler says; null for an address that nothing blocks. */
  block(input: NewBlock, createdBy: string): Promise<BlockView | null>
  /** Notes a credential that is unknown or forged; ms that the caller must wait when he presented too many. */
  noteWrong(presented: P): number
  /** Says in an answer how the limits stand that the request was counted for. */
  writeHeaders(presented: P, headers: AnswerHeaders): void
}
