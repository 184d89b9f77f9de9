/** The limits of a key bind the keys that are made with it. */
import type { KeyLimits } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { isWithinRanges } from '../lib/ip.ts'
import type { NewApiKey } from './new-key.ts'

/** What a new key has of its limits; `expiresAt` in ms. */
type CheckedLimits = Pick<KeyLimits, 'environment' | 'ipAllowlist'> & { readonly expiresAt: number | null }

/**
 * Passes on the limits that the input leaves open: a test key makes test keys, one for some addresses keys for these,
 * one that expires keys that expire with it.
 *
 * @param limits of the key that the actor acts by; undefined when he acts by no key
 * @throws MachineAuthError `permission_required` when the input asks for less of a limit
 */
export function withLimitsOf<T extends CheckedLimits>(limits: KeyLimits | undefined, input: NewApiKey, checked: T): T {
  return limits === undefined ? checked : withPlacesOf(limits, input, withExpiryOf(limits, checked))
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

function withPlacesOf<T extends CheckedLimits>(limits: KeyLimits, input: NewApiKey, checked: T): T {
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
