/**
 * Hears of revocations by other processes on the same database, within a second.
 *
 * SQLite says in microseconds whether anyone else wrote (`PRAGMA data_version`); only then is the log of changes read.
 * Where the database cannot say, the log is read at every look. A bell tells of changes before they are read: the log
 * stays the truth, so that one that is not heard costs time only.
 */
import type { Clock } from '../lib/clock.ts'
import type { ChangeStore } from '../storage/ports/changes.ts'
import type { Change, ChangeBell } from './change-bell.ts'
import { DEPTH, ReadNumbers } from './read-numbers.ts'

/** ms between looks: two of them fit well into the second that CONTRACT promises. */
const INTERVAL = 250
/** ms between looks beside a bell: one of them fits into that second, should nothing be heard. */
const INTERVAL_WITH_BELL = 750
/** ms a change is kept for processes that were away. */
const RETENTION = 3_600_000

export interface ChangeListener {
  /** A change may be told more than once. One that this throws at counts as missed. */
  onChange(change: Change): void
  /** Changes were missed: whatever was cached may be wrong. Told again by the next look when this throws. */
  onGap(): void
}

export class ChangeWatcher {
  readonly #changes: ChangeStore
  readonly #clock: Clock
  readonly #listener: ChangeListener
  readonly #bell: ChangeBell | null
  readonly #stopwatch: () => number
  readonly #numbers = new ReadNumbers()
  #version: number | null = null
  #timer: ReturnType<typeof setInterval> | undefined
  #looking: Promise<void> | undefined
  #prunedAt = 0
  #isCurrent = true
  /** Whether changes were missed and the listener does not know it yet. */
  #hasMissed = false

  /**
   * @param bell null where nobody tells of changes at once
   * @param stopwatch ms from any moment on, never backwards
   */
  constructor(
    changes: ChangeStore,
    clock: Clock,
    listener: ChangeListener,
    bell: ChangeBell | null = null,
    stopwatch: () => number = () => performance.now(),
  ) {
    this.#changes = changes
    this.#clock = clock
    this.#listener = listener
    this.#bell = bell
    this.#stopwatch = stopwatch
  }

  /** Starts from the present: nothing is cached yet, so nothing older matters. */
  async start(): Promise<void> {
    this.#bell?.start((change) => this.#hear(change))
    this.#version = this.#changes.version()
    await this.#findPresent(this.#version)
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
    const begun = this.#stopwatch()
    const found = await this.#changes.since(this.#numbers.from)
    if (this.#numbers.isContinuedBy(found)) {
      const missedAt = this.#missedAt(version)
      for (const change of found.changes) {
        // One that fails keeps no later one from being told.
        if (this.#numbers.add(change.sequence, missedAt) && !this.#tell(change)) this.#hasMissed = true
      }
      this.#numbers.giveUp(begun)
    } else await this.#startOver(version)
    this.#tellMissed()
    // Only now: a look that failed half way is repeated.
    this.#version = version
    await this.#prune(now)
  }

  /** Only after everything new was read. */
  async #prune(now: number): Promise<void> {
    if (now - this.#prunedAt <= RETENTION / 4) return
    this.#prunedAt = now
    await this.#changes.prune(now - RETENTION)
  }

  /** Rows were pruned while this process was away, too much is open, or the database is a restored backup. */
  async #startOver(version: number | null): Promise<void> {
    await this.#findPresent(version)
    this.#hasMissed = true
  }

  #tellMissed(): void {
    if (!this.#hasMissed) return
    this.#listener.onGap()
    this.#hasMissed = false
  }

  /** What commits later with a number of the past may concern what is cached from now on, so it must be told. */
  async #findPresent(version: number | null): Promise<void> {
    const latest = await this.#changes.latest()
    if (version !== null) return this.#numbers.start([latest], null)
    const { changes } = await this.#changes.since(Math.max(0, latest - DEPTH))
    const sequences = changes.map(({ sequence }) => sequence)
    this.#numbers.start(sequences, this.#missedAt(version))
  }

  /** Since when numbers that were just missed are open; null where one that is missing never comes. */
  #missedAt(version: number | null): number | null {
    // A database that tells versions has one writer at a time: its numbers become visible in their order.
    return version === null ? this.#stopwatch() : null
  }

  /** What fails at the bell is in the log too, and told again there. */
  #hear(change: Change): void {
    this.#tell(change)
  }

  /** @returns whether it was heard */
  #tell(change: Change): boolean {
    try {
      this.#listener.onChange(change)
      return true
    } catch {
      return false
    }
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all([this.#bell?.stop(), this.#looking])
  }
}
