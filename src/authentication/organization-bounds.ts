/**
 * What an organization allows its API keys and opaque tokens at most. Sessions and the JWTs of a login are not meant:
 * they have what their user has, and options of their own for how long.
 */
import { PermissionSet } from '../authorization/permission-set.ts'
import { MachineAuthError } from '../errors.ts'
import { formatDuration } from '../lib/duration.ts'
import { earliest } from '../lib/expiry.ts'
import { invalidField } from '../lib/field-errors.ts'
import type { OrganizationRecord } from '../storage/records.ts'

export type OrganizationBounds = Pick<OrganizationRecord, 'rateLimit' | 'maxPermissions' | 'maxKeyLifetime'>

/** For what belongs to no organization. */
export const UNBOUND: OrganizationBounds = Object.freeze({
  rateLimit: null,
  maxPermissions: null,
  maxKeyLifetime: null,
})

/**
 * Demands that a key or token has no more than the organization allows.
 *
 * @throws MachineAuthError `permission_required`, naming what is too much
 */
export function requireWithinPermissions({ maxPermissions }: OrganizationBounds, permissions: readonly string[]): void {
  if (maxPermissions === null) return
  const required = new PermissionSet(maxPermissions).missing(permissions)
  if (required.length === 0) return
  throw new MachineAuthError('permission_required', {
    detail: 'The organization does not allow its keys these permissions (maxPermissions).',
    required,
  })
}

/**
 * When a key or token expires that may live as long as the organization allows.
 *
 * @param expiresAt epoch ms; null for as long as possible
 * @param createdAt epoch ms
 * @returns epoch ms, or null for never
 * @throws MachineAuthError `validation_failed` for a longer life
 */
export function boundExpiry(
  { maxKeyLifetime }: OrganizationBounds,
  expiresAt: number | null,
  createdAt: number,
): number | null {
  if (maxKeyLifetime === null) return expiresAt
  const last = createdAt + maxKeyLifetime
  if (expiresAt === null) return last
  if (expiresAt <= last) return expiresAt
  throw invalidField(
    'expiresAt',
    `must be within ${formatDuration(maxKeyLifetime)} of its creation: the organization allows no longer life`,
  )
}

/**
 * When a key or token ends within its organization, which may have bounded their lives since it was made.
 *
 * @returns epoch ms, or null for never
 */
export function endWithinBounds(
  { createdAt, expiresAt }: { readonly createdAt: number; readonly expiresAt: number | null },
  organization: Pick<OrganizationRecord, 'maxKeyLifetime'> | null,
): number | null {
  const lifetime = organization?.maxKeyLifetime ?? null
  return earliest(expiresAt, lifetime === null ? null : createdAt + lifetime)
}

/** What is left of a grant within an organization. */
export function withinBounds(
  granted: PermissionSet,
  organization: Pick<OrganizationRecord, 'maxPermissions'> | null,
): PermissionSet {
  const most = organization?.maxPermissions ?? null
  return most === null ? granted : granted.intersect(new PermissionSet(most))
}
