import type { ApiKeyRecord, ApiKeyWithOwner, Environment } from '../records.ts'
import type { Page, PageRequest } from './page.ts'

export type KeyStatus = 'active' | 'disabled' | 'revoked' | 'expired'

export interface KeyFilter {
  readonly organizationId?: string | undefined
  readonly userId?: string | undefined
  readonly status?: KeyStatus | undefined
  readonly environment?: Environment | undefined
  /** A literal, case-insensitive substring of name or description; never a pattern. */
  readonly q?: string | undefined
  readonly sort?: 'createdAt' | 'name' | 'lastUsedAt' | undefined
  readonly order?: 'asc' | 'desc' | undefined
}

/** Only the members given are written. */
export type KeyPatch = Partial<
  Pick<
    ApiKeyRecord,
    | 'name'
    | 'description'
    | 'permissions'
    | 'ipAllowlist'
    | 'rateLimit'
    | 'monthlyQuota'
    | 'credits'
    | 'creditsRefillAmount'
    | 'creditsRefillEvery'
    | 'creditsRefilledAt'
    | 'expiresAt'
    | 'expiryWarnedAt'
    | 'metadata'
    | 'enabled'
  >
>

/** Which keys to revoke together; all that are given must hold. */
export interface KeySelection {
  /** Null for keys of no organization. */
  readonly organizationId?: string | null | undefined
  readonly userId?: string | undefined
  /** Epoch ms, exclusive. */
  readonly createdBefore?: number | undefined
}

/** A key that was revoked with others, and whose it was. */
export type RevokedKey = Pick<ApiKeyRecord, 'id' | 'organizationId'>

/** What a claim of credits brought. */
export interface ClaimedUses {
  /** How many there are left after it. */
  readonly left: number
  /** Moves when the credits are set to another number; a refill or a use does not move it. */
  readonly version: number
}

export interface Revocation {
  /** Epoch ms. */
  readonly at: number
  readonly reason: string | null
  /** Id of who revokes. */
  readonly by: string
}

/** How the old key of a rotation ends. */
export interface KeyRotation {
  /** As the caller read it. */
  readonly old: ApiKeyRecord
  readonly at: number
  /** Epoch ms at which the old key expires; null revokes it at once. */
  readonly oldExpiresAt: number | null
  readonly reason: string
  readonly by: string
  /** The use of a month that the new key takes over: `period` such as `2030-01`. */
  readonly quota: { readonly period: string; readonly from: string; readonly to: string }
}

export interface KeyStore {
  /** Inserts a key. The id is random, so a clash is an `internal_error`. */
  insert(key: ApiKeyRecord): Promise<void>
  /** The key alone, whatever its state. */
  find(id: string): Promise<ApiKeyRecord | null>
  /** Those of these ids that there are, whatever their state, in no order. */
  findMany(ids: readonly string[]): Promise<readonly ApiKeyRecord[]>
  /** The key with its user and organization, read in one statement: the verification read. */
  findWithOwner(id: string): Promise<ApiKeyWithOwner | null>
  /** `now` (ms) decides which keys count as expired. Paging stays stable while keys are added. */
  list(filter: KeyFilter, page: PageRequest, now: number): Promise<Page<ApiKeyRecord>>
  /** Revokes once: exactly one of racing callers receives the row, later ones and unknown ids null. */
  revoke(id: string, revocation: Revocation): Promise<ApiKeyRecord | null>
  /** Those of a selection that are not revoked. */
  countSelected(selection: KeySelection): Promise<number>
  /** Revokes all of a selection in one transaction with one change of subject `*`; answers those that it revoked. */
  revokeSelected(selection: KeySelection, revocation: Revocation): Promise<readonly RevokedKey[]>
  /**
   * Writes the given members, and nothing else, in one transaction with a change. Null for an unknown id and for a
   * revoked key: no update that races with a revocation brings a key back. Racing callers that give different members
   * all take effect, unless they say what they have read: rejects with `conflict`, and nothing is written, when the key
   * is not as `known` any more, apart from its use. Rejects with `conflict` also for a later expiry, or none, of a key
   * that has a successor.
   */
  update(id: string, patch: KeyPatch, now: number, known?: ApiKeyRecord): Promise<ApiKeyRecord | null>
  /**
   * Inserts the successor of key `successor.rotatedFrom` and ends the old one, with a change, in one transaction. The
   * successor takes over what is stored as used of the quota, and the credits that are left when the old key is
   * revoked at once. Answers the successor as stored, or null, and nothing is written, for a key that is unknown,
   * revoked, disabled or expired. Rejects with `conflict` when the key has a successor: of racing callers one gets one;
   * and when it was changed since the caller read it, so that what was taken from it is not its successor's.
   */
  rotate(successor: ApiKeyRecord, rotation: KeyRotation): Promise<ApiKeyRecord | null>
  /** Keys whose id begins with a text, at most `limit`. */
  findByIdStart(start: string, limit: number): Promise<readonly ApiKeyRecord[]>
  /**
   * A key by what its foreign text is found by, with its owner; see `findWithOwner`. Of several the one whose lookup
   * comes first in the list.
   */
  findByLookup(lookups: readonly string[]): Promise<ApiKeyWithOwner | null>
  /** How many there are, and how many of them are usable at `now` (epoch ms). */
  count(now: number): Promise<{ readonly all: number; readonly active: number }>
  /** How many keys that are not revoked each organization has; none is 0. */
  countByOrganization(organizationIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  /**
   * Notes for usable keys that expire after `now` and up to `until` (ms) that this was told of, at most `limit`, and
   * answers them: each key is answered to one caller, once for each expiry it is given.
   */
  claimExpiryWarnings(now: number, until: number, limit: number): Promise<readonly ApiKeyRecord[]>
  /**
   * Replaces the hash, and what a foreign text is found by where `lookup` is given, only while the hash is still under
   * `fromPepper`; answers whether this call did it.
   */
  rehash(id: string, fromPepper: string, hash: string, pepper: string, lookup?: string): Promise<boolean>
  /** How many usable keys carry a pepper that is not in `known`, those left out that are hashed as where they came from. */
  countUnknownPeppers(known: readonly string[]): Promise<number>
  /** What the usable keys of foreign texts carry as pepper, each once. */
  foreignPeppers(): Promise<readonly string[]>
  /**
   * Takes `amount` (1 or more) of the uses left, refilled first where that is due at `now` (ms): when whole periods of
   * `creditsRefillEvery` have passed, `credits` counts as no less than `creditsRefillAmount`, and `creditsRefilledAt`
   * moves forward by those periods. Answers what was claimed, or null, and nothing is written, when there are too few. Null also for an unknown key and for one that is not limited by uses: ask only where `credits` is not
   * null. Racing callers never take more than there is: of 100 for the last use exactly one receives a number, and
   * a refill that is due happens once.
   */
  claimCredits(id: string, amount: number, now: number): Promise<ClaimedUses | null>
  /**
   * Adds `amount` back, if it was claimed of the number that is there now: nothing is written when the credits were set
   * since `version`. A key that is not limited by uses stays so. Nothing is lost when callers race. What is given back
   * after a refill is left on top of it.
   */
  giveBackCredits(id: string, amount: number, version: number): Promise<void>
}
