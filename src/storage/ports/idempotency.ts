import type { IdempotencyRecord } from '../records.ts'

export type IdempotencyKey = Pick<IdempotencyRecord, 'principal' | 'endpoint' | 'key'>

export interface IdempotencyStore {
  /**
   * Inserts a claim (its `answer` is null) unless one stands that has not expired at `claim.createdAt`; one that has
   * is replaced. Answers null to the one caller that made it, and to every other the claim that stands.
   */
  claim(claim: IdempotencyRecord): Promise<IdempotencyRecord | null>
  /** Keeps what was answered, once. */
  complete(key: IdempotencyKey, answer: NonNullable<IdempotencyRecord['answer']>): Promise<void>
  /** Forgets a claim that came to nothing; never one with an answer. */
  release(key: IdempotencyKey): Promise<void>
  /** Deletes claims that expired before `before` (ms); answers how many. */
  purge(before: number): Promise<number>
}
