/** Who may change a key that is there. */
import { type Actor, reachOf, requireCovering } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { keyStatus } from '../storage/key-status.ts'
import type { ApiKeyRecord, RateLimitSetting } from '../storage/records.ts'
import { refuseFaster, requireLimitedAs, requireWithinRate } from './limits.ts'
import type { KeyServiceOptions } from './options.ts'

/**
 * Demands that an actor can do all that a key can, and its owner, before he changes it or gets a new text of it. Its
 * owner himself need not prove that.
 *
 * @param wanted the key as it would become
 * @throws MachineAuthError `permission_required`
 */
export async function requireOverKey(
  { owners }: Pick<KeyServiceOptions, 'owners'>,
  key: ApiKeyRecord,
  wanted: ApiKeyRecord,
  actor: Actor,
): Promise<void> {
  const isOwner = actor.apiKey === undefined && key.userId !== null && actor.user?.id === key.userId
  if (!isOwner) requireCovering(actor, key.permissions)
  await owners.requireOver(key.userId, actor)
  requireLimitedAs(actor.apiKey, key)
  requireLimitedAs(actor.apiKey, wanted)
  if (reachOf(actor).kind === 'platform') return
  const { rateLimit } = await owners.boundsOf(key.organizationId)
  requireWithinRate(wanted.rateLimit, rateLimit)
}

/**
 * Demands that who acts by a key gives no key a higher rate than the one that holds for his own: its own, else its
 * organization's, else the default.
 *
 * @throws MachineAuthError `permission_required`
 */
export async function requireWithinOwnRate(
  { owners, defaultRateLimit }: Pick<KeyServiceOptions, 'owners' | 'defaultRateLimit'>,
  wanted: RateLimitSetting | null,
  { apiKey, organizationId }: Actor,
): Promise<void> {
  // Without one of its own a key has what the platform set for all.
  if (apiKey === undefined || wanted === null) return
  const own = apiKey.rateLimit ?? (await owners.boundsOf(organizationId)).rateLimit ?? defaultRateLimit
  if (own !== false) refuseFaster(wanted, own)
}

const ENDED = {
  revoked: 'The key was revoked, for good: create a new one.',
  expired: 'The key has expired: give it another expiresAt first, or create a new one.',
  disabled: 'The key is disabled: enable it first.',
} as const

/** The refusal of what cannot be done to a key any more. */
export function keyHasEnded(status: keyof typeof ENDED): MachineAuthError {
  return new MachineAuthError('conflict', { detail: ENDED[status] })
}

/**
 * Demands that a key is in use.
 *
 * @param now epoch ms
 * @throws MachineAuthError `conflict`
 */
export function requireActive(key: ApiKeyRecord, now: number): void {
  const status = keyStatus(key, now)
  if (status !== 'active') throw keyHasEnded(status)
}
