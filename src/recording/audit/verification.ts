/** Goes through the audit log once and finds what was changed, taken out or put in. */
import type { AuditStore } from '../../storage/ports/audit.ts'
import type { AuditMarkRecord, AuditRecord } from '../../storage/records.ts'
import type { AuditMacs, MacCheck } from './macs.ts'
import { sealedPages, unsealedPages } from './pages.ts'
import type { AuditProblem, CheckedMark, Findings, OnProgress } from './report.ts'
import { MOST_PROBLEMS } from './verdict.ts'

const OF_NO_SECRET = 'names a secret that is not given: give it after the others, or adopt the log if it is lost.'

function named({ id, sequence }: AuditRecord): string {
  return sequence === null ? `The event ${id}, which has no place yet,` : `Event ${sequence} (${id})`
}

export interface VerificationOptions {
  readonly store: AuditStore
  readonly macs: AuditMacs
  readonly onProgress?: OnProgress
  readonly signal?: AbortSignal
}

/** What its MAC says of a mark, whichever kind of head it is. */
export function checkMark(macs: AuditMacs, mark: AuditMarkRecord): MacCheck {
  if (mark.name === 'head' && macs.checkMark('first-head', mark) === 'right') return 'right'
  return macs.checkMark(mark.name, mark)
}

export class Verification {
  readonly #options: VerificationOptions
  readonly #problems: AuditProblem[] = []
  #problemCount = 0
  #checked = 0
  #unverifiable = 0
  #firstUnverifiable: AuditRecord | null = null
  #places: Findings['places'] = null
  /** The last place that was accounted for. */
  #last = 0
  #head: CheckedMark | null = null
  #checkpoint: CheckedMark | null = null

  constructor(options: VerificationOptions) {
    this.#options = options
  }

  async run(): Promise<Findings> {
    const { store } = this.#options
    // Marks first: whatever they vouch for is there when the events are read.
    await this.#readMarks()
    const promised = this.#head
    this.#last = this.#purgedUpTo()
    this.#tell()
    for await (const events of sealedPages(store)) {
      // Once a page, however it looks: meanwhile events may have got their places, or have gone for their age.
      await this.#readMarks()
      for (const event of events) this.#takeSealed(event)
      this.#tell()
    }
    await this.#readMarks()
    this.#checkEnd(promised)
    for await (const events of unsealedPages(store)) {
      for (const event of events) this.#takeUnsealed(event)
      this.#tell()
    }
    return {
      checked: this.#checked,
      unverifiable: this.#unverifiable,
      firstUnverifiable: this.#firstUnverifiable,
      head: this.#head,
      checkpoint: this.#checkpoint,
      places: this.#places,
      problems: this.#problems,
      problemCount: this.#problemCount,
    }
  }

  #tell(): void {
    const { onProgress, signal } = this.#options
    onProgress?.(this.#checked, Math.max(this.#checked, (this.#trusted(this.#head) ?? 0) - this.#purgedUpTo()))
    // Who listens may have given it up just now.
    signal?.throwIfAborted()
  }

