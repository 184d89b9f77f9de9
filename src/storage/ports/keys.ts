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

export interface KeyStore {
  /** Inserts a key. The id is random, so a clash is an `internal_error`. */
  insert(key: ApiKeyRecord): Promise<void>
  /** The key alone, whatever its state. */
  find(id: string): Promise<ApiKeyRecord | null>
  /** The key with its user and organization, read in one statement: the verification read. */
  findWithOwner(id: string): Promise<ApiKeyWithOwner | null>
  /** `now` (ms) decides which keys count as expired. Paging stays stable while keys are added. */
  list(filter: KeyFilter, page: PageRequest, now: number): Promise<Page<ApiKeyRecord>>
  /** Revokes once: exactly one of racing callers receives the row, later ones and unknown ids null. */
  revoke(id: string, revocation: { at: number; reason: string | null; by: string }): Promise<ApiKeyRecord | null>
  /** Replaces the hash only while it is still under `fromPepper`; answers whether this call did it. */
  rehash(id: string, fromPepper: string, hash: string, pepper: string): Promise<boolean>
  /** How many usable keys carry a pepper that is not in `known`. */
  countUnknownPeppers(known: readonly string[]): Promise<number>
  /**
   * Takes `amount` (1 or more) of the uses left, refilled first where that is due at `now` (ms): when whole periods of
   * `creditsRefillEvery` have passed, `credits` counts as no less than `creditsRefillAmount`, and `creditsRefilledAt`
   * moves forward by those periods. Answers what is left afterwards, or null, and nothing is written, when there are
   * too few. Null also for an unknown key and for one that is not limited by uses: ask only where `credits` is not
   * null. Racing callers never take more than there is: of 100 for the last use exactly one receives a number, and
   * a refill that is due happens once.
   */
  claimCredits(id: string, amount: number, now: number): Promise<number | null>
  /**
   * Adds `amount` back; a key that is not limited by uses stays so. Nothing is lost when callers race. What is given
   * back after a refill is left on top of it.
   */
  giveBackCredits(id: string, amount: number): Promise<void>
}
