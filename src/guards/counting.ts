/** Counts what a request comes under: as shared counts have decided, or else in this process. */
import { hitAll } from '../limits/limiter.ts'
import type { SharedClaim, SharedReadings } from '../limits/shared-limits.ts'
import type { Charges } from './charges.ts'
import type { Claimed } from './claims.ts'

/** Most requests come under one limit: then there is no list to make. */
export function hitEach({ decided }: Charges, claimed: readonly Claimed[], now: number): SharedReadings {
  if (decided !== null) {
    return decided.fetch(
      claimed.map(({ claim }) => claim),
      now,
    )
  }
  const [first] = claimed
  if (first === undefined || claimed.length > 1)
    return hitAll(
      claimed.map(({ claim }) => claim),
      now,
    )
  const { limiter, subject, cost } = first.claim
  return [limiter.hit(subject, now, cost)]
}

/**
 * Whether a subject is refused for what it took itself. Where others decided, it is, unless it is refused here as well,
 * among those that there was no room to tell apart.
 */
export function isOwn({ decided }: Charges, { limiter, subject, cost }: SharedClaim, now: number): boolean {
  return limiter.isOwn(subject) || (decided !== null && limiter.read(subject, now, cost).isAllowed)
}