  #report(problem: AuditProblem): void {
    this.#problemCount += 1
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push(problem)
  }

  async #readMarks(): Promise<void> {
    const [head, checkpoint] = await Promise.all([this.#readMark('head'), this.#readMark('checkpoint')])
    this.#head = head
    this.#checkpoint = checkpoint
  }

  async #readMark(name: AuditMarkRecord['name']): Promise<CheckedMark | null> {
    const mark = await this.#options.store.findMark(name)
    return mark === null ? null : { mark, check: checkMark(this.#options.macs, mark) }
  }

  /** What a mark says, if it is to be believed. */
  #trusted(checked: CheckedMark | null): number | null {
    return checked?.check === 'right' ? checked.mark.sequence : null
  }

  #purgedUpTo(): number {
    return this.#trusted(this.#checkpoint) ?? 0
  }

  #isBeyondHead(sequence: number): boolean {
    return sequence > (this.#trusted(this.#head) ?? Number.POSITIVE_INFINITY)
  }

  #takeSealed(event: AuditRecord): void {
    const { id } = event
    const sequence = Number(event.sequence)
    const check = this.#checkEvent(event)
    if (!Number.isSafeInteger(sequence) || sequence <= this.#last) {
      const detail = `${named(event)} stands where the log has no room for one.`
      this.#report({ kind: 'inserted', id, sequence, detail })
      return
    }
    if (this.#isBeyondHead(sequence)) {
      this.#reportBeyondHead(event, check)
      return
    }
    this.#places = { first: this.#places?.first ?? sequence, last: sequence }
    this.#requireNoneMissing(sequence - 1)
    this.#last = sequence
    if (check === 'wrong') this.#reportChanged(event)
  }

  #checkEvent(event: AuditRecord): MacCheck {
    this.#checked += 1
    const check = this.#options.macs.checkEvent(event)
    if (check === 'unknown') {
      this.#unverifiable += 1
      this.#firstUnverifiable ??= event
    }
    return check
  }

  #takeUnsealed(event: AuditRecord): void {
    const { id, mac, macKey } = event
    if (this.#checkEvent(event) !== 'wrong') return
    if (mac !== null) this.#reportChanged(event)
    // Those of the version before have no MAC while they are taken over.
    else if (macKey !== null || !this.#isFirstHead()) {
      this.#report({ kind: 'inserted', id, detail: `${named(event)} has no MAC.` })
    }
  }

  #isFirstHead(): boolean {
    return this.#head !== null && this.#options.macs.checkMark('first-head', this.#head.mark) === 'right'
  }

  #reportChanged(event: AuditRecord): void {
    const { id, sequence } = event
    const place = sequence === null ? { id } : { id, sequence }
    this.#report({ kind: 'changed', ...place, detail: `${named(event)} is not as it was written.` })
  }

  #requireNoneMissing(to: number): void {
    // Unless they were deleted for their age while this was on its way.
    const from = Math.max(this.#last, Math.min(to, this.#purgedUpTo())) + 1
    if (from > to) return
    const detail = from === to ? `Event ${from} was taken out.` : `The events from ${from} to ${to} were taken out.`
    this.#report({ kind: 'missing', sequence: from, detail })
  }

  #reportBeyondHead(event: AuditRecord, check: MacCheck): void {
    const place = { id: event.id, sequence: Number(event.sequence) }
    const detail = `${named(event)} stands after the head of the log`
    if (check === 'right') this.#report({ kind: 'head', ...place, detail: `${detail}, which was set back.` })
    else this.#report({ kind: 'inserted', ...place, detail: `${detail}.` })
  }

  /** @param promised the head before the events were read */
  #checkEnd(promised: CheckedMark | null): void {
    this.#checkCheckpoint()
    this.#requireNoneMissing(this.#trusted(promised) ?? 0)
    if (this.#head === null) {
      if (this.#last > 0 || this.#checkpoint !== null) this.#report({ kind: 'head', detail: 'The head was deleted.' })
      return
    }
    const { mark, check } = this.#head
    if (check === 'right') return
    const detail = check === 'wrong' ? 'The head was changed.' : `The head ${OF_NO_SECRET}`
    this.#report({ kind: 'head', sequence: mark.sequence, detail })
  }

  #checkCheckpoint(): void {
    if (this.#checkpoint === null) return
    const { mark, check } = this.#checkpoint
    const { sequence } = mark
    if (check === 'right') {
      if (!this.#isBeyondHead(sequence)) return
      this.#report({ kind: 'head', sequence, detail: 'The head was set back before the checkpoint.' })
      return
    }
    const detail = check === 'wrong' ? 'The checkpoint was changed or put in.' : `The checkpoint ${OF_NO_SECRET}`
    this.#report({ kind: 'checkpoint', sequence, detail })
  }
}
