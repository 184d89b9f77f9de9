/** What somebody may ask of the audit log, and how events are shown to him. */
import { type Actor, reachOf } from '../../authorization/actor.ts'
import { readMoment } from '../../lib/moment.ts'
import { toTimestamp } from '../../lib/timestamp.ts'
import type { AuditFilter } from '../../storage/ports/audit.ts'
import type { AuditRecord } from '../../storage/records.ts'

/** All that are given must hold. */
export interface AuditQuery {
  readonly action?: string | undefined
  /** Id of who did it. */
  readonly actor?: string | undefined
  /** Id of what it was done to. */
  readonly subject?: string | undefined
  readonly organizationId?: string | undefined
  /** RFC 3339, inclusive. */
  readonly from?: string | undefined
  /** RFC 3339, exclusive. */
  readonly to?: string | undefined
}

/** An audit event as lists show it. `at` is RFC 3339 UTC. */
export interface AuditView {
  readonly id: string
  /** Its place in the log; null until it has one, within a second. */
  readonly sequence: number | null
  readonly at: string
  readonly action: string
  readonly actor: string
  readonly subject: string
  /** Whose administrators may read it; null for the platform's alone. */
  readonly organizationId: string | null
  readonly address: string | null
  readonly requestId: string | null
  readonly details: Readonly<Record<string, unknown>>
}

/** The last moment that a date can hold, epoch ms. */
const LATEST = 8.64e15

/** @throws MachineAuthError `validation_failed` for a moment that is none */
export function resolveQuery({ from, to, ...same }: AuditQuery): AuditFilter {
  return { ...same, from: readMoment('from', from), to: readMoment('to', to) }
}

/** The filter cut down to what an actor may read, or what of it is not his to ask for. */
export function withinReach(
  filter: AuditFilter,
  actor: Actor,
): { readonly filter: AuditFilter } | { readonly outOfReach: string } {
  const reach = reachOf(actor)
  const { organizationId, actor: by } = filter
  switch (reach.kind) {
    case 'platform':
      return { filter }
    case 'organization':
      if (organizationId !== undefined && organizationId !== reach.organizationId) return { outOfReach: organizationId }
      return { filter: { ...filter, organizationId: reach.organizationId } }
    case 'own': {
      const self = reach.userId ?? actor.id
      if (organizationId !== undefined) return { outOfReach: organizationId }
      if (by !== undefined && by !== self) return { outOfReach: by }
      return { filter: { ...filter, actor: self } }
    }
  }
}

export function toAuditView(event: AuditRecord): AuditView {
  const { id, sequence, at, action, actor, subject, organizationId, address, requestId, details } = event
  // Whatever somebody made of one event, the others can be read.
  const moment = Math.abs(at) <= LATEST ? toTimestamp(at) : String(at)
  return { id, sequence, at: moment, action, actor, subject, organizationId, address, requestId, details }
}
