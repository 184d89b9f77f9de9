/** Deletes events for their age, after a last look at them, and leaves a signed checkpoint in their place. */
import { breathe } from '../lib/breathe.ts'
import type { AuditStore } from '../storage/ports/audit.ts'
import type { AuditRecord } from '../storage/records.ts'
import type { AuditMacs } from './macs.ts'

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
  for (;;) {
    const [head, checkpoint] = [await store.findMark('head'), await store.findMark('checkpoint')]
    if (checkpoint !== null && macs.checkMark('checkpoint', checkpoint) === 'wrong') {
      return keep('the checkpoint was changed')
    }
    const done = checkpoint?.sequence ?? 0
    const old = oldEvents(await store.listSealed(done, BATCH), before)
    const last = old.at(-1)
    if (last === undefined) return purged
    const sequence = done + old.length
    const checks = old.map((event) => macs.checkEvent(event))
    const isBroken = old.some((event, index) => {
      // Secrets are lost from the oldest on: one that is not given comes first, or was never there.
      isKnown ||= checks[index] === 'right'
      return event.sequence !== done + index + 1 || checks[index] === 'wrong' || (isKnown && checks[index] !== 'right')
    })
    if (isBroken) return keep('some were changed, taken out or put in')
    if (head === null || macs.checkMark('head', head) !== 'right' || head.sequence < sequence) {
      return keep('its head was changed or deleted')
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
