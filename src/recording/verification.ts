/** Goes through the audit log and finds what was changed, taken out or put in. */
import { toTimestamp } from '../lib/timestamp.ts'
import type { AuditStore } from '../storage/ports/audit.ts'
import type { AuditMarkRecord, AuditRecord } from '../storage/records.ts'
import type { AuditMacs, MacCheck } from './macs.ts'
import { BEFORE_ALL } from './sealer.ts'

export interface AuditProblem {
  readonly kind: 'changed' | 'missing' | 'inserted' | 'head' | 'checkpoint'
  readonly sequence?: number
  /** Of the event. */
  readonly id?: string
  readonly detail: string
}

/** How far the log goes. `at` is RFC 3339 UTC. */
export interface AuditMarkView {
  readonly sequence: number
  readonly at: string
}

export interface AuditVerification {
  /** Whether no problem was found. */
  readonly ok: boolean
  /** Events gone through. */
  readonly checked: number
  /** Of them, made under a secret that is no longer given: nothing can be said of these. */
  readonly unverifiable: number
  /** The newest event that has a place; null when it cannot be trusted. Note it elsewhere, and demand it with `atLeast`. */
  readonly head: AuditMarkView | null
  /** The newest of the events that were deleted for their age. */
  readonly checkpoint: AuditMarkView | null
  /** The first 100. */
  readonly problems: readonly AuditProblem[]
  /** All of them. */
  readonly problemCount: number
}

export interface VerifyInput {
  /** The place that the log must have reached: a number that was noted from an earlier `head`. */
  readonly atLeast?: number | undefined
  /** Hears how many events were gone through. */
  readonly onProgress?: ((checked: number) => void) | undefined
}

const PAGE = 1000
const MOST_PROBLEMS = 100

/** A mark, and what its MAC says. */
interface Checked {
  readonly mark: AuditMarkRecord
  readonly check: MacCheck
}

export class Verification {
  readonly #store: AuditStore
  readonly #macs: AuditMacs
  readonly #problems: AuditProblem[] = []
  #problemCount = 0
  #checked = 0
  #unverifiable = 0
  /** What came of the first event. */
  #first: MacCheck | undefined
  /** Whether anything was right: what is of an unknown secret comes before that, never after. */
  #isKnown = false
  /** The last place that was accounted for. */
  #last = 0
  #head: Checked | null = null
  #checkpoint: Checked | null = null

  constructor(store: AuditStore, macs: AuditMacs) {
    this.#store = store
    this.#macs = macs
  }

  async run({ atLeast = 0, onProgress }: VerifyInput = {}): Promise<AuditVerification> {
    // Marks first: whatever they vouch for is there when the events are read.
    this.#head = await this.#readMark('head')
    await this.#readCheckpoint()
    const promised = this.#head
    for await (const events of sealedPages(this.#store)) {
      for (const event of events) await this.#takeSealed(event)
      onProgress?.(this.#checked)
    }
    await this.#checkEnd(promised, atLeast)
    for await (const events of unsealedPages(this.#store)) {
      for (const event of events) this.#takeUnsealed(event)
      onProgress?.(this.#checked)
    }
    return {
      ok: this.#problemCount === 0,
      checked: this.#checked,
      unverifiable: this.#unverifiable,
      head: toMarkView(this.#head),
      checkpoint: toMarkView(this.#checkpoint),
      problems: this.#problems,
      problemCount: this.#problemCount,
    }
  }

  #report(problem: AuditProblem): void {
    this.#problemCount += 1
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem)
  }

  async #readMark(name: AuditMarkRecord['name']): Promise<Checked | null> {
    const mark = await this.#store.findMark(name)
    if (mark === null) return null
    const isFirst = name === 'head' && this.#macs.checkMark('first-head', mark) === 'right'
    return { mark, check: isFirst ? 'right' : this.#macs.checkMark(name, mark) }
  }

  /** Takes what it vouches for, up to a place, as accounted for. */
  async #readCheckpoint(upTo = Number.POSITIVE_INFINITY): Promise<void> {
    this.#checkpoint = await this.#readMark('checkpoint')
    if (this.#checkpoint === null || this.#checkpoint.check === 'wrong') return
    this.#last = Math.max(this.#last, Math.min(upTo, this.#checkpoint.mark.sequence))
  }

  async #takeSealed(event: AuditRecord): Promise<void> {
    const { id } = event
    const sequence = Number(event.sequence)
    const check = this.#checkEvent(event)
    this.#first ??= check
    if (!Number.isSafeInteger(sequence) || sequence <= this.#last) {
      this.#report({ kind: 'inserted', id, sequence, detail: 'It stands where the log has no room for an event.' })
      return
    }
    if (await this.#isBeyondHead(sequence)) {
      this.#reportBeyondHead(event, check)
      return
    }
    if (sequence > this.#last + 1) await this.#reportMissing(sequence - 1)
    this.#last = sequence
    if (check === 'wrong') this.#report({ kind: 'changed', id, sequence, detail: 'It is not as it was written.' })
    else if (check === 'unknown') this.#takeUnknown(event)
  }

  #checkEvent(event: AuditRecord): MacCheck {
    this.#checked += 1
    const check = this.#macs.checkEvent(event)
    if (check === 'right') this.#isKnown = true
    return check
  }

  /** Who alters an event could name a key that nobody has; secrets are lost from the oldest on. */
  #takeUnknown({ id, sequence }: AuditRecord): void {
    this.#unverifiable += 1
    if (!this.#isKnown) return
    const detail = 'It names a secret that is not given, after events of given ones; if there was one, give it again.'
    this.#report(sequence === null ? { kind: 'inserted', id, detail } : { kind: 'changed', id, sequence, detail })
  }

  #takeUnsealed(event: AuditRecord): void {
    const { id } = event
    const check = this.#checkEvent(event)
    if (check === 'unknown') this.#takeUnknown(event)
    if (check !== 'wrong') return
    if (event.mac === null) this.#report({ kind: 'inserted', id, detail: 'It has no place in the log and no MAC.' })
    else this.#report({ kind: 'changed', id, detail: 'It has no place yet, and is not as it was written.' })
  }

  async #reportMissing(to: number): Promise<void> {
    // Unless they were deleted for their age while this was on its way.
    await this.#readCheckpoint(to)
    const from = this.#last + 1
    if (from > to) return
    const detail = from === to ? 'It was taken out.' : `The events from ${from} to ${to} were taken out.`
    this.#report({ kind: 'missing', sequence: from, detail })
  }

  /** Where the head is wrong or gone, it says nothing of any event. */
  async #isBeyondHead(sequence: number): Promise<boolean> {
    const isBeyond = () => this.#head !== null && this.#head.check !== 'wrong' && sequence > this.#head.mark.sequence
    if (!isBeyond()) return false
    // It may have moved since.
    this.#head = await this.#readMark('head')
    return isBeyond()
  }

