/** The public form of users, organizations and roles. Times are RFC 3339 UTC. */
import { formatDuration } from '../lib/duration.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import type { OrganizationRecord, UserRecord } from '../storage/records.ts'

/** A user without his password hash. */
export interface UserView {
  readonly id: string
  readonly email: string
  readonly organizationId: string | null
  readonly roles: readonly string[]
  readonly status: UserRecord['status']
  readonly createdAt: string
}

export interface OrganizationView {
  readonly id: string
  readonly name: string
  readonly status: OrganizationRecord['status']
  /** Of each of its keys that has none of its own. */
  readonly rateLimit: OrganizationRecord['rateLimit']
  /** Of all its keys together, in a calendar month (UTC). */
  readonly monthlyQuota: number | null
  /** What its keys and opaque tokens may have at most; null for no bound. */
  readonly maxPermissions: readonly string[] | null
  /** How long its keys and opaque tokens live at most, a duration text such as `90d`; null for no bound. */
  readonly maxKeyLifetime: string | null
  /** Its keys that are not revoked. */
  readonly keyCount: number
  readonly createdAt: string
}

export interface RoleView {
  readonly name: string
  readonly permissions: readonly string[]
  readonly inherits: readonly string[]
  /** `options`: from the configuration, not to be changed here. */
  readonly source: 'options' | 'stored'
}

export function toUserView({ id, email, organizationId, roles, status, createdAt }: UserRecord): UserView {
  return Object.freeze({ id, email, organizationId, roles, status, createdAt: toTimestamp(createdAt) })
}

/** @param keyCount its keys that are not revoked */
export function toOrganizationView(organization: OrganizationRecord, keyCount: number): OrganizationView {
  const { id, name, status, rateLimit, monthlyQuota, maxPermissions, maxKeyLifetime, createdAt } = organization
  return Object.freeze({
    id,
    name,
    status,
    rateLimit,
    monthlyQuota,
    maxPermissions,
    maxKeyLifetime: maxKeyLifetime === null ? null : formatDuration(maxKeyLifetime),
    keyCount,
    createdAt: toTimestamp(createdAt),
  })
}
