/**
 * Gives events their places. Writers insert without a place, so that nobody waits for anybody; a moment later events
 * get consecutive numbers, in batches, by whichever process comes first.
 */
import { breathe } from '../../lib/breathe.ts'
import type { Clock } from '../../lib/clock.ts'
import type { AuditSeal, AuditStore } from '../../storage/ports/audit.ts'
import type { AuditMarkRecord, AuditRecord } from '../../storage/records.ts'
import type { AuditMacs, MarkKind } from './macs.ts'
import { BEFORE_ALL } from './pages.ts'

export interface SealerOptions {
  readonly store: AuditStore
  readonly clock: Clock
  readonly macs: AuditMacs
  readonly warn: (message: string) => void
}

/** Events in one transaction: on SQLite the process does nothing else meanwhile. */
const BATCH = 100
/** ms until events that this process wrote are sealed. */
const DELAY = 500
/** Batches in a row, after which those who wait for the sealing wait no longer: the rest follows by itself. */
const MOST_AT_ONCE = 20
/** Batches that may be lost to other processes before the rest is left to them. */
const MOST_LOST = 100

const CHANGED = 'changed'

/** The head that the next batch is put on. */
interface Base {
  /** Null when there is none yet. */
  readonly from: number | null
  readonly at: number
  readonly kind: MarkKind
  /** Whether it must be signed anew, with nothing to put on it too: its secret may be taken away. */
  readonly isOutdated: boolean
}

/** Why nothing is sealed; a person must look. */
class SealRefusal extends Error {}

export class AuditSealer {
  readonly #options: SealerOptions
  readonly #warned = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #current: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined
  #highest = 0
  /** Where the next run begins: behind what this one has gone through, however much of it has no place. */
  #goOnAfter: AuditRecord | undefined
  #isStopped = false
  #hasFailed = false

  constructor(options: SealerOptions) {
    this.#options = options
  }

  /** The newest place that this process knows was given. */
  get highest(): number {
    return this.#highest
  }

  /** Seals within a second. @param delay ms */
  sealSoon(delay = DELAY): void {
    if (this.#timer !== undefined || this.#isStopped) return
    this.#timer = setTimeout(() => void this.seal(), delay)
    this.#timer.unref()
  }

  /**
   * Seals what there is; of very much the oldest, and the rest in the background. Never rejects: what could not be
   * sealed is at the next time.
   */
  seal(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // Callers that come while one runs share the next one, which finds what they wrote.
    this.#next ??= this.#current.then(() => {
      this.#next = undefined
      this.#current = this.#sealAndTell()
      return this.#current
    })
    return this.#next
  }

  /** Seals what this process wrote and has not sealed yet; what is left of very much is the next one's. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await (this.#timer === undefined && !this.#hasFailed ? (this.#next ?? this.#current) : this.seal())
  }

  async #sealAndTell(): Promise<void> {
    try {
      await this.#sealAll()
      this.#hasFailed = false
      // Whatever kept it from sealing may do so again, and is told again.
      for (const name of this.#warned) if (name !== CHANGED) this.#warned.delete(name)
    } catch (error) {
      this.#hasFailed = true
      if (error instanceof SealRefusal) this.#warnOnce(error.message, error.message)
      else this.#warnOnce('failed', 'events of the audit log could not be sealed; it is tried again')
    }
  }

  #warnOnce(name: string, message: string): void {
    if (this.#warned.has(name)) return
    this.#warned.add(name)
    this.#options.warn(message)
  }

  async #sealAll(): Promise<void> {
    const { store } = this.#options
    let after = this.#goOnAfter
    this.#goOnAfter = undefined
    for (let lost = 0, turn = 1; lost < MOST_LOST; turn++) {
      const base = await this.#requireBase()
      const events = await store.listUnsealed(BATCH, after)
      const isLast = events.length < BATCH
      const accepted = events.filter((event) => this.#isSealable(event, base))
      if (accepted.length < events.length) this.#warnOfChanged()
      const isFirstDone = base.kind === 'first-head' && isLast
      if (accepted.length > 0 || isFirstDone || base.isOutdated) {
        const head = this.#headOver(base, accepted, isFirstDone ? 'head' : base.kind)
        if (!(await store.seal(base.from, this.#sealsOf(accepted, base), head))) {
          lost += 1
          continue
        }
        this.#highest = head.sequence
      }
      if (isLast) return
      after = events.at(-1)
      if (turn >= MOST_AT_ONCE) {
        this.#goOnAfter = after
        return this.sealSoon(0)
      }
      await breathe()
    }
  }

  /** An event that somebody changed or put in gets no place, by which it would look like any other. */
  #isSealable(event: AuditRecord, base: Base): boolean {
    // Those of the version before have no MAC; once the first head is complete nobody writes such any more.
    if (event.mac === null && event.macKey === null) return base.kind === 'first-head'
    return this.#options.macs.checkEvent(event) === 'right'
  }

  #warnOfChanged(): void {
    this.#warnOnce(
      CHANGED,
      'the audit log has events that were changed or put in, or are of a secret that is not given: `machine-auth audit verify` tells',
    )
  }

  #sealsOf(events: readonly AuditRecord[], { from }: Base): readonly AuditSeal[] {
    return events.map((event, index) => {
      const sequence = (from ?? 0) + index + 1
      return { id: event.id, sequence, ...this.#options.macs.ofEvent({ ...event, sequence }) }
    })
  }

  #headOver({ from, at }: Base, events: readonly AuditRecord[], kind: MarkKind): AuditMarkRecord {
    const mark = { sequence: (from ?? 0) + events.length, at: events.at(-1)?.at ?? at }
    return { name: 'head', ...mark, ...this.#options.macs.ofMark(kind, mark) }
  }

  async #requireBase(): Promise<Base> {
    const { store, clock } = this.#options
    const head = await store.findMark('head')
    if (head !== null) return this.#requireTrusted(head)
    const [first] = await store.listSealed(BEFORE_ALL, 1)
    const isOld = first !== undefined || (await store.findMark('checkpoint')) !== null || this.#highest > 0
    if (!isOld) return { from: null, at: clock(), kind: 'first-head', isOutdated: true }
    // Another process may have made it, and sealed, in between.
    const made = await store.findMark('head')
    if (made !== null) return this.#requireTrusted(made)
    throw new SealRefusal('the audit log has lost its head, and is not continued: `machine-auth audit verify` tells')
  }

  async #requireTrusted(head: AuditMarkRecord): Promise<Base> {
    const { macs } = this.#options
    const base = { from: head.sequence, at: head.at, isOutdated: !macs.isCurrent(head) }
    if (head.sequence < this.#highest) {
      throw new SealRefusal('the audit log was set back, and is not continued: `machine-auth audit verify` tells')
    }
    const isFirst = macs.checkMark('first-head', head) === 'right'
    const check = isFirst ? 'right' : macs.checkMark('head', head)
    switch (check) {
      case 'right':
        this.#highest = head.sequence
        return { ...base, kind: isFirst ? 'first-head' : 'head' }
      case 'unknown':
        // Never sealed over by itself: it may be of a right secret, and this one be the wrong one.
        throw new SealRefusal(
          'the audit log was sealed under a secret that is not given here, and is not continued: give it after the new one, or run `machine-auth audit adopt` if it is lost',
        )
      case 'wrong':
        throw new SealRefusal(
          'the head of the audit log was changed, and is not continued: `machine-auth audit verify` tells',
        )
    }
  }
}
