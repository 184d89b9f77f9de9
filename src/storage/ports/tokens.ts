import type {
  BearerTokenRecord,
  BearerTokenWithOwner,
  RefreshFamilyRecord,
  RefreshFamilyWithUser,
  SigningKeyRecord,
} from '../records.ts'
import type { Page, PageRequest } from './page.ts'

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
