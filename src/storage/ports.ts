/**
 * The storage the core needs, as atomic verbs. Each comment states what holds when calls race.
 *
 * Every verb that takes something away (revokes, disables, suspends, deletes) also records a change in the
 * same transaction, so that no process can see the one without the other (see `ChangeStore`).
 * Any verb may reject with `MachineAuthError('storage_unavailable')`.
 */
import type {
  ApiKeyRecord,
  ApiKeyWithOwner,
  AuditRecord,
  BearerTokenRecord,
  BearerTokenWithOwner,
  BlockRecord,
  ChangeRecord,
  Environment,
  OrganizationRecord,
  RateLimitSetting,
  RefreshFamilyRecord,
  RefreshFamilyWithUser,
  RoleRecord,
  SessionRecord,
  SessionWithUser,
  SigningKeyRecord,
  UserRecord,
} from './records.ts'

/** A page of a list, newest first unless said otherwise. `cursor` is opaque to callers. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

export interface PageRequest {
  readonly cursor?: string | undefined
  /** 1 to 100. */
  readonly limit: number
}

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

/** Only the members given are written; null takes the limit away. */
export interface OrganizationLimits {
  readonly rateLimit?: RateLimitSetting | null
  readonly monthlyQuota?: number | null
}

export interface OrganizationStore {
  /** Rejects with `conflict` when the name is taken. */
  insert(organization: OrganizationRecord): Promise<void>
  find(id: string): Promise<OrganizationRecord | null>
  findByName(name: string): Promise<OrganizationRecord | null>
  list(page: PageRequest): Promise<Page<OrganizationRecord>>
  /** Answers the new row, or null when the id is unknown. Suspending records a change. */
  setStatus(id: string, status: OrganizationRecord['status'], now: number): Promise<OrganizationRecord | null>
  /**
   * Writes the given members in one statement and records a change; null when the id is unknown. Racing callers that
   * give different members both take effect.
   */
  setLimits(id: string, limits: OrganizationLimits, now: number): Promise<OrganizationRecord | null>
}

/** Only the members given are written. */
export interface UserPatch {
  readonly email?: string
  readonly passwordHash?: string | null
  readonly organizationId?: string | null
  readonly roles?: readonly string[]
  readonly status?: UserRecord['status']
  readonly tokensNotBefore?: number
}

export interface UserStore {
  /** Rejects with `conflict` when the e-mail is taken. */
  insert(user: UserRecord): Promise<void>
  find(id: string): Promise<UserRecord | null>
  /** `email` in its lower-case form. */
  findByEmail(email: string): Promise<UserRecord | null>
  findWithOrganization(
    id: string,
  ): Promise<{ readonly user: UserRecord; readonly organization: OrganizationRecord | null } | null>
  list(filter: { readonly organizationId?: string | undefined }, page: PageRequest): Promise<Page<UserRecord>>
  /** Writes the given members in one statement and records a change; null when the id is unknown. */
  update(id: string, patch: UserPatch, now: number): Promise<UserRecord | null>
  /** Replaces the hash only while it is still `from` (an upgrade on login must not undo a password change). */
  upgradePasswordHash(id: string, from: string, to: string): Promise<boolean>
}

export interface SigningKeyStore {
  /**
   * Inserts `candidate` unless an unretired key of its algorithm exists under its encryption key; answers the
   * key that is current afterwards. Racing callers all receive the same key.
   */
  ensureCurrent(candidate: SigningKeyRecord): Promise<SigningKeyRecord>
  /** Every key, newest first: current ones sign, retired ones still verify. */
  list(): Promise<readonly SigningKeyRecord[]>
  /**
   * Retires every unretired key at `candidate.createdAt` (ms) and inserts `candidate`, in one transaction. Of racing
   * callers at least one succeeds; another may reject with `conflict`.
   */
  rotate(candidate: SigningKeyRecord): Promise<void>
}

export interface RefreshFamilyStore {
  insert(family: RefreshFamilyRecord): Promise<void>
  find(id: string): Promise<RefreshFamilyWithUser | null>
  /**
   * Spends token number `fromSequence`: raises the sequence by one and sets `rotatedAt` and `expiresAt`, only while
   * `sequence` is still `fromSequence` and the family is not revoked. Exactly one of racing callers receives the
   * new row, the others null.
   */
  rotate(id: string, fromSequence: number, now: number, expiresAt: number): Promise<RefreshFamilyRecord | null>
  /** Revokes once; exactly one of racing callers receives true. */
  revoke(id: string, reason: string, now: number): Promise<boolean>
  /** Revokes every live family of a user; answers how many. */
  revokeByUser(userId: string, reason: string, now: number): Promise<number>
  /** Deletes families that expired before `before` (ms). */
  purge(before: number): Promise<number>
}

export interface BearerTokenStore {
  insert(token: BearerTokenRecord): Promise<void>
  findWithOwner(id: string): Promise<BearerTokenWithOwner | null>
  list(page: PageRequest): Promise<Page<BearerTokenRecord>>
  /** Revokes once: exactly one of racing callers receives the row. */
  revoke(id: string, reason: string | null, now: number): Promise<BearerTokenRecord | null>
  /** As `KeyStore.rehash`. */
  rehash(id: string, fromPepper: string, hash: string, pepper: string): Promise<boolean>
  /** As `KeyStore.countUnknownPeppers`. */
  countUnknownPeppers(known: readonly string[]): Promise<number>
}

