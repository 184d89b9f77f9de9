/** Who may change a key that is there. */
import { type Actor, reachOf, requireCovering } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { keyStatus } from '../storage/key-status.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { requireLimitedAs, requireWithinRate } from './limits.ts'
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
