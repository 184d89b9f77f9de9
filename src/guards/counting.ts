/** Counts what a request comes under: by the shared counts, where there are any, or else in this process. */
import type { InFlight } from '../limits/in-flight.ts'
import { hitAll } from '../limits/limiter.ts'
import type { SharedClaim, SharedReading, SharedReadings } from '../limits/shared-limits.ts'
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

/** Counts one more under way, where there is room. Whoever gets in leaves with the end of his request. */
export function enterOne(charges: Charges, place: string, subject: string, most: number, inFlight: InFlight): boolean {
  const { decided } = charges
  if (decided !== null) return decided.enter({ place, subject, most }, (leave) => leaveAtEnd(charges, leave))
  const name = `${place}\n${subject}`
  if (!inFlight.enter(name, most)) return false
  leaveAtEnd(charges, () => inFlight.leave(name))
  return true
}

function leaveAtEnd(charges: Charges, leave: () => void): void {
  charges.leaving ??= []
  charges.leaving.push(leave)
}

/** Whether shared counts have refused already what is to be counted: then no place among those under way is needed. */
export function isKnownRefused({ decided }: Charges, claimed: readonly Claimed[]): boolean {
  return decided !== null && claimed.some(({ claim }) => decided.isRefused(claim))
}

/** Whether a subject is refused for what it took itself, and not among those that there was no room to tell apart. */
export function isOwn({ decided }: Charges, { limiter, subject }: SharedClaim, { isOfShare }: SharedReading): boolean {
  return decided === null ? limiter.isOwn(subject) : isOfShare !== true
}
