/** Counts guarded requests off their path, and writes the counts from time to time. */
import type { Clock } from '../../lib/clock.ts'
import { MINUTE } from '../../lib/time-units.ts'
import type { UsageStore } from '../../storage/ports/usage.ts'
import { Flusher } from '../flusher.ts'
import { SourceProgress } from './advance.ts'
import { USAGE_BOUNDS, type UsageBounds } from './bounds.ts'
import { UsageBuffer } from './buffer.ts'
import type { UsageCounter } from './counter.ts'
import { createDatabaseIdentity, type DatabaseIdentity } from './journal/database-id.ts'
import { JournalRounds } from './journal/rounds.ts'
import { LastUsed } from './last-used.ts'
import type { Tally } from './tally.ts'

export interface UsageRecorderOptions {
  readonly store: Pick<UsageStore, 'record' | 'checkpoint' | 'touch'>
  readonly clock: Clock
  readonly warn: (message: string) => void
  /** ms between flushes. */
  readonly flushInterval: number
  /** Counters in one transaction. */
  readonly batchSize: number
  /** Directory of the journal; null to count in memory alone. */
  readonly journalDirectory: string | null
  readonly bounds?: UsageBounds
  /** Names the database in the journal; the store is asked unless it is given. */
  readonly identity?: DatabaseIdentity
  /** From 0 to 1, for pauses after failures. */
  readonly random?: () => number
}

/** What the recorder is doing, for metrics and health. */
export interface UsageFigures {
  /** Counters in memory that are not written yet. */
  readonly buffered: number
  /** Requests that were not counted, for want of room. */
  readonly dropped: number
  /** Rounds of writing that were begun. */
  readonly flushes: number
  /** Of those, how many failed. */
  readonly failures: number
  /** Whether the last one failed. */
  readonly isFailing: boolean
  /** Bytes in files that are not counted yet. */
  readonly journalBytes: number
}

/** µs; longer than any request, and added up often enough it is still a whole number. */
const LONGEST = 86_400_000_000
/** ms that a clock may be set back without counting in hours that are over. */
const LONGEST_STEP = MINUTE
/** ms that stopping waits for the database. */
const PATIENCE = 2000
/** ms until journals of others are looked for: a process that only runs a command ends before. */
const FIRST = 1000
/** ms between tries of it: a moment in which another process writes must cost nothing. */
const PAUSE = 50

export class UsageRecorder implements UsageCounter {
  readonly #options: UsageRecorderOptions
  readonly #bounds: UsageBounds
  readonly #buffer: UsageBuffer
  readonly #lastUsed: LastUsed
  readonly #flusher: Flusher
  readonly #buffered: SourceProgress
  readonly #journaled: JournalRounds | null
  /** Epoch ms of the last request. */
  #last = 0
  #dropped = 0
  /** Whether this outage's dropped requests were told of. */
  #hasWarned = false
  #isStarted = false
  #isServing = false
  #isStopping = false
  #isStopped = false

