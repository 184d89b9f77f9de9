/** Changing a key. */
import { boundExpiry, requireWithinPermissions } from '../authentication/organization-bounds.ts'
import { type ApiKeyView, toApiKeyView } from '../authentication/views.ts'
import { type Actor, requireGrantable } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import { invalidField } from '../lib/field-errors.ts'
import { differencesOf } from '../recording/audit/differences.ts'
import type { KeyPatch } from '../storage/ports/keys.ts'
import type { ApiKeyRecord } from '../storage/records.ts'
import { keyHasEnded, requireOverKey, requireWithinOwnRate } from './authority.ts'
import { type KeyChange, resolveKeyChange } from './key-change.ts'
import { type KeyServiceOptions, requireKey, viewOf } from './options.ts'

/** Their values are the app's own affair; that they changed is not. */
const HIDDEN = ['metadata', 'description']
const REVOKE = 'machine_auth.keys.delete'
/** Of callers that change the same key at once each is judged by what the others have made of it. */
const ATTEMPTS = 20

function isSwitchingOff(patch: KeyPatch): boolean {
  return patch.enabled === false && Object.keys(patch).length === 1
}

/** Switching a key off takes nothing but the right to revoke keys of that reach. */
function maySwitchOff(patch: KeyPatch, actor: Actor): boolean {
  return isSwitchingOff(patch) && actor.granted.has(REVOKE)
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

/** The key as it was found, and what is to be written, if anything. */
interface JudgedChange {
  readonly key: ApiKeyRecord
  readonly patch: KeyPatch
  readonly isEmpty: boolean
}

/** Checks the change, and whether the actor may make it of the key as it is now. */
async function judge(options: KeyServiceOptions, id: string, change: KeyChange, actor: Actor): Promise<JudgedChange> {
  const now = options.clock()
  const key = await requireKey(options, id, actor)
  const checked = resolveKeyChange(change, options.permissions, now)
  if (key.revokedAt !== null) throw keyHasEnded('revoked')
  if (Object.keys(checked).length === 0) return { key, patch: checked, isEmpty: true }
  const patch = await withinOrganization(options, key, checked, now)
  if (!maySwitchOff(patch, actor)) await requireOverKey(options, key, { ...key, ...patch }, actor)
  if (patch.rateLimit !== undefined) await requireWithinOwnRate(options, patch.rateLimit, actor)
  if (patch.permissions !== undefined) requireGrantable(actor, patch.permissions)
  return { key, patch, isEmpty: false }
}

/** What storage refused, and the key that it was judged by. */
class Conflict {
  constructor(
    readonly key: ApiKeyRecord,
    readonly error: unknown,
  ) {}
}

function isConflict(error: unknown): boolean {
  return error instanceof MachineAuthError && error.code === 'conflict'
}

/** As `KeyService.update`. */
export async function updateKey(
  options: KeyServiceOptions,
  id: string,
  change: KeyChange,
  actor: Actor,
): Promise<ApiKeyView> {
  const { keys, clock, invalidate, credits } = options
  let refused: Conflict | null = null
  for (let attempt = 1; ; attempt += 1) {
    const { key, patch, isEmpty } = await judge(options, id, change, actor)
    // Nobody was faster: it is the key itself that does not allow it.
    if (refused !== null && Bun.deepEquals(refused.key, key)) throw refused.error
    if (isEmpty) return viewOf(options, key)
    const unused = credits.unused(id)
    // Off is off, whatever others make of the key: switching off loses to nobody.
    const updating = keys.update(id, patch, clock(), isSwitchingOff(patch) ? undefined : key)
    const updated = await afterwards(updating, () => {
      invalidate('key', id)
      if (patch.credits !== undefined) credits.forget(id)
    }).catch((error: unknown) => {
      // Somebody was faster: what he made of the key is judged anew.
      if (isConflict(error) && attempt < ATTEMPTS) return new Conflict(key, error)
      throw error
    })
    if (updated instanceof Conflict) {
      refused = updated
      continue
    }
    if (updated === null)
      throw (await keys.find(id)) === null ? new MachineAuthError('not_found') : keyHasEnded('revoked')
    await note(options, { key, unused, updated, change }, actor)
    return viewOf(options, updated)
  }
}

interface Changed {
  readonly key: ApiKeyRecord
  /** Credits that were claimed and still to come. */
  readonly unused: number
  readonly updated: ApiKeyRecord
  readonly change: KeyChange
}

/** Tells of the members that were asked for, as views show them. */
async function note({ audit, clock }: KeyServiceOptions, changed: Changed, actor: Actor): Promise<void> {
  const { key, unused, updated, change } = changed
  const event = { actor, subject: key.id, organizationId: key.organizationId }
  if (updated.enabled !== key.enabled) {
    await audit.record({ ...event, action: updated.enabled ? 'key.enabled' : 'key.disabled' })
  }
  const now = clock()
  const asked = Object.entries(toApiKeyView(updated, now)).filter(
    ([name]) => change[name as keyof KeyChange] !== undefined,
  )
  const differences = differencesOf(toApiKeyView(key, now, unused), Object.fromEntries(asked), HIDDEN)
  if (differences !== null) await audit.record({ ...event, action: 'key.updated', details: { ...differences } })
}
