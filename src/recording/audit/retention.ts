/** Deletes events for their age, after a last look at them, and leaves a signed checkpoint in their place. */
import { breathe } from '../../lib/breathe.ts'
import type { AuditStore } from '../../storage/ports/audit.ts'
import type { AuditRecord } from '../../storage/records.ts'
import { adoptedUpTo } from './adoption.ts'
import type { AuditMacs } from './macs.ts'
import { checkMark } from './verification.ts'

export interface RetentionOptions {
  readonly store: AuditStore
  readonly macs: AuditMacs
  readonly warn: (message: string) => void
}

/** Events in one transaction. */
const BATCH = 200

/**
 * Deletes the events that are older than `before` and have no younger one in front of them. One that is not as it was
 * written stays, and so does all that follows: it is evidence.
 *
 * @param before epoch ms
 * @returns how many events
 */
export async function purgeEvents({ store, macs, warn }: RetentionOptions, before: number): Promise<number> {
  const keep = (why: string) => {
    warn(
      `events of the audit log are kept although they are old enough to go: ${why}; see \`machine-auth audit verify\``,
    )
    return purged
  }
  let purged = 0
  let isKnown = false
  const adopted = await adoptedUpTo({ store, macs })
  for (;;) {
    const [head, checkpoint] = [await store.findMark('head'), await store.findMark('checkpoint')]
    if (checkpoint !== null && macs.checkMark('checkpoint', checkpoint) !== 'right') {
      return keep('the checkpoint was changed, or is of a secret that is not given')
    }
    if (checkpoint !== null && !macs.isCurrent(checkpoint)) {
      // Under the new secret before the old one is taken away.
      await store.replaceMark(checkpoint, { ...checkpoint, ...macs.ofMark('checkpoint', checkpoint) })
    }
    const done = checkpoint?.sequence ?? 0
    const old = oldEvents(await store.listSealed(done, BATCH), before)
    const last = old.at(-1)
    if (last === undefined) return purged
    const sequence = done + old.length
    const isBroken = old.some((event, index) => {
      const place = done + index + 1
      const check = macs.checkEvent(event)
      isKnown ||= check === 'right'
      // Secrets are taken away from the oldest on: one that is not given comes first, or somebody adopted it.
      return event.sequence !== place || check === 'wrong' || (check === 'unknown' && isKnown && place > adopted)
    })
    if (isBroken) return keep('some were changed, taken out or put in')
    if (head === null || checkMark(macs, head) !== 'right' || head.sequence < sequence) {
      return keep('its head was changed or deleted, or is of a secret that is not given')
    }
    const mark = { sequence, at: last.at }
    purged += await store.purge({ name: 'checkpoint', ...mark, ...macs.ofMark('checkpoint', mark) })
    await breathe()
  }
}

function oldEvents(events: readonly AuditRecord[], before: number): readonly AuditRecord[] {
  const young = events.findIndex(({ at }) => at >= before)
  return young === -1 ? events : events.slice(0, young)
}
