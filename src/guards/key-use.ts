/** Blocks and the limits of keys, for keys that were presented elsewhere. */
import type { ApiKeyPrincipal } from '../authentication/principal.ts'
import type { KeyUsePort } from '../keys/verification.ts'
import type { Clock } from '../lib/clock.ts'
import type { AbuseGuard } from '../limits/abuse.ts'
import type { BlockIndex } from '../limits/block-index.ts'
import type { KeyAllowances } from '../limits/key-allowance.ts'
import type { Reading } from '../limits/limiter.ts'
import type { SharedClaim, SharedLimits } from '../limits/shared-limits.ts'
import type { LimitMeter } from '../recording/metrics/meter.ts'
import { principalSubjects } from './limit-subject.ts'

export interface KeyUseOptions {
  readonly blocks: BlockIndex
  readonly abuse: AbuseGuard | null
  readonly allowances: KeyAllowances
  readonly clock: Clock
  /** Counts that other processes have a part in; null where this one counts alone. */
  readonly shared: SharedLimits | null
  /** Null where nobody measures. */
  readonly meter: LimitMeter | null
}

/** Where the key was presented is another service's: only what is blocked everywhere is blocked there. */
const ELSEWHERE = null

export function createKeyUse({ blocks, abuse, allowances, clock, shared, meter }: KeyUseOptions): KeyUsePort {
  /** @throws MachineAuthError `storage_unavailable` where nothing is counted without shared counts */
  async function hit(counts: SharedLimits, claim: SharedClaim): Promise<Reading> {
    const [reading] = await counts.hitAll([claim], clock())
    // One claim alone is always decided.
    if (reading === undefined) throw new Error('the shared counts have not decided')
    return reading
  }

  async function consume(principal: ApiKeyPrincipal): ReturnType<KeyUsePort['consume']> {
    const now = clock()
    const reservation = await allowances.reserve(principal, now)
    if (reservation.kind === 'failed') throw reservation.failure
    if (reservation.kind === 'exhausted') {
      return { code: 'quota_exceeded', remaining: 0, credits: reservation.of === 'credits' ? 0 : null }
    }
    const allowance = allowances.of(principal)
    const credits = allowances.creditsLeft(principal)
    if (allowance.rate === null) return { code: 'valid', remaining: credits, credits }
    // Read anew: an older moment than a limiter has seen would move what others took into the past.
    const later = clock()
    const limiter = allowances.limiterOf(allowance, allowance.rate, later)
    const { subject, place } = allowance
    let reading: Reading
    try {
      reading = shared === null ? limiter.hit(subject, later) : await hit(shared, { limiter, subject, cost: 1, place })
    } catch (failure) {
      reservation.release()
      throw failure
    }
    const { isAllowed, remaining } = reading
    meter?.decision('key', isAllowed)
    if (isAllowed) {
      return { code: 'valid', remaining: credits === null ? remaining : Math.min(credits, remaining), credits }
    }
    reservation.release()
    return { code: 'rate_limited', remaining, credits: allowances.creditsLeft(principal) }
  }

  return {
    consume,
    isBlocked: (address) => blocks.findForAddress(address, ELSEWHERE, clock()) !== null,
    isSubjectBlocked: (principal) =>
      blocks.size > 0 && principalSubjects(principal).some((each) => blocks.find(each, ELSEWHERE, clock()) !== null),
    noteWrong: (address) => void abuse?.note(address, clock()),
  }
}
