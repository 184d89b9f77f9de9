/** What somebody may ask of the request log. */
import { type Actor, reachOf } from '../../authorization/actor.ts'
import { invalidField } from '../../lib/field-errors.ts'
import { readMoment } from '../../lib/moment.ts'
import type { RequestLogFilter } from '../../storage/ports/request-log.ts'

/** All that are given must hold. */
export interface RequestLogQuery extends Omit<RequestLogFilter, 'from' | 'to'> {
  /** RFC 3339, inclusive. */
  readonly from?: string | undefined
  /** RFC 3339, exclusive. */
  readonly to?: string | undefined
}

/** @throws MachineAuthError `validation_failed` for a moment or a status that is none */
export function resolveQuery({ from, to, ...same }: RequestLogQuery): RequestLogFilter {
  const { status, method } = same
  if (status !== undefined && !(Number.isInteger(status) && status >= 100 && status <= 599)) {
    throw invalidField('status', 'must be a whole number from 100 to 599')
  }
  return {
    ...same,
    // As servers see it.
    method: method?.toUpperCase(),
    from: readMoment('from', from),
    to: readMoment('to', to),
  }
}

/** The filter cut down to what an actor may read, or what of it is not his to ask for. */
export function withinReach(
  filter: RequestLogFilter,
  actor: Actor,
): { readonly filter: RequestLogFilter } | { readonly outOfReach: string } {
  const reach = reachOf(actor)
  const { organizationId, userId, keyId } = filter
  switch (reach.kind) {
    case 'platform':
      return { filter }
    case 'organization':
      if (organizationId !== undefined && organizationId !== reach.organizationId) return { outOfReach: organizationId }
      return { filter: { ...filter, organizationId: reach.organizationId } }
    case 'own': {
      if (organizationId !== undefined) return { outOfReach: organizationId }
      if (reach.userId === null) {
        if (userId !== undefined) return { outOfReach: userId }
        if (keyId !== undefined && keyId !== actor.id) return { outOfReach: keyId }
        return { filter: { ...filter, keyId: actor.id } }
      }
      if (userId !== undefined && userId !== reach.userId) return { outOfReach: userId }
      return { filter: { ...filter, userId: reach.userId } }
    }
  }
}
