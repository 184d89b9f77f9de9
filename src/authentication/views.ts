/** The public form of stored records: what handlers and HTTP answers see. Never a hash. */

import { formatDuration } from '../lib/duration.ts'
import { toTimestamp, toTimestampOrNull } from '../lib/timestamp.ts'
import { keyStatus } from '../storage/key-status.ts'
import type { KeyStatus } from '../storage/ports/keys.ts'
import type { ApiKeyRecord, Environment, RateLimitSetting } from '../storage/records.ts'

export interface CreditsView {
  readonly remaining: number
  /** Up to `amount` again after every `every`, a duration text. */
  readonly refill?: { readonly amount: number; readonly every: string }
}

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
  /** Uses left, as of when it was read. Null for a key that is not limited by a number of uses. */
  readonly credits: CreditsView | null
  readonly expiresAt: string | null
  readonly lastUsedAt: string | null
  readonly createdAt: string
  readonly revokedAt: string | null
  readonly revokedReason: string | null
  readonly rotatedFrom: string | null
  readonly description: string | null
  readonly metadata: Readonly<Record<string, unknown>> | null
}

/** The columns that it shows, or that decide what it shows. */
export type ViewedKey = Pick<
  ApiKeyRecord,
  | Exclude<keyof ApiKeyView, 'status' | 'credits'>
  | 'enabled'
  | 'credits'
  | 'creditsRefillAmount'
  | 'creditsRefillEvery'
  | 'creditsRefilledAt'
>

function toCreditsView(key: ViewedKey, now: number, unused: number): CreditsView | null {
  const { credits, creditsRefillAmount: amount, creditsRefillEvery: every, creditsRefilledAt: since } = key
  if (credits === null) return null
  const remaining = credits + unused
  if (amount === null || every === null || since === null) return { remaining }
  // Storage refills when the key is next used.
  const isDue = now >= since + every
  return {
    remaining: isDue ? Math.max(remaining, amount) : remaining,
    refill: { amount, every: formatDuration(every) },
  }
}

/**
 * @param now ms, decides between active and expired
 * @param unused credits that are claimed from storage and still to come
 */
export function toApiKeyView(key: ViewedKey, now: number, unused = 0): ApiKeyView {
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
    credits: toCreditsView(key, now, unused),
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
