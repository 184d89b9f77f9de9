import type { AuditMarkRecord, AuditRecord } from '../records.ts'
import type { Page, PageRequest } from './page.ts'

/** All that are given must hold. */
export interface AuditFilter {
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly subject?: string | undefined
  readonly organizationId?: string | undefined
  /** Epoch ms, inclusive. */
  readonly from?: number | undefined
  /** Epoch ms, exclusive. */
  readonly to?: number | undefined
}

/** A place in the log for an event that has none yet. */
export type AuditSeal = Pick<AuditRecord, 'id'> & {
  readonly sequence: number
  readonly mac: string
  readonly macKey: string
}

export interface AuditStore {
  /** Adds an event, sealed or not; writers do not wait for each other. */
  append(event: AuditRecord): Promise<void>
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditRecord>>
  /** Events without a place in the log, oldest first, after the one given. */
  listUnsealed(limit: number, after?: Pick<AuditRecord, 'at' | 'id'>): Promise<readonly AuditRecord[]>
  /** Sealed events after a sequence number, in order. */
  listSealed(afterSequence: number, limit: number): Promise<readonly AuditRecord[]>
  findMark(name: AuditMarkRecord['name']): Promise<AuditMarkRecord | null>
  /**
   * Gives events their places and moves the head from `from` to `head.sequence`, in one transaction; `from` is null when
   * there is no head yet. Answers whether this call did it: of racing callers that start from the same head exactly one
   * does, and the others change nothing.
   */
  seal(from: number | null, seals: readonly AuditSeal[], head: AuditMarkRecord): Promise<boolean>
  /** Puts a mark in the place of one that stands as it was read, or of none; answers whether this call did it. */
  replaceMark(from: AuditMarkRecord | null, to: AuditMarkRecord): Promise<boolean>
  /**
   * Deletes every sealed event up to `checkpoint.sequence` and keeps the checkpoint instead, in one transaction, unless
   * a later one is there already; answers how many events.
   */
  purge(checkpoint: AuditMarkRecord): Promise<number>
}
