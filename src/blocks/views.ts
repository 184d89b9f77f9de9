/** A block as lists and answers show it. */
import { toTimestamp } from '../lib/timestamp.ts'
import { formatSubject } from '../limits/subjects.ts'
import type { BlockRecord } from '../storage/records.ts'

/** Times are RFC 3339 UTC. */
export interface BlockView {
  readonly id: string
  /** An address or range, the id of a key, user or organization, or with its kind before it (`user:42`). */
  readonly subject: string
  /** `manual`: somebody's decision; `abuse`: too many wrong credentials; `lockout`: a limit was exceeded. */
  readonly kind: BlockRecord['kind']
  readonly scope: 'global' | 'path'
  readonly path: string | null
  readonly reason: string | null
  readonly createdBy: string
  readonly createdAt: string
  readonly expiresAt: string
}

export function toBlockView(block: BlockRecord): BlockView {
  return Object.freeze({
    id: block.id,
    subject: formatSubject(block.subject),
    kind: block.kind,
    scope: block.scope,
    path: block.scope === 'global' ? null : block.path,
    reason: block.reason,
    createdBy: block.createdBy,
    createdAt: toTimestamp(block.createdAt),
    expiresAt: toTimestamp(block.expiresAt),
  })
}
