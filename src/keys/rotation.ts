/** Giving a key a new text, while the old one works on for a while. */
import { boundExpiry, endWithinBounds } from '../authentication/organization-bounds.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import type { Actor } from '../authorization/actor.ts'
import { generateApiKey } from '../credentials/api-key-format.ts'
import { afterwards } from '../lib/afterwards.ts'
import { formatDuration, isDuration, parseDuration } from '../lib/duration.ts'
import { earliest } from '../lib/expiry.ts'
import { invalidField } from '../lib/field-errors.ts'
import { toTimestampOrNull } from '../lib/timestamp.ts'
import { monthOf } from '../limits/month.ts'
import { subjectOf } from '../limits/subjects.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { keyHasEnded, requireActive, requireOverKey, requireWithinOwnRate } from './authority.ts'
import { creationOf } from './creation-event.ts'
import { type KeyServiceOptions, requireKey, viewOf } from './options.ts'

export interface RotationInput {
  /** How long the old key works on, as text or seconds, at most `'90d'`; `'0s'` revokes it at once. Default `'1h'`. */
  readonly gracePeriod?: string | number | undefined
}

const DEFAULT_GRACE = 3_600_000
const LONGEST_GRACE = 90 * 86_400_000
const REASON = 'rotated'

/** ms */
function resolveGrace({ gracePeriod }: RotationInput, key: ApiKeyRecord): number {
  // Uses left cannot be in two places.
  const isCounted = key.credits !== null
  if (gracePeriod === undefined) return isCounted ? 0 : DEFAULT_GRACE
  const grace = isDuration(gracePeriod) ? parseDuration(gracePeriod) : Number.NaN
  if (!(grace >= 0 && grace <= LONGEST_GRACE)) {
    throw invalidField('gracePeriod', `must be a duration up to ${formatDuration(LONGEST_GRACE)}, such as '1h'`)
  }
  if (isCounted && grace > 0) {
    throw invalidField('gracePeriod', "must be '0s' for a key with credits: they go to the new key at once")
  }
  return grace
}

/** As `KeyService.rotate`. */
export async function rotateKey(
  options: KeyServiceOptions,
  id: string,
  input: RotationInput,
  actor: Actor,
): Promise<{ readonly key: ApiKeyView; readonly rawKey: string }> {
  const { keys, owners, hasher, prefix, clock, invalidate, credits, audit } = options
  const old = await requireKey(options, id, actor)
  const grace = resolveGrace(input, old)
  const now = clock()
  const bounds = await owners.boundsOf(old.organizationId)
  requireActive({ ...old, expiresAt: endWithinBounds(old, bounds) }, now)
  await requireOverKey(options, old, old, actor)
  await requireWithinOwnRate(options, old.rateLimit, actor)
  const { id: newId, shown, raw } = generateApiKey(prefix, old.environment)
  const successor: ApiKeyRecord = {
    ...old,
    ...hasher.hash(raw),
    id: newId,
    prefix: shown,
    lastUsedAt: null,
    createdAt: now,
    createdBy: actor.id,
    rotatedFrom: id,
    // The organization may have bounded the lives of its keys since the old one was made.
    expiresAt: earliest(old.expiresAt, boundExpiry(bounds, null, now)),
    expiryWarnedAt: null,
    lookup: null,
  }
  const oldExpiresAt = grace === 0 ? null : earliest(now + grace, old.expiresAt)
  const quota = { period: monthOf(now), from: subjectOf('apiKey', id), to: subjectOf('apiKey', newId) }
  const rotating = keys.rotate(successor, { old, at: now, oldExpiresAt, reason: REASON, by: actor.id, quota })
  const stored = await afterwards(rotating, () => {
    invalidate('key', id)
    if (old.credits !== null) credits.forget(id)
  })
  if (stored === null) {
    // Somebody was faster.
    requireActive(await requireKey(options, id, actor), clock())
    throw keyHasEnded('revoked')
  }
  const event = { actor, organizationId: old.organizationId }
  const details = { successor: newId, oldExpiresAt: toTimestampOrNull(oldExpiresAt) }
  await audit.record({ ...event, action: 'key.rotated', subject: id, details })
  // Whoever asks what became of the new key finds out where it comes from.
  await audit.record({ ...event, action: 'key.created', subject: newId, details: creationOf(stored) })
  return { key: viewOf(options, stored), rawKey: raw }
}
