/**
 * Hears of revocations by other processes on the same database, within a second.
 *
 * SQLite says in microseconds whether anyone else wrote (`PRAGMA data_version`); only then is the log of changes read.
 * Where the database cannot say, the log is read at every look. A bell tells of changes before they are read: the log
 * stays the truth, so that one that is not heard costs time only.
 */
import type { Clock } from '../lib/clock.ts'
import type { ChangeStore } from '../storage/ports/changes.ts'
import type { ChangeRecord } from '../storage/records.ts'
import type { Change, ChangeBell } from './change-bell.ts'

/** ms between looks: two of them fit well into the second that CONTRACT promises. */
const INTERVAL = 250
/** ms between looks beside a bell: one of them fits into that second, should nothing be heard. */
const INTERVAL_WITH_BELL = 750
/** ms of the past that are read again: on PostgreSQL a smaller sequence number can commit after a larger one. */
const OVERLAP = 5_000
/** ms a change is kept for processes that were away. */
const RETENTION = 3_600_000

export interface ChangeListener {
  /** A change may be told more than once. */
  onChange(change: Change): void
  /** Changes were missed: whatever was cached may be wrong. */
  onGap(): void
}

export class ChangeWatcher {
  readonly #changes: ChangeStore
  readonly #clock: Clock
  readonly #listener: ChangeListener
  readonly #bell: ChangeBell | null
  #sequence = 0
  #version: number | null = null
  #seen = new Map<number, number>()
  #timer: ReturnType<typeof setInterval> | undefined
  #looking: Promise<void> | undefined
  #prunedAt = 0
  #isCurrent = true

  /** @param bell null where nobody tells of changes at once */
  constructor(changes: ChangeStore, clock: Clock, listener: ChangeListener, bell: ChangeBell | null = null) {
    this.#changes = changes
    this.#clock = clock
    this.#listener = listener
    this.#bell = bell
  }

  /** Starts from the present: nothing is cached yet, so nothing older matters. */
  async start(): Promise<void> {
    this.#bell?.start((change) => this.#hear(change))
    this.#version = this.#changes.version()
    this.#sequence = await this.#changes.latest()
    this.#timer = setInterval(() => void this.look(), this.#bell === null ? INTERVAL : INTERVAL_WITH_BELL)
    this.#timer.unref()
  }

  /** Whether the last look saw what others changed. */
  get isCurrent(): boolean {
    return this.#isCurrent
  }

  /** One look; looks do not overlap. Never rejects: a database that is away is asked again next time. */
  look(): Promise<void> {
    this.#looking ??= this.#look()
      .then(
        () => true,
        () => false,
      )
      .then((isCurrent) => {
        this.#isCurrent = isCurrent
      })
      .finally(() => {
        this.#looking = undefined
      })
    return this.#looking
  }

  async #look(): Promise<void> {
    const version = this.#changes.version()
    const now = this.#clock()
    // Nobody else wrote; what this process wrote itself must be pruned all the same.
    if (version !== null && version === this.#version) return this.#prune(now)
    const { changes, complete } = await this.#changes.since(this.#sequence, now, version === null ? OVERLAP : 0)
    if (complete) for (const change of changes) this.#take(change)
    else await this.#startOver()
    // Only now: a look that failed half way is repeated.
    this.#version = version
    for (const [sequence, at] of this.#seen) if (at < now - 2 * OVERLAP) this.#seen.delete(sequence)
    await this.#prune(now)
  }

  /** Only after everything new was read. */
  async #prune(now: number): Promise<void> {
    if (now - this.#prunedAt <= RETENTION / 4) return
    this.#prunedAt = now
    await this.#changes.prune(now - RETENTION)
  }

  /** Rows were pruned while this process was away, or the database is a restored backup. */
  async #startOver(): Promise<void> {
    this.#seen.clear()
    this.#sequence = await this.#changes.latest()
    this.#listener.onGap()
  }

  #take(change: ChangeRecord): void {
    if (this.#seen.has(change.sequence)) return
    this.#seen.set(change.sequence, change.at)
    if (change.sequence > this.#sequence) this.#sequence = change.sequence
    this.#listener.onChange(change)
  }

  #hear(change: Change): void {
    try {
      this.#listener.onChange(change)
    } catch {
      // It is in the log too, and there a look that fails is repeated.
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([this.#bell?.stop(), this.#looking])
  }
}
