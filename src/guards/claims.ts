/** What a request is to be counted for, and what its answer says of it. */
import type { LimitLabel } from '../limits/headers.ts'
import type { KeyAllowance, KeyAllowances } from '../limits/key-allowance.ts'
import type { CompiledRate } from '../limits/policy.ts'
import type { SharedClaim } from '../limits/shared-limits.ts'
import type { LimitContext } from '../options/limit-types.ts'
import type { LimitName } from '../recording/metrics/meter.ts'
import type { ClaimedPlace } from './decisions.ts'
import { costOf } from './limit-context.ts'
import type { PlannedConcurrency, PlannedRate } from './limit-plan.ts'
import { limitSubject } from './limit-subject.ts'
import type { Presented } from './presented.ts'

/** A claim, and what the answer says of it. */
export interface Claimed {
  readonly claim: SharedClaim
  readonly label: LimitLabel
  /** Null for a key's own limit. */
  readonly policy: CompiledRate | null
  readonly kind: LimitName
}

/** @throws whatever an app's own function throws; TypeError, RangeError when it answers what is no subject or cost */
export function claimRate(
  { policy, limiter, label, place }: PlannedRate,
  kind: LimitName,
  presented: Presented,
  context: LimitContext,
): Claimed {
  const subject = limitSubject(policy.by, policy.name, presented, context)
  return { claim: { limiter, subject, cost: costOf(policy, context), place }, label, policy, kind }
}

/** A key's own limit; empty for a key without any. @param now epoch ms */
export function claimKey(allowances: KeyAllowances, allowance: KeyAllowance, now: number): readonly Claimed[] {
  const { rate, subject, label, place } = allowance
  if (rate === null || label === null) return []
  const limiter = allowances.limiterOf(allowance, rate, now)
  return [{ claim: { limiter, subject, cost: 1, place }, label, policy: null, kind: 'key' }]
}

/** @throws as `claimRate` */
export function claimPlace(
  { policy, place }: PlannedConcurrency,
  presented: Presented,
  context: LimitContext,
): ClaimedPlace {
  return { place, subject: limitSubject(policy.by, policy.name, presented, context), most: policy.concurrent }
}