export interface SessionStore {
  insert(session: SessionRecord): Promise<void>
  findByHash(hash: string): Promise<SessionWithUser | null>
  listByUser(userId: string, now: number): Promise<readonly SessionRecord[]>
  /** Moves `lastSeenAt` forward, never back. */
  touch(id: string, at: number): Promise<void>
  /** Ends a session; exactly one of racing callers receives the row. `userId` restricts it to that user's own. */
  delete(id: string, userId?: string): Promise<SessionRecord | null>
  deleteByUser(userId: string, now: number): Promise<number>
  purge(before: number): Promise<number>
}

export interface RoleStore {
  list(): Promise<readonly RoleRecord[]>
  /** Inserts or replaces, and records a change. */
  put(role: RoleRecord, now: number): Promise<void>
  /** Answers whether there was one. Records a change. */
  delete(name: string, now: number): Promise<boolean>
}

export interface AuditStore {
  append(event: AuditRecord): Promise<void>
  list(filter: { readonly action?: string | undefined }, page: PageRequest): Promise<Page<AuditRecord>>
}

export interface BlockStore {
  /**
   * Inserts a block, or merges it in one statement with the one of the same subject, scope and path. One that had
   * ended by `block.createdAt` is replaced whole. One that has not keeps its id and `createdAt`; the later of both
   * ends stands, with kind, reason and creator of the block it came from (of equal ends, the one that was there).
   * Answers the row that stands, and records a change of its id at `block.createdAt`. Racing callers leave one row
   * with the latest end.
   */
  put(block: BlockRecord): Promise<BlockRecord>
  /** The block, also when it has ended. */
  find(id: string): Promise<BlockRecord | null>
  /** Lifts a block; exactly one of racing callers receives the row. Records a change. */
  delete(id: string): Promise<BlockRecord | null>
  /** All that have not ended at `now` (ms), in no order: what a process keeps in memory. */
  listActive(now: number): Promise<readonly BlockRecord[]>
  /** Those that have not ended at `now` (ms). */
  list(page: PageRequest, now: number): Promise<Page<BlockRecord>>
  /** Deletes blocks that ended before `before` (ms), never one that was extended meanwhile; answers how many. */
  purge(before: number): Promise<number>
}

export interface QuotaClaim {
  readonly subject: string
  /** Such as `2030-01`. */
  readonly period: string
  /** 1 or more. */
  readonly amount: number
  readonly limit: number
}

export interface QuotaStore {
  /**
   * Adds `amount` to what is used while the sum stays within `limit`, in one statement: answers what is used
   * afterwards, or null, and nothing is taken, when it does not fit. Of 100 racing callers for the last unit exactly
   * one receives a number, and no two receive the same.
   */
  claim(claim: QuotaClaim): Promise<number | null>
  /** Lowers what is used, never below 0. Nothing is lost when callers race. */
  giveBack(subject: string, period: string, amount: number): Promise<void>
  /** 0 when nothing was claimed. */
  used(subject: string, period: string): Promise<number>
  /** Deletes every period before `beforePeriod`, compared as text; answers how many rows. */
  purge(beforePeriod: string): Promise<number>
}

export interface LoginAddressStore {
  /**
   * Notes a login at `at` (ms; moves forward, never back), and forgets all but the `keep` (1 or more) latest addresses
   * of the account, in one transaction. Racing callers leave the latest of all of them, and never more than `keep`.
   */
  remember(account: string, address: string, at: number, keep: number): Promise<void>
  knows(account: string, address: string): Promise<boolean>
  /** Forgets addresses last used before `before` (ms), never one used meanwhile; answers how many. */
  purge(before: number): Promise<number>
}

/** The log of revocations and blocks by which processes on one database hear of each other. */
export interface ChangeStore {
  /** Cheap and synchronous where the database can tell (SQLite `data_version`); null where it cannot. */
  version(): number | null
  /** The newest sequence number, 0 when the log is empty. */
  latest(): Promise<number>
  /**
   * Changes after `sequence`, and again those of the last `overlap` ms before `now`: on PostgreSQL a smaller number
   * can commit after a larger one. `complete` is false when older rows were pruned: forget everything.
   */
  since(
    sequence: number,
    now: number,
    overlap: number,
  ): Promise<{ changes: readonly ChangeRecord[]; complete: boolean }>
  /** Deletes changes older than `before` (ms). */
  prune(before: number): Promise<void>
}

export interface Storage {
  readonly dialect: 'sqlite' | 'postgres'
  readonly keys: KeyStore
  readonly organizations: OrganizationStore
  readonly users: UserStore
  readonly signingKeys: SigningKeyStore
  readonly refreshFamilies: RefreshFamilyStore
  readonly bearerTokens: BearerTokenStore
  readonly sessions: SessionStore
  readonly roles: RoleStore
  readonly audit: AuditStore
  readonly blocks: BlockStore
  readonly quotas: QuotaStore
  readonly loginAddresses: LoginAddressStore
  readonly changes: ChangeStore
  /** One trivial statement; rejects when the database does not answer. */
  ping(): Promise<void>
  /** Closes what it opened; leaves an app's own database alone. */
  close(): Promise<void>
}
