import type { SessionRecord, SessionWithUser } from '../records.ts'

export interface SessionStore {
  insert(session: SessionRecord): Promise<void>
  findByHash(hash: string): Promise<SessionWithUser | null>
  exists(id: string): Promise<boolean>
  listByUser(userId: string, now: number): Promise<readonly SessionRecord[]>
  /** Moves `lastSeenAt` forward, never back. */
  touch(id: string, at: number): Promise<void>
  /** Ends a session; exactly one of racing callers receives the row. `userId` restricts it to that user's own. */
  delete(id: string, userId?: string): Promise<SessionRecord | null>
  deleteByUser(userId: string, now: number): Promise<number>
  purge(before: number): Promise<number>
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
