/** A new key as it is stored, before it has a text: made here or brought along. */
import {
  boundExpiry,
  type OrganizationBounds,
  requireWithinPermissions,
  withinBounds,
} from '../authentication/organization-bounds.ts'
import { type Actor, reachOf, requireGrantable } from '../authorization/actor.ts'
import { PermissionSet, PLATFORM_ADMIN } from '../authorization/permission-set.ts'
import { earliest } from '../lib/expiry.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { requireWithinOwnRate } from './authority.ts'
import { requireWithinRate, withLimitsOf } from './limits.ts'
import { type NewApiKey, resolveNewKey } from './new-key.ts'
import type { KeyServiceOptions } from './options.ts'

export type NewRecord = Omit<ApiKeyRecord, 'id' | 'prefix' | 'hash' | 'pepper' | 'lookup'>

/** As much of the defaults as the actor may give and the organization allows: nobody asked for more. */
function narrowed(defaults: readonly string[], actor: Actor, bounds: OrganizationBounds): readonly string[] {
  const { names } = withinBounds(new PermissionSet(defaults).intersect(actor.granted), bounds)
  // As `requireGrantable`: nobody of an organization gives platform reach.
  return actor.organizationId === null ? names : names.filter((name) => !new PermissionSet([name]).has(PLATFORM_ADMIN))
}

/**
 * Checks what is said of a new key, and whether the actor may make it.
 *
 * @param now epoch ms
 * @param createdAt epoch ms, where that is another moment
 * @throws MachineAuthError as `KeyService.create`
 */
export async function resolveNewRecord(
  options: Pick<KeyServiceOptions, 'owners' | 'permissions' | 'defaultPermissions' | 'defaultRateLimit'>,
  input: NewApiKey,
  actor: Actor,
  now: number,
  createdAt = now,
): Promise<NewRecord> {
  const { owners, permissions } = options
  const asked = resolveNewKey(input, permissions, now)
  const checked = withLimitsOf(actor.apiKey, input, asked)
  requireGrantable(actor, checked.permissions)
  const owner = await owners.resolve(input, actor)
  const bounds = await owners.boundsOf(owner.organizationId)
  if (reachOf(actor).kind !== 'platform') requireWithinRate(checked.rateLimit, bounds.rateLimit)
  await requireWithinOwnRate(options, checked.rateLimit, actor)
  requireWithinPermissions(bounds, checked.permissions)
  // What was asked for is refused beyond a bound; what was not is as late as all of them allow.
  const last = boundExpiry(bounds, asked.expiresAt, createdAt)
  // JavaScript may send null.
  const isNamed = (input.permissions ?? null) !== null
  return {
    ...checked,
    ...owner,
    permissions: isNamed ? checked.permissions : narrowed(options.defaultPermissions, actor, bounds),
    expiresAt: earliest(checked.expiresAt, last),
    enabled: true,
    lastUsedAt: null,
    createdAt,
    createdBy: actor.id,
    revokedAt: null,
    revokedReason: null,
    revokedBy: null,
    rotatedFrom: null,
    expiryWarnedAt: null,
  }
}
