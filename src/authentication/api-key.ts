/** Verifies API keys. */
import type { PermissionSet } from '../authorization/permission-set.ts'
import { SharedSets } from '../authorization/shared-sets.ts'
import { ID_OFFSET, parseApiKey } from '../credentials/api-key-format.ts'
import { createAddressMatcher } from '../lib/ip.ts'
import { Shared } from '../lib/shared.ts'
import { toTimestamp } from '../lib/timestamp.ts'
import { keyStatus } from '../storage/key-status.ts'
import type { KeyStore } from '../storage/ports/keys.ts'
import type { ApiKeyWithOwner } from '../storage/records.ts'
import type { CredentialKind, Found } from './authenticator.ts'
import type { SecretHasher } from './hasher.ts'
import { kindOfPepper } from './imported-keys/foreign-texts.ts'
import { createCommonColumns } from './key-columns.ts'
import { createProvenKeys } from './key-principal.ts'
import { endWithinBounds, withinBounds } from './organization-bounds.ts'
import {
  type ApiKeyPrincipal,
  type KeyUse,
  type Outcome,
  type Refusal,
  refusal,
  type User,
  unverifiable,
} from './principal.ts'
import { slotAt } from './slots.ts'
import type { UserDirectory, UserOutcome } from './user-directory.ts'

export const INVALID = refusal('api_key_invalid')
/** Of a key that is stored under another secret. */
export const UNVERIFIABLE = unverifiable(INVALID)

const STATUS_REFUSALS = {
  revoked: refusal('api_key_revoked'),
  expired: refusal('api_key_expired'),
  disabled: refusal('api_key_disabled'),
} as const

/** A key as it may be used: its organization may have bounded the lives of its keys since it was made. */
export function withinLifetime(found: ApiKeyWithOwner): ApiKeyWithOwner {
  const { key, organization } = found
  const expiresAt = endWithinBounds(key, organization)
  return expiresAt === key.expiresAt ? found : { ...found, key: { ...key, expiresAt } }
}

/** Each of these is told apart only for someone who holds the right secret. */
export function stateRefusal({ key, user, organization }: ApiKeyWithOwner, now: number): Refusal | null {
  const status = keyStatus(key, now)
  if (status !== 'active') return STATUS_REFUSALS[status]
  if (organization?.status === 'suspended') return refusal('organization_suspended')
  // An organization that is named but gone owns nothing any more.
  if (key.organizationId !== null && organization === null) return refusal('organization_suspended')
  if (user?.status === 'disabled') return refusal('user_disabled')
  return null
}

/** A refusal that says which key was refused, for what is recorded of the request. */
function refusedFor({ key: { id, organizationId } }: ApiKeyWithOwner, refused: Refusal): Refusal {
  return { ...refused, refusedKey: { id, organizationId } }
}

const shared = new Shared()
const sets = new SharedSets()

/** A key that was proven, and what it is forgotten by. */
export function toFound(base: ApiKeyWithOwner): Found<ApiKeyWithOwner> {
  const { key, user, organization } = base
  return {
    base,
    validUntil: key.expiresAt ?? Number.POSITIVE_INFINITY,
    dependencies: { key: key.id, user: user?.id ?? key.userId, organization: shared.text(organization?.id ?? null) },
  }
}

const OWNER_REFUSALS = {
  unknown: refusal('user_disabled'),
  disabled: refusal('user_disabled'),
  suspended: refusal('organization_suspended'),
} as const

/** A key acts for its owner inside one organization; it does not follow the owner out of it. */
const LEFT = refusal('user_disabled', { detail: "The key's owner no longer belongs to its organization." })

/** Of most keys: one for all of them. */
const NO_USE: KeyUse = Object.freeze({ rateLimit: null, monthlyQuota: null, organizationQuota: null, credits: null })

function isUnlimited({ key, organization }: ApiKeyWithOwner): boolean {
  const quota = organization?.monthlyQuota ?? null
  const rate = key.rateLimit ?? organization?.rateLimit ?? null
  return rate === null && key.monthlyQuota === null && quota === null && key.credits === null
}

