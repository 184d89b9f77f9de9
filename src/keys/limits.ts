/** The limits of a key bind the keys that are made with it. */
import type { KeyLimits } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { parseDuration } from '../lib/duration.ts'
import { isWithinRanges } from '../lib/ip.ts'
import type { ApiKeyRecord, RateLimitSetting } from '../storage/records.ts'
import type { NewApiKey } from './new-key.ts'

/** What a new key has of its limits; `expiresAt` in ms. */
type CheckedLimits = Pick<KeyLimits, 'environment' | 'ipAllowlist'> &
  Pick<ApiKeyRecord, 'expiresAt' | 'rateLimit' | 'monthlyQuota'>

/**
 * Passes on the limits that the input leaves open: a test key makes test keys, one for some addresses keys for these,
 * one that expires keys that expire with it, one with a rate or quota keys with no more.
 *
 * @param limits of the key that the actor acts by; undefined when he acts by no key
 * @throws MachineAuthError `permission_required` when the input asks for less of a limit
 */
export function withLimitsOf<T extends CheckedLimits>(
  limits: KeyLimits | undefined,
  input: Pick<NewApiKey, 'environment'>,
  checked: T,
): T {
  if (limits === undefined) return checked
  return withPlacesOf(limits, input, withExpiryOf(limits, withUseOf(limits, checked)))
}

const LIMITS = ['environment', 'ipAllowlist', 'expiresAt', 'rateLimit', 'monthlyQuota'] as const

/**
 * Demands that a key is limited at least as the key that the actor acts by, before he changes it or gets its text.
 *
 * @throws MachineAuthError `permission_required`
 */
export function requireLimitedAs(limits: KeyLimits | undefined, key: CheckedLimits): void {
  const limited = withLimitsOf(limits, key, key)
  if (LIMITS.every((member) => Bun.deepEquals(limited[member], key[member]))) return
  throw refuseUse('A limited key changes only keys that are limited as it is itself.')
}

function refuseUse(detail: string): MachineAuthError {
  return new MachineAuthError('permission_required', { detail })
}

function isFaster(one: RateLimitSetting, other: RateLimitSetting): boolean {
  const isMore = one.limit * parseDuration(other.window) > other.limit * parseDuration(one.window)
  return isMore || one.limit > other.limit
}

/**
 * Demands that who belongs to an organization gives no key a higher rate than the organization has.
 *
 * @throws MachineAuthError `permission_required`
 */
export function requireWithinRate(wanted: RateLimitSetting | null, organization: RateLimitSetting | null): void {
  if (wanted === null || organization === null || !isFaster(wanted, organization)) return
  throw refuseUse("Only the platform gives a key a higher rate limit than its organization's.")
}

/** @throws MachineAuthError `permission_required` for a higher rate than that of the key that is acted by */
export function refuseFaster(wanted: RateLimitSetting, own: RateLimitSetting): void {
  if (isFaster(wanted, own))
    throw refuseUse('A key gives no key a higher rate limit than the one that holds for itself.')
}

/** No single key that it makes has more than it has itself. */
function withUseOf<T extends CheckedLimits>(limits: KeyLimits, checked: T): T {
  const { rateLimit = null, monthlyQuota = null, credits = null } = limits
  if (credits !== null) throw refuseUse('A key with a number of uses makes no keys: they would not be counted.')
  if (rateLimit !== null && checked.rateLimit !== null) refuseFaster(checked.rateLimit, rateLimit)
  if (monthlyQuota !== null && (checked.monthlyQuota ?? 0) > monthlyQuota) {
    throw refuseUse('A key makes no key with a higher monthly quota than its own.')
  }
  return {
    ...checked,
    rateLimit: checked.rateLimit ?? rateLimit,
    monthlyQuota: checked.monthlyQuota ?? monthlyQuota,
  }
}

function withExpiryOf<T extends CheckedLimits>(limits: KeyLimits, checked: T): T {
  if (limits.expiresAt === undefined || limits.expiresAt === null) return checked
  const expiresAt = Date.parse(limits.expiresAt)
  if (checked.expiresAt === null) return { ...checked, expiresAt }
  if (checked.expiresAt > expiresAt) {
    throw new MachineAuthError('permission_required', { detail: 'A key makes no key that outlives it.' })
  }
  return checked
}

function withPlacesOf<T extends CheckedLimits>(
  limits: KeyLimits,
  input: Pick<NewApiKey, 'environment'>,
  checked: T,
): T {
  const environment = input.environment === undefined ? limits.environment : checked.environment
  if (limits.environment === 'test' && environment !== 'test') {
    throw new MachineAuthError('permission_required', { detail: 'A test key makes no live keys.' })
  }
  if (limits.ipAllowlist.length === 0) return { ...checked, environment }
  if (checked.ipAllowlist.length === 0) return { ...checked, environment, ipAllowlist: limits.ipAllowlist }
  if (!checked.ipAllowlist.every((range) => isWithinRanges(range, limits.ipAllowlist))) {
    throw new MachineAuthError('permission_required', {
      detail: 'A key limited to addresses makes keys for these addresses only.',
    })
  }
  return { ...checked, environment }
}
