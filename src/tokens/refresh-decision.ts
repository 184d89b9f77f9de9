import type { RefreshFamilyRecord } from '../storage/records.ts'

/** What a refresh token whose MAC is right gets. */
export type RefreshDecision =
  /** It is the newest: spend it. */
  | 'rotate'
  /** Its successor is unspent and young: answer the same successor again. */
  | 'replay'
  /** It was spent before: somebody has a copy. */
  | 'reused'
  | 'expired'
  | 'revoked'
  /** Of a number not given out yet: the database was restored from before. */
  | 'unissued'

/**
 * Decides about a refresh token.
 *
 * @param sequence the presented token's number
 * @param now epoch ms
 * @param reuseWindow ms in which the direct predecessor of an unspent token is answered again; 0 for never
 * @see RFC 9700 section 4.14.2 (rotation and reuse detection)
 */
export function decideRefresh(
  family: Pick<RefreshFamilyRecord, 'sequence' | 'rotatedAt' | 'expiresAt' | 'revokedAt'>,
  sequence: number,
  now: number,
  reuseWindow: number,
): RefreshDecision {
  if (family.revokedAt !== null) return 'revoked'
  if (now >= family.expiresAt) return 'expired'
  if (sequence > family.sequence) return 'unissued'
  if (sequence === family.sequence) return 'rotate'
  const isPredecessor = sequence === family.sequence - 1
  return isPredecessor && reuseWindow > 0 && now < family.rotatedAt + reuseWindow ? 'replay' : 'reused'
}
