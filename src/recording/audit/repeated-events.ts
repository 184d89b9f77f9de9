/** Keeps who is refused again and again from filling the log: the first are written, the others counted. */
import type { Clock } from '../../lib/clock.ts'
import { MINUTE } from '../../lib/time-units.ts'
import type { AuditEvent } from './event.ts'

export interface RepeatedEventsOptions {
  readonly clock: Clock
  /** Different subjects of one in a minute that are written. */
  readonly mostOfOne: number
  /** Events in a minute that are written; by it memory is bounded, too. */
  readonly mostInAll: number
  /** Must not reject. */
  readonly write: (event: AuditEvent) => Promise<void>
}

interface Tally {
  readonly subjects: Set<string>
  /** The newest that was counted. */
  last: AuditEvent
  count: number
}

const tallyOf = (last: AuditEvent): Tally => ({ subjects: new Set(), last, count: 0 })

const withCount = (event: AuditEvent, more: number): AuditEvent =>
  more === 0 ? event : { ...event, details: { ...event.details, more } }

export class RepeatedEvents {
  readonly #options: RepeatedEventsOptions
  #tallies = new Map<string, Tally>()
  /** Of those that there was no room for. */
  #others: Tally | undefined
  #written = 0
  #endsAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #flushing: Promise<unknown> = Promise.resolve()

  constructor(options: RepeatedEventsOptions) {
    this.#options = options
  }

  /** @param isDecisive whether it is written although others were */
  async note(by: string, event: AuditEvent, isDecisive = false): Promise<void> {
    this.#turn()
    const { mostOfOne, mostInAll, write } = this.#options
    const known = this.#tallies.get(by)
    const isNew = known === undefined || (known.subjects.size < mostOfOne && !known.subjects.has(event.subject))
    if ((isNew || isDecisive) && this.#written < mostInAll) {
      this.#written += 1
      const tally = known ?? tallyOf(event)
      tally.subjects.add(event.subject)
      this.#tallies.set(by, tally)
      const before = isDecisive ? tally.count : 0
      tally.count -= before
      return write(withCount(event, before))
    }
    const tally = known ?? this.#others ?? tallyOf(event)
    if (known === undefined) this.#others = tally
    tally.last = event
    tally.count += 1
  }

  /** Ends the minute, if it is over. */
  #turn(): void {
    const now = this.#options.clock()
    if (now < this.#endsAt) return
    this.#flush()
    this.#endsAt = now + MINUTE
    this.#timer = setTimeout(() => this.#flush(), MINUTE)
    this.#timer.unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    const counted = [...this.#tallies.values()].filter(({ count }) => count > 0)
    const events = counted.map(({ last, count }) => withCount(last, count))
    if (this.#others !== undefined) {
      const { last, count } = this.#others
      events.push(withCount({ action: last.action, actor: { id: 'several' }, subject: 'several' }, count))
    }
    this.#tallies = new Map()
    this.#others = undefined
    this.#written = 0
    this.#endsAt = 0
    this.#flushing = Promise.all([this.#flushing, ...events.map((event) => this.#options.write(event))])
  }

  /** Writes down what was counted. */
  async stop(): Promise<void> {
    this.#flush()
    await this.#flushing
  }
}
