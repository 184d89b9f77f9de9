/** Changing a key. */
import { boundExpiry, requireWithinPermissions } from '../authentication/organization-bounds.ts'
import type { ApiKeyView } from '../authentication/views.ts'
import { type Actor, requireGrantable } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import { invalidField } from '../lib/field-errors.ts'
import { differencesOf } from '../recording/differences.ts'
import type { KeyPatch } from '../storage/ports/keys.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { keyHasEnded, requireOverKey } from './authority.ts'
import { type KeyChange, resolveKeyChange } from './key-change.ts'
import { type KeyServiceOptions, requireKey, viewOf } from './options.ts'

/** Their values are the app's own affair; that they changed is not. */
const HIDDEN = ['metadata', 'description']
/** Of no interest to people: they follow from other members. */
const INTERNAL = { creditsRefilledAt: undefined, expiryWarnedAt: undefined }

/** Switching a key off takes nothing but the right to revoke keys of that reach. */
function isSwitchingOff(patch: KeyPatch): boolean {
  return patch.enabled === false && Object.keys(patch).length === 1
}

/** What the organization makes of a change. */
async function withinOrganization(
  { owners }: KeyServiceOptions,
  key: ApiKeyRecord,
  patch: KeyPatch,
  now: number,
): Promise<KeyPatch> {
  if (patch.permissions === undefined && patch.expiresAt === undefined) return patch
  const bounds = await owners.boundsOf(key.organizationId)
  if (patch.permissions !== undefined) requireWithinPermissions(bounds, patch.permissions)
  if (patch.expiresAt === undefined) return patch
  const expiresAt = boundExpiry(bounds, patch.expiresAt, key.createdAt)
  // Whoever takes an expiry away does not want the key to end by it.
  if (expiresAt !== null && expiresAt <= now) {
    throw invalidField('expiresAt', 'cannot be taken away: the key has lived for as long as its organization allows')
  }
  return { ...patch, expiresAt }
}

/** As `KeyService.update`. */
export async function updateKey(
  options: KeyServiceOptions,
  id: string,
  change: KeyChange,
  actor: Actor,
): Promise<ApiKeyView> {
  const { keys, permissions, clock, invalidate, credits } = options
  const now = clock()
  const key = await requireKey(options, id, actor)
  const checked = resolveKeyChange(change, permissions, now)
  if (key.revokedAt !== null) throw keyHasEnded('revoked')
  if (Object.keys(checked).length === 0) return viewOf(options, key)
  const patch = await withinOrganization(options, key, checked, now)
  if (!isSwitchingOff(patch)) await requireOverKey(options, key, { ...key, ...patch }, actor)
  if (patch.permissions !== undefined) requireGrantable(actor, patch.permissions)
  const updated = await afterwards(keys.update(id, patch, now), () => {
    invalidate('key', id)
    if (patch.credits !== undefined) credits.forget(id)
  })
  if (updated === null) {
    // Somebody was faster.
    throw (await keys.find(id)) === null ? new MachineAuthError('not_found') : keyHasEnded('revoked')
  }
  await note(options, key, patch, actor)
  return viewOf(options, updated)
}

async function note({ audit }: KeyServiceOptions, key: ApiKeyRecord, patch: KeyPatch, actor: Actor): Promise<void> {
  const { enabled = key.enabled, ...others } = patch
  const event = { actor, subject: key.id, organizationId: key.organizationId }
  if (enabled !== key.enabled) await audit.record({ ...event, action: enabled ? 'key.enabled' : 'key.disabled' })
  const differences = differencesOf(key, { ...others, ...INTERNAL }, HIDDEN)
  if (differences !== null) await audit.record({ ...event, action: 'key.updated', details: { ...differences } })
}
