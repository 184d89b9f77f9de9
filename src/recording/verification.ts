/** Goes through the audit log and finds what was changed, taken out or put in. */
import { toTimestamp } from '../lib/timestamp.ts'
import type { AuditStore } from '../storage/ports/audit.ts'
import type { AuditMarkRecord, AuditRecord } from '../storage/records.ts'
import type { AuditMacs, MacCheck } from './macs.ts'
import { sealedPages, unsealedPages } from './pages.ts'
import type { AuditMarkView, AuditProblem, AuditVerification, VerifyInput } from './report.ts'

const MOST_PROBLEMS = 100

const OF_NO_SECRET =
  'names a secret that is not given, though others are of given ones: give it again, if there was one.'

function named({ id, sequence }: AuditRecord): string {
  return sequence === null ? `The event ${id}, which has no place yet,` : `Event ${sequence} (${id})`
}

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
      const detail = `${named(event)} stands where the log has no room for one.`
      this.#report({ kind: 'inserted', id, sequence, detail })
      return
    }
    if (await this.#isBeyondHead(sequence)) {
      this.#reportBeyondHead(event, check)
      return
    }
    if (sequence > this.#last + 1) await this.#reportMissing(sequence - 1)
    this.#last = sequence
    if (check === 'wrong') this.#reportChanged(event)
    else if (check === 'unknown') this.#takeUnknown(event)
  }

  #checkEvent(event: AuditRecord): MacCheck {
    this.#checked += 1
    const check = this.#macs.checkEvent(event)
    if (check === 'right') this.#isKnown = true
    return check
  }

  /** Who alters an event could name a key that nobody has; secrets are lost from the oldest on. */
  #takeUnknown(event: AuditRecord): void {
    const { id, sequence } = event
    this.#unverifiable += 1
    if (!this.#isKnown) return
    const detail = `${named(event)} ${OF_NO_SECRET}`
    this.#report(sequence === null ? { kind: 'inserted', id, detail } : { kind: 'changed', id, sequence, detail })
  }

  #takeUnsealed(event: AuditRecord): void {
    const { id } = event
    const check = this.#checkEvent(event)
    if (check === 'unknown') this.#takeUnknown(event)
    if (check !== 'wrong') return
    if (event.mac === null) this.#report({ kind: 'inserted', id, detail: `${named(event)} has no MAC.` })
    else this.#reportChanged(event)
  }

  #reportChanged(event: AuditRecord): void {
    const { id, sequence } = event
    const place = sequence === null ? { id } : { id, sequence }
    this.#report({ kind: 'changed', ...place, detail: `${named(event)} is not as it was written.` })
  }

  async #reportMissing(to: number): Promise<void> {
    // Unless they were deleted for their age while this was on its way.
    await this.#readCheckpoint(to)
    const from = this.#last + 1
    if (from > to) return
    const detail = from === to ? `Event ${from} was taken out.` : `The events from ${from} to ${to} were taken out.`
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

  #reportBeyondHead(event: AuditRecord, check: MacCheck): void {
    const place = { id: event.id, sequence: Number(event.sequence) }
    const detail = `${named(event)} stands after the head of the log`
    if (check === 'right') this.#report({ kind: 'head', ...place, detail: `${detail}, which was set back.` })
    else this.#report({ kind: 'inserted', ...place, detail: `${detail}.` })
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
      this.#report({ kind: 'head', sequence: reached, detail: `The head ${OF_NO_SECRET}` })
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

function toMarkView(checked: Checked | null): AuditMarkView | null {
  // What somebody else wrote there is no moment, perhaps.
  if (checked === null || checked.check === 'wrong') return null
  return { sequence: checked.mark.sequence, at: toTimestamp(checked.mark.at) }
}
