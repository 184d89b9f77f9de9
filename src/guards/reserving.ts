/** Takes in advance what no guard may wait for. */
import type { Presented } from './presented.ts'
import type { RequestLimits } from './request-limits.ts'

/** Takes a use of a key's quotas before any guard asks for it; null when that needed no waiting. */
export function reserveUse(limits: RequestLimits, presented: Presented): Promise<void> | null {
  const reserving = limits.reserve(presented)
  if (reserving === null) return null
  if (!(reserving instanceof Promise)) {
    presented.ensureCharges().reservation = reserving
    return null
  }
  return reserving.then(
    (reservation) => {
      presented.ensureCharges().reservation = reservation
    },
    (failure: unknown) => {
      // Nobody is let in uncounted: the guard that asks for the key gets the failure.
      presented.ensureCharges().reservation = { kind: 'failed', failure }
    },
  )
}