  #reportBeyondHead({ id, sequence }: AuditRecord, check: MacCheck): void {
    const place = { id, sequence: Number(sequence) }
    if (check === 'right') this.#report({ kind: 'head', ...place, detail: 'The head was set back before this event.' })
    else this.#report({ kind: 'inserted', ...place, detail: 'It stands after the head of the log.' })
  }

  /** @param promised the head before the events were read */
  async #checkEnd(promised: Checked | null, atLeast: number): Promise<void> {
    await this.#checkCheckpoint()
    const reached = this.#head?.mark.sequence ?? 0
    if (this.#head === null && (this.#last > 0 || this.#checkpoint !== null)) {
      this.#report({ kind: 'head', detail: 'The head was deleted.' })
    }
    if (this.#head?.check === 'wrong') {
      this.#report({ kind: 'head', sequence: reached, detail: 'The head was changed.' })
    } else if (promised !== null && promised.check !== 'wrong') {
      if (promised.mark.sequence > this.#last) await this.#reportMissing(promised.mark.sequence)
    }
    if (this.#head?.check === 'unknown' && this.#isKnown) {
      const detail = 'It names a secret that is not given, after events of given ones; if there was one, give it again.'
      this.#report({ kind: 'head', sequence: reached, detail })
    }
    if (reached < atLeast) {
      const detail = `The log ends at ${reached} and has been at ${atLeast}: it was cut off, or an older copy was put back.`
      this.#report({ kind: 'head', sequence: reached, detail })
    }
  }

  async #checkCheckpoint(): Promise<void> {
    if (this.#checkpoint === null) return
    const { mark, check } = this.#checkpoint
    const { sequence } = mark
    if (check !== 'wrong' && (await this.#isBeyondHead(sequence))) {
      this.#report({ kind: 'head', sequence, detail: 'The head was set back before the checkpoint.' })
    }
    // It was made after the events that follow it, and so under no older secret than they.
    if (check === 'wrong' || (check === 'unknown' && this.#first === 'right')) {
      this.#report({ kind: 'checkpoint', sequence, detail: 'The checkpoint was changed or put in.' })
    }
  }
}

/** In order of their places, whatever stands there. */
async function* sealedPages(store: AuditStore): AsyncGenerator<readonly AuditRecord[]> {
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
  }
}

async function* unsealedPages(store: AuditStore): AsyncGenerator<readonly AuditRecord[]> {
  let after: AuditRecord | undefined
  for (;;) {
    const page = await store.listUnsealed(PAGE, after)
    yield page
    if (page.length < PAGE) return
    after = page.at(-1)
  }
}

function toMarkView(checked: Checked | null): AuditMarkView | null {
  // What somebody else wrote there is no moment, perhaps.
  if (checked === null || checked.check === 'wrong') return null
  return { sequence: checked.mark.sequence, at: toTimestamp(checked.mark.at) }
}
