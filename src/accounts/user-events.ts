/** What the audit log says of a changed user, and whose administrators read it. */

import { differencesOf } from '../recording/audit/differences.ts'
import type { AuditEvent } from '../recording/audit/event.ts'
import type { UserPatch } from '../storage/ports/accounts.ts'
import type { UserRecord } from '../storage/records.ts'

/** That they changed is written down; what they were and are is nobody's business. */
const HIDDEN = ['email', 'passwordHash']

/**
 * One event, none when nothing changed, or two for a move between organizations: one in the log of each, and in
 * neither which the other is.
 */
export function eventsOfChange(
  user: UserRecord,
  change: UserPatch,
): readonly Pick<AuditEvent, 'organizationId' | 'details'>[] {
  const differences = differencesOf(user, change, HIDDEN)
  if (differences === null) return []
  const { before, after } = differences
  const from = user.organizationId
  const to = change.organizationId === undefined ? from : change.organizationId
  if (from === to || from === null || to === null) return [{ organizationId: to ?? from, details: { before, after } }]
  const { organizationId, ...others } = before
  return [
    { organizationId: from, details: { before: { organizationId }, after: { organizationId: 'changed' } } },
    { organizationId: to, details: { before: others, after } },
  ]
}
