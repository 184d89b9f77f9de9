/** The whole log, a page at a time. */
import { breathe } from '../../lib/breathe.ts'
import type { AuditStore } from '../../storage/ports/audit.ts'
import type { AuditRecord } from '../../storage/records.ts'

/** Below every place in the log. */
export const BEFORE_ALL = Number.MIN_SAFE_INTEGER
const PAGE = 500

/** In order of their places, whatever stands there. */
export async function* sealedPages(store: AuditStore): AsyncGenerator<readonly AuditRecord[]> {
  let after = BEFORE_ALL
  for (;;) {
    const page = await store.listSealed(after, PAGE)
    const last = page.at(-1)?.sequence
    // Without its end, which could hide one of several events at one place.
    const whole = page.filter(({ sequence }) => sequence !== last)
    const isLast = page.length < PAGE || whole.length === 0
    yield isLast ? page : whole
    const reached = Number(whole.at(-1)?.sequence)
    if (isLast || !(reached > after)) return
    after = reached
    await breathe()
  }
}

export async function* unsealedPages(store: AuditStore): AsyncGenerator<readonly AuditRecord[]> {
  let after: AuditRecord | undefined
  for (;;) {
    const page = await store.listUnsealed(PAGE, after)
    yield page
    if (page.length < PAGE) return
    after = page.at(-1)
    await breathe()
  }
}
