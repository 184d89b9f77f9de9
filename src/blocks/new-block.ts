/** What callers say about a new block, checked. */
import { FieldErrors } from '../lib/field-errors.ts'
import { isLockout, LOCKOUT_ACCEPTED, parseLockout } from '../lib/lockout-end.ts'
import { createRouteMatcher } from '../lib/route-matcher.ts'
import { remarkMistake } from '../lib/text.ts'
import { parseSubject } from '../limits/subjects.ts'
import type { BlockRecord } from '../storage/records.ts'

export interface NewBlock {
  /** An address or range; the id of a key, user or organization; or `user:42`, `custom:…`. */
  readonly subject: string
  /** A duration, or a time of day in UTC at which it ends. */
  readonly duration: string | number
  /** Default `'global'`. */
  readonly scope?: 'global' | 'path' | undefined
  /** With `scope: 'path'`: the path, or a route's pattern; what lies below it is blocked too. */
  readonly path?: string | undefined
  readonly reason?: string | null | undefined
}

export type CheckedBlock = Pick<BlockRecord, 'subject' | 'scope' | 'path' | 'reason' | 'expiresAt'>

const MAX_REASON = 500
const MAX_PATH = 1024

function isRoutePath(path: unknown): path is string {
  if (typeof path !== 'string' || path.length > MAX_PATH) return false
  try {
    createRouteMatcher(path)
    return true
  } catch {
    return false
  }
}

/**
 * Checks everything that needs no storage.
 *
 * @param exempts whether the operator's allow-list holds an address
 * @param now epoch ms
 * @param isOwnRoute whether the path is the pattern of a route that was found, and need not be read
 * @throws MachineAuthError `validation_failed`, naming every mistake
 */
export function resolveNewBlock(
  input: NewBlock,
  exempts: (address: string) => boolean,
  now: number,
  isOwnRoute = false,
): CheckedBlock {
  const errors = new FieldErrors()
  const subject = typeof input.subject === 'string' ? parseSubject(input.subject) : null
  if (subject === null) {
    errors.add('subject', 'must be an address or range, an id such as key_…, or have its kind before it: user:42')
  } else if (exempts(input.subject)) {
    errors.add('subject', 'is on the allow-list (option abuse.allow), which nothing blocks')
  }
  if (!isLockout(input.duration)) errors.add('duration', `must be ${LOCKOUT_ACCEPTED}`)
  const scope = input.scope ?? 'global'
  if (scope !== 'global' && scope !== 'path') errors.add('scope', "must be 'global' or 'path'")
  if (scope === 'path' && !isOwnRoute && !isRoutePath(input.path))
    errors.add('path', "must be a path such as '/withdraw'")
  if (scope !== 'path' && input.path !== undefined) errors.add('path', "goes with scope: 'path' only")
  const reason = input.reason ?? null
  const reasonMistake = reason === null ? null : remarkMistake(reason, MAX_REASON)
  if (reasonMistake !== null) errors.add('reason', reasonMistake)
  errors.throwIfAny()
  const path = scope === 'path' ? (input.path ?? '') : ''
  return { subject: subject ?? '', scope, path, reason, expiresAt: parseLockout(input.duration)(now) }
}
