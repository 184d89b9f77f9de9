/** Goes on with a log whose marks cannot be trusted: an operator's act, never one of the program's own. */
import type { AuditStore } from '../../storage/ports/audit.ts'
import type { AuditMarkRecord } from '../../storage/records.ts'
import type { AuditMacs, MacCheck } from './macs.ts'
import type { CheckedMark, Findings } from './report.ts'

export const ADOPTED = 'audit.adopted'

/** What an adoption took over as it was. */
export interface AuditAdoption {
  /** False where there was nothing to take over. */
  readonly adopted: boolean
  /** The place after which the log goes on. */
  readonly sequence: number
  /** Events that cannot be verified: the number to accept from now on. */
  readonly unverifiable: number
  /** What the marks were worth. */
  readonly head: MacCheck | 'missing'
  readonly checkpoint: MacCheck | 'missing'
}

export interface AdoptionOptions {
  readonly store: AuditStore
  readonly macs: AuditMacs
  /** Epoch ms. */
  readonly now: number
  /** The newest place that this process knows was given. */
  readonly highest: number
}

const worthOf = (mark: CheckedMark | null) => mark?.check ?? 'missing'

/** Makes the marks anew from what there is. Null when another process moved one meanwhile. */
export async function adoptFindings(
  { store, macs, now, highest }: AdoptionOptions,
  { head, checkpoint, places, unverifiable }: Findings,
): Promise<AuditAdoption | null> {
  const replace = (from: AuditMarkRecord | null, to: Pick<AuditMarkRecord, 'name' | 'sequence' | 'at'>) =>
    store.replaceMark(from, { ...to, ...macs.ofMark(to.name, to) })
  const isLost = worthOf(head) !== 'right'
  const isCheckpointLost = checkpoint !== null && checkpoint.check !== 'right'
  const purged = checkpoint === null ? 0 : Math.min(checkpoint.mark.sequence, (places?.first ?? Infinity) - 1)
  const sequence = isLost ? Math.max(places?.last ?? 0, purged, highest) : (head?.mark.sequence ?? 0)
  if (isCheckpointLost) {
    if (!(await replace(checkpoint.mark, { name: 'checkpoint', sequence: purged, at: now }))) return null
  }
  if (isLost && !(await replace(head?.mark ?? null, { name: 'head', sequence, at: now }))) return null
  return {
    adopted: isLost || isCheckpointLost || unverifiable > 0,
    sequence,
    unverifiable,
    head: worthOf(head),
    checkpoint: worthOf(checkpoint),
  }
}

/** The last place up to which somebody took the log over as it was; 0 for none. */
export async function adoptedUpTo({ store, macs }: Pick<AdoptionOptions, 'store' | 'macs'>): Promise<number> {
  const { items } = await store.list({ action: ADOPTED }, { limit: 100 })
  const places = items
    .filter((event) => event.sequence !== null && macs.checkEvent(event) === 'right')
    .map(({ details }) => Number(details.sequence))
  return Math.max(0, ...places.filter(Number.isSafeInteger))
}
