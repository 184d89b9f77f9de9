/** The public form of stored records: what handlers and HTTP answers see. Never a hash. */

import { toTimestamp, toTimestampOrNull } from '../lib/timestamp.ts'
import { keyStatus } from '../storage/key-status.ts'
import type { KeyStatus } from '../storage/ports.ts'
import type { ApiKeyRecord, Environment, RateLimitSetting } from '../storage/records.ts'

/** An API key without its secret; `KeyView` of the HTTP interface. */
export interface ApiKeyView {
  readonly id: string
  readonly name: string
  /** `<prefix>_<environment>_<id>`: enough to recognize the key by. */
  readonly prefix: string
  readonly environment: Environment
  readonly organizationId: string | null
  readonly userId: string | null
  readonly permissions: readonly string[]
  readonly ipAllowlist: readonly string[]
  readonly rateLimit: RateLimitSetting | null
  readonly monthlyQuota: number | null
  readonly status: KeyStatus
  /** Uses left. Null for a key that is not limited by a number of uses, as every key is in this version. */
  readonly credits: null
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly createdAt: string
  readonly revokedAt: string | null
  readonly revokedReason: string | null
  readonly rotatedFrom: string | null
  readonly description: string | null
  readonly metadata: Readonly<Record<string, unknown>> | null
}

/** @param now ms, decides between active and expired */
export function toApiKeyView(key: ApiKeyRecord, now: number): ApiKeyView {
  return Object.freeze({
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    environment: key.environment,
    organizationId: key.organizationId,
    userId: key.userId,
    permissions: key.permissions,
    ipAllowlist: key.ipAllowlist,
    rateLimit: key.rateLimit,
    monthlyQuota: key.monthlyQuota,
    status: keyStatus(key, now),
    credits: null,
    expiresAt: toTimestampOrNull(key.expiresAt),
    lastUsedAt: toTimestampOrNull(key.lastUsedAt),
    createdAt: toTimestamp(key.createdAt),
    revokedAt: toTimestampOrNull(key.revokedAt),
    revokedReason: key.revokedReason,
    rotatedFrom: key.rotatedFrom,
    description: key.description,
    metadata: key.metadata,
  })
}
