/** What callers say about a change of a key, checked. */
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { resolveExpiry } from '../lib/expiry.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import { resolveCredits, resolveMonthlyQuota, resolveRateLimit, type UseLimitsInput } from '../limits/use-limits.ts'
import type { KeyPatch } from '../storage/ports/keys.ts'
import type { Metadata } from './metadata.ts'
import { checkDescription, checkMetadata, checkName, resolveAllowlist } from './new-key.ts'

/** Only the members given are changed; null takes away what may be missing. */
export interface KeyChange extends UseLimitsInput {
  readonly name?: string | undefined
  readonly description?: string | null | undefined
  readonly permissions?: readonly string[] | undefined
  readonly ipAllowlist?: readonly string[] | undefined
  /** RFC 3339 text, or a `Date`. */
  readonly expiresAt?: string | Date | null | undefined
  readonly metadata?: Metadata | null | undefined
  /** A disabled key is refused until it is enabled again. */
  readonly enabled?: boolean | undefined
}

/** Each member that can be changed, with what it becomes. */
const MEMBERS: {
  readonly [Member in keyof KeyChange]-?: (
    given: NonNullable<Pick<KeyChange, Member>[Member]> | null,
    registry: PermissionRegistry,
    now: number,
    errors: FieldErrors,
  ) => KeyPatch
} = {
  name(given, _registry, _now, errors) {
    checkName(given ?? '', errors)
    return { name: given ?? '' }
  },
  description(given, _registry, _now, errors) {
    checkDescription(given, errors)
    return { description: given }
  },
  permissions: (given, registry, _now, errors) => ({ permissions: resolveGrants(registry, given ?? [], errors) }),
  ipAllowlist: (given, _registry, _now, errors) => ({ ipAllowlist: resolveAllowlist(given ?? [], errors) }),
  rateLimit: (given, _registry, _now, errors) => ({ rateLimit: resolveRateLimit(given, errors) }),
  monthlyQuota: (given, _registry, _now, errors) => ({ monthlyQuota: resolveMonthlyQuota(given, errors) }),
  credits: (given, _registry, now, errors) => resolveCredits(given, now, errors),
  expiresAt(given, _registry, now, errors) {
    const expiresAt = resolveExpiry({ expiresAt: given }, now, errors)
    // Of another expiry nobody was told.
    return { expiresAt, expiryWarnedAt: null }
  },
  metadata(given, _registry, _now, errors) {
    checkMetadata(given, errors)
    return { metadata: given }
  },
  enabled(given, _registry, _now, errors) {
    if (typeof given !== 'boolean') errors.add('enabled', 'must be true or false')
    return { enabled: given === true }
  },
}

/**
 * Checks everything that needs no storage.
 *
 * @param now epoch ms
 * @throws MachineAuthError `validation_failed`, naming every mistake
 */
export function resolveKeyChange(change: KeyChange, registry: PermissionRegistry, now: number): KeyPatch {
  const errors = new FieldErrors()
  const patches = Object.entries(MEMBERS).map(([member, resolve]) => {
    const given = change[member as keyof KeyChange]
    // Each resolver takes what its own member holds, which a table cannot say.
    return given === undefined ? {} : (resolve as (...of: unknown[]) => KeyPatch)(given, registry, now, errors)
  })
  errors.throwIfAny()
  return Object.assign({}, ...patches)
}
