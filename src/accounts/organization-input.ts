/** What callers say about organizations, checked. */
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { isDuration, parseDuration } from '../lib/duration.ts'
import type { FieldErrors } from '../lib/field-errors.ts'
import { nameMistake } from '../lib/text.ts'
import { resolveMonthlyQuota, resolveRateLimit } from '../limits/use-limits.ts'
import type { OrganizationPatch } from '../storage/ports/accounts.ts'
import type { OrganizationRecord, RateLimitSetting } from '../storage/records.ts'

/** What an organization's keys are held to; null for no bound. */
export interface OrganizationLimits {
  /** Of each of its keys that has none of its own. */
  readonly rateLimit?: RateLimitSetting | null | undefined
  /** Requests of all its keys together in a calendar month (UTC). */
  readonly monthlyQuota?: number | null | undefined
  /** What its keys and opaque tokens may have at most: names and wildcards. */
  readonly maxPermissions?: readonly string[] | null | undefined
  /** How long its keys and opaque tokens live at most, as text or seconds. */
  readonly maxKeyLifetime?: string | number | null | undefined
}

export interface NewOrganization extends OrganizationLimits {
  /** 1 to 255 characters; unique. */
  readonly name: string
}

/** Only the members given are changed. */
export interface OrganizationChange extends OrganizationLimits {
  readonly name?: string | undefined
  readonly status?: OrganizationRecord['status'] | undefined
}

/** ms. A key that lives for less is of no use; a hundred years are for ever. */
const SHORTEST_LIFETIME = 60_000
const LONGEST_LIFETIME = 36_525 * 86_400_000

function resolveName(name: string, errors: FieldErrors): string {
  const mistake = nameMistake(name)
  if (mistake !== null) errors.add('name', mistake)
  // One form of what looks the same, since names are unique.
  return mistake === null ? name.trim().normalize('NFC') : ''
}

function resolveLifetime(given: string | number, errors: FieldErrors): number {
  const lifetime = isDuration(given) ? parseDuration(given) : 0
  if (lifetime < SHORTEST_LIFETIME || lifetime > LONGEST_LIFETIME) {
    errors.add('maxKeyLifetime', "must be a duration from one minute to 36525 days, such as '90d'")
  }
  return lifetime
}

function resolveBounds(limits: OrganizationLimits, registry: PermissionRegistry, errors: FieldErrors) {
  const { rateLimit, monthlyQuota, maxPermissions, maxKeyLifetime } = limits
  return {
    ...(rateLimit === undefined ? {} : { rateLimit: resolveRateLimit(rateLimit, errors) }),
    ...(monthlyQuota === undefined ? {} : { monthlyQuota: resolveMonthlyQuota(monthlyQuota, errors) }),
    ...(maxPermissions === undefined
      ? {}
      : {
          maxPermissions:
            maxPermissions === null ? null : resolveGrants(registry, maxPermissions, errors, 'maxPermissions'),
        }),
    ...(maxKeyLifetime === undefined
      ? {}
      : { maxKeyLifetime: maxKeyLifetime === null ? null : resolveLifetime(maxKeyLifetime, errors) }),
  }
}

export function resolveNewOrganization(
  input: NewOrganization,
  registry: PermissionRegistry,
  errors: FieldErrors,
): Pick<OrganizationRecord, 'name' | 'rateLimit' | 'monthlyQuota' | 'maxPermissions' | 'maxKeyLifetime'> {
  const name = resolveName(input.name, errors)
  const none = { rateLimit: null, monthlyQuota: null, maxPermissions: null, maxKeyLifetime: null }
  return { ...none, name, ...resolveBounds(input, registry, errors) }
}

export function resolveOrganizationPatch(
  change: OrganizationChange,
  registry: PermissionRegistry,
  errors: FieldErrors,
): OrganizationPatch {
  const { name, status } = change
  if (status !== undefined && status !== 'active' && status !== 'suspended') {
    errors.add('status', "must be 'active' or 'suspended'")
  }
  return {
    ...(name === undefined ? {} : { name: resolveName(name, errors) }),
    ...(status === undefined ? {} : { status }),
    ...resolveBounds(change, registry, errors),
  }
}