  constructor(options: UsageRecorderOptions) {
    const { store, batchSize, flushInterval, bounds = USAGE_BOUNDS, random = Math.random, journalDirectory } = options
    const { identity = createDatabaseIdentity(store) } = options
    const advance = { store, clock: () => this.#now(), batchSize, isStopped: () => this.#isStopped }
    this.#options = options
    this.#bounds = bounds
    this.#buffer = new UsageBuffer(bounds.counters, (tally) => this.#noteUses(tally))
    this.#lastUsed = new LastUsed(bounds.lastUsed)
    this.#buffered = new SourceProgress(this.#buffer, advance)
    this.#journaled =
      journalDirectory === null
        ? null
        : new JournalRounds(journalDirectory, {
            bounds,
            advance,
            identity,
            isStopping: () => this.#isStopping,
            warn: options.warn,
          })
    this.#flusher = new Flusher({
      interval: flushInterval,
      random,
      round: () => this.#round(),
      onOutage: (failures) => this.#warnOfOutage(failures),
    })
  }

  /**
   * Says that there will be requests: who only runs commands needs no journal.
   *
   * @throws JournalError when it has started and the journal cannot be written
   */
  serve(): void {
    this.#isServing = true
    if (this.#isStarted) this.#journaled?.requireWritable()
  }

  /** @throws JournalError when there will be requests and the journal cannot be written */
  async start(): Promise<void> {
    this.#isStarted = true
    if (this.#isServing) this.#journaled?.requireWritable()
    this.#flusher.start(this.#journaled === null ? undefined : Math.min(this.#options.flushInterval, FIRST))
    // A database that is locked just now is asked again in the first round.
    await this.#journaled?.identify().catch(() => undefined)
  }

  count(
    keyId: string,
    organizationId: string,
    method: string,
    route: string,
    status: number,
    elapsed: number,
    isUse = false,
  ): void {
    if (this.#isStopping) return
    // Not `Math.round(NaN)`: a stopwatch that fails must not spoil the sum.
    const duration = elapsed > 0 ? Math.min(Math.round(elapsed * 1000), LONGEST) : 0
    const at = this.#now()
    if (this.#journaled?.journal.append(keyId, organizationId, method, route, status, duration, at) === true) {
      if (isUse) this.#lastUsed.note(keyId, at)
      return
    }
    const { tally } = this.#buffer
    if (tally.count(keyId, organizationId, method, route, status, duration, at, isUse)) {
      if (tally.size > this.#bounds.counters / 2) this.#flusher.hurry()
      return
    }
    if (isUse) this.#lastUsed.note(keyId, at)
    this.#drop()
  }

  touch(keyId: string): void {
    if (!this.#isStopping) this.#lastUsed.note(keyId, this.#now())
  }

  /** Counters know when their keys were used: to note it with each request would look the key up once more. */
  #noteUses({ counters }: Tally): void {
    const now = this.#now()
    for (const { keyId, usedAt } of counters) if (usedAt > 0) this.#lastUsed.noteLater(keyId, usedAt, now)
  }

  /** A clock that is set right by a step back stands still so long; one that was far ahead is followed back. */
  #now(): number {
    const now = this.#options.clock()
    if (now > this.#last || now < this.#last - LONGEST_STEP) this.#last = now
    return this.#last
  }

  #drop(): void {
    this.#dropped += 1
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#options.warn(
      `usage: ${this.#bounds.counters} counters wait to be written, and there is no room for more: requests are answered, but some are not counted. See that the database answers; if it does, lower usage.flushInterval`,
    )
  }

  #warnOfOutage(failures: number): void {
    this.#options.warn(
      `usage: what was counted could not be written ${failures} times in a row. It is kept and tried again; see that the database answers and is not locked`,
    )
  }

  async #round(): Promise<void> {
    if (this.#isStopped) return
    await this.#journaled?.count()
    await this.#buffered.advance()
    if (this.#isStopped) return
    await this.#lastUsed.write(this.#options.store, this.#now(), this.#isStopping)
    this.#hasWarned = false
    // Last: there may be much of them, and nothing waits for it.
    if (!this.#isStopping) await this.#journaled?.countLeftovers()
  }

  /** Writes what was counted so far, at once; answers whether all of it is written. Never rejects. */
  flush(): Promise<boolean> {
    return this.#flusher.flush()
  }

  get figures(): UsageFigures {
    const { flushes, failures, isFailing } = this.#flusher
    const journalBytes = this.#journaled?.journal.pending ?? 0
    return { buffered: this.#buffer.size, dropped: this.#dropped, flushes, failures, isFailing, journalBytes }
  }

  async #flushAtLast(): Promise<boolean> {
    while (!(await this.#flusher.flush())) {
      if (this.#isStopped) return false
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
    return true
  }

  /**
   * Writes what is left, and ends: from now on nothing is counted.
   *
   * @param patience ms that it takes at most; never more than two seconds
   */
  async stop(patience = PATIENCE): Promise<void> {
    this.#isStopping = true
    this.#flusher.stop()
    const late = Promise.withResolvers<boolean>()
    const timer = setTimeout(() => late.resolve(false), Math.min(patience, PATIENCE))
    const isWritten = await Promise.race([this.#flushAtLast(), late.promise])
    clearTimeout(timer)
    this.#isStopped = true
    await this.#journaled?.journal.stop(isWritten)
    const lost = this.#buffer.requests
    if (!isWritten && lost > 0) {
      this.#options.warn(
        `usage: the database did not take the counts of ${lost} requests before the end: they are lost`,
      )
    }
  }
}
