/** Revoking many keys at once, when something has leaked. */
import { type Actor, reachOf } from '../authorization/actor.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import { FieldErrors, invalidField } from '../lib/field-errors.ts'
import { remarkMistake } from '../lib/text.ts'
import { parseTimestamp, toTimestamp } from '../lib/timestamp.ts'
import type { KeySelection, RevokedKey } from '../storage/ports/keys.ts'
import type { KeyServiceOptions } from './options.ts'

/** Keys that all given conditions hold for; at least one must be given. */
export interface LockdownInput {
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  /** RFC 3339 text, or a `Date`: keys made before that moment. */
  readonly createdBefore?: string | Date | undefined
  readonly reason?: string | undefined
  /** Counts only. */
  readonly dryRun?: boolean | undefined
}

export interface Lockdown {
  /** Keys that were revoked, or would be. */
  readonly count: number
  readonly dryRun: boolean
}

export const MAX_REASON = 500
/** Keys that one event names; of more it says how many. */
const MOST_NAMED = 1000

function resolveMoment(given: string | Date | undefined, errors: FieldErrors): number | undefined {
  if (given === undefined) return undefined
  const moment = typeof given === 'string' ? parseTimestamp(given) : given.getTime()
  if (moment !== null && !Number.isNaN(moment)) return moment
  errors.add('createdBefore', 'must be an RFC 3339 time such as 2030-01-31T12:00:00Z')
  return undefined
}

/** As it was asked for. */
type WantedSelection = KeySelection & { readonly organizationId?: string | undefined }

function resolveSelection(input: LockdownInput): WantedSelection {
  const { organizationId, userId, reason } = input
  const errors = new FieldErrors()
  const createdBefore = resolveMoment(input.createdBefore, errors)
  const mistake = reason === undefined ? null : remarkMistake(reason, MAX_REASON)
  if (mistake !== null) errors.add('reason', mistake)
  errors.throwIfAny()
  if (organizationId === undefined && userId === undefined && createdBefore === undefined) {
    throw invalidField('body', 'must say which keys: organizationId, userId or createdBefore')
  }
  return { organizationId, userId, createdBefore }
}

/**
 * Whether a user is an organization's own, or was and has left keys there. Where there are keys to revoke the app is
 * not asked: it may be down.
 */
async function isUserOf({ owners, keys }: KeyServiceOptions, userId: string, organizationId: string): Promise<boolean> {
  return (await keys.countSelected({ userId, organizationId })) > 0 || (await owners.isMember(userId, organizationId))
}

/** A typo must not look like a lockdown: what nobody knows, and no key is left of, is not found. */
async function requireKnown({ owners, keys }: KeyServiceOptions, { organizationId, userId }: WantedSelection) {
  const isKnown =
    (organizationId === undefined ||
      (await keys.countSelected({ organizationId })) > 0 ||
      (await owners.knowsOrganization(organizationId))) &&
    (userId === undefined || (await keys.countSelected({ userId })) > 0 || (await owners.mayKnowUser(userId)))
  if (!isKnown) throw new MachineAuthError('not_found')
}

/** Cuts a selection down to what the actor reaches; null for nothing. */
async function narrow(
  options: KeyServiceOptions,
  selection: WantedSelection,
  actor: Actor,
): Promise<KeySelection | null> {
  const { audit } = options
  const reach = reachOf(actor)
  switch (reach.kind) {
    case 'platform':
      await requireKnown(options, selection)
      return selection
    case 'organization': {
      const { organizationId = reach.organizationId, userId } = selection
      if (organizationId !== reach.organizationId) return audit.refuseOutOfReach(actor, organizationId)
      const isOwn = userId === undefined || (await isUserOf(options, userId, organizationId))
      return isOwn ? { ...selection, organizationId } : audit.refuseOutOfReach(actor, userId)
    }
    case 'own': {
      const { organizationId, userId = reach.userId } = selection
      const foreign = organizationId ?? (userId === reach.userId ? null : userId)
      if (foreign !== null) return audit.refuseOutOfReach(actor, foreign)
      return userId === null ? null : { ...selection, userId, organizationId: null }
    }
  }
}

/** As `KeyService.lockdown`. */
export async function lockDown(options: KeyServiceOptions, input: LockdownInput, actor: Actor): Promise<Lockdown> {
  const { keys, clock, invalidate } = options
  const wanted = resolveSelection(input)
  const selection = await narrow(options, wanted, actor)
  const dryRun = input.dryRun === true
  if (selection === null) return { count: 0, dryRun }
  if (dryRun) return { count: await keys.countSelected(selection), dryRun }
  const reason = input.reason ?? null
  const revoking = keys.revokeSelected(selection, { at: clock(), reason, by: actor.id })
  const revoked = await afterwards(revoking, () => invalidate('key', '*'))
  await note(options, { selection, revoked, reason }, actor)
  return { count: revoked.length, dryRun }
}

interface LockedDown {
  readonly selection: KeySelection
  readonly revoked: readonly RevokedKey[]
  readonly reason: string | null
}

/** Tells every organization of its own keys: its administrators see no other events. */
async function note({ audit }: KeyServiceOptions, { selection, revoked, reason }: LockedDown, actor: Actor) {
  const { userId = null, createdBefore } = selection
  const before = createdBefore === undefined ? null : toTimestamp(createdBefore)
  const byOrganization = Map.groupBy(revoked, ({ organizationId }) => organizationId)
  // That there was nothing to revoke is worth telling as well.
  if (revoked.length === 0) byOrganization.set(selection.organizationId ?? null, [])
  for (const [organizationId, keys] of byOrganization) {
    const named = keys.slice(0, MOST_NAMED).map(({ id }) => id)
    const more = keys.length - named.length
    await audit.record({
      action: 'keys.locked_down',
      actor,
      subject: userId ?? organizationId ?? '*',
      organizationId,
      details: {
        ...{ count: keys.length, keys: named, ...(more === 0 ? {} : { more }) },
        ...{ organizationId, userId, createdBefore: before, reason },
      },
    })
  }
}