function useOf(base: ApiKeyWithOwner): KeyUse {
  if (isUnlimited(base)) return NO_USE
  const { key, organization } = base
  const { creditsRefillEvery: every, creditsRefilledAt: since } = key
  const quota = organization?.monthlyQuota ?? null
  return {
    rateLimit: key.rateLimit ?? organization?.rateLimit ?? null,
    monthlyQuota: key.monthlyQuota,
    organizationQuota:
      organization === null || quota === null ? null : { organizationId: organization.id, limit: quota },
    credits: key.credits === null ? null : { refill: every === null || since === null ? null : { every, since } },
  }
}

/** Whether a text of ours that does not match is wrong: one that stands for an imported key, not used yet, always is. */
function isJudged({ key }: ApiKeyWithOwner, hasher: SecretHasher): boolean {
  return hasher.isKnown(key) || kindOfPepper(key.pepper) !== null
}

export interface ApiKeyKindOptions {
  readonly prefix: string
  readonly keys: KeyStore
  readonly hasher: SecretHasher
  readonly users: UserDirectory
  /** ms before a key expires from which on answers say so; 0 for never. */
  readonly expiryWarning: number
}

export function createApiKeyKind(options: ApiKeyKindOptions): CredentialKind<ApiKeyWithOwner, ApiKeyPrincipal> {
  const { prefix, keys, hasher, users, expiryWarning } = options
  const toPrincipal = createProvenKeys(prefix)
  const commonOf = createCommonColumns(prefix)

  async function lookup(text: string, now: number): Promise<Found<ApiKeyWithOwner> | Refusal> {
    const parsed = parseApiKey(prefix, text)
    if (parsed === null) return INVALID
    const stored = await keys.findWithOwner(parsed.id)
    const found = stored === null ? null : withinLifetime(stored)
    // An unknown id does the same work as a known one, so that the time tells nothing.
    const isRight = hasher.matches(text, found?.key ?? null)
    if (found === null) return INVALID
    if (!isRight) return isJudged(found, hasher) ? INVALID : UNVERIFIABLE
    if (found.key.environment !== parsed.environment) return INVALID
    const refused = stateRefusal(found, now)
    if (refused !== null) return refusedFor(found, refused)
    if (!hasher.isCurrent(found.key)) {
      const renewed = hasher.hash(text)
      await keys.rehash(found.key.id, found.key.pepper, renewed.hash, renewed.pepper)
    }
    return toFound(found)
  }

  function warningOf({ expiresAt }: ApiKeyWithOwner['key'], now: number): string | null {
    return expiresAt === null || expiresAt - now > expiryWarning ? null : toTimestamp(expiresAt)
  }

  function compose(base: ApiKeyWithOwner, owner: { user: User; granted: PermissionSet } | null, now: number) {
    const { key } = base
    const own = sets.of(key.permissions)
    const whole = owner === null ? own : sets.intersection(own, owner.granted)
    return toPrincipal({
      id: key.id,
      // Also its owner's, who has no other one.
      organizationId: shared.text(key.organizationId),
      user: owner?.user ?? null,
      granted: withinBounds(whole, base.organization),
      allowsAddress: key.ipAllowlist.length === 0 ? null : createAddressMatcher(key.ipAllowlist),
      expiryWarning: warningOf(key, now),
      use: useOf(base),
      own: key,
      common: commonOf(key),
      verifiedAt: now,
    })
  }

  function withOwner(base: ApiKeyWithOwner, outcome: UserOutcome, now: number): Outcome<ApiKeyPrincipal> {
    if (outcome.kind !== 'user') return refusedFor(base, OWNER_REFUSALS[outcome.kind])
    const { organizationId } = outcome.user
    const belongs = organizationId === null || organizationId === base.key.organizationId
    return belongs ? compose(base, outcome, now) : refusedFor(base, LEFT)
  }

  function principalOf(base: ApiKeyWithOwner, now: number) {
    const { userId } = base.key
    if (userId === null) return compose(base, null, now)
    const owner = users.find({ id: userId, user: base.user, organization: base.organization })
    return owner instanceof Promise
      ? owner.then((outcome) => withOwner(base, outcome, now))
      : withOwner(base, owner, now)
  }

  function refuseMalformed(text: string): Refusal | undefined {
    return parseApiKey(prefix, text) === null ? INVALID : undefined
  }

  return {
    slotOf: (text) => slotAt(text, text.length - ID_OFFSET),
    own: { kind: 'key', slotOf: (id) => slotAt(id, 'key_'.length) },
    refuseMalformed,
    isLasting: (refused) => refused === INVALID,
    lookup,
    principalOf,
  }
}
