/** Hears by PostgreSQL's LISTEN what other processes changed. The transactions of changes tell it by themselves. */
import { Backoff } from '../lib/resilience/backoff.ts'
import { within } from '../lib/within.ts'
import type { Listen, ListenState } from '../storage/listen.ts'
import type { Change, ChangeBell } from './change-bell.ts'
import { parseChange } from './change-message.ts'

/** ms. */
const PAUSES = { first: 250, longest: 30_000 } as const
/** ms that the end may wait for the database. */
const PATIENCE = 1000

export interface ListenBellOptions {
  readonly listen: Listen
  /** Hears once that nothing is heard, and that it is again. */
  readonly warn: (message: string) => void
}

export class ListenBell implements ChangeBell {
  readonly #options: ListenBellOptions
  readonly #backoff = new Backoff(PAUSES)
  #onChange: (change: Change) => void = () => undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #listening: Promise<void> | null = null
  #unlisten: (() => Promise<void>) | null = null
  #isConnected = true
  #isStopped = false
  #isTold = false

  constructor(options: ListenBellOptions) {
    this.#options = options
  }

  start(onChange: (change: Change) => void): void {
    this.#onChange = onChange
    if (this.#listening === null) this.#attempt()
  }

  get isHeard(): boolean {
    return this.#unlisten !== null && this.#isConnected
  }

  /** The transaction of the change has told it: nothing is left to do. */
  ring(_change: Change): void {}

  #attempt(): void {
    this.#listening = this.#listen().catch(() => this.#onFailure())
  }

  /** A connection that is lost later is made anew by Bun, which listens again. */
  async #listen(): Promise<void> {
    this.#isConnected = true
    this.#unlisten = await this.#options.listen(
      (payload) => this.#hear(payload),
      (state) => this.#onState(state),
    )
    this.#backoff.reset()
    if (this.#isStopped) await this.#silence()
    else if (this.#isTold) this.#options.warn('PostgreSQL tells of changes at once again (LISTEN)')
    this.#isTold = false
  }

  #hear(payload: string): void {
    const change = parseChange(payload)
    if (change !== null && !this.#isStopped) this.#onChange(change)
  }

  #onState(state: ListenState): void {
    this.#isConnected = state === 'heard'
    if (state !== 'ended' || this.#unlisten === null) return
    this.#unlisten = null
    this.#attemptLater()
  }

  #attemptLater(): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => this.#attempt(), this.#backoff.next())
    this.#timer.unref()
  }

  #onFailure(): void {
    this.#attemptLater()
    if (this.#isStopped || this.#isTold) return
    this.#isTold = true
    this.#options.warn(
      'PostgreSQL does not tell of changes at once (LISTEN), as behind PgBouncer: what other processes revoke is read within a second',
    )
  }

  async #silence(): Promise<void> {
    const unlisten = this.#unlisten
    this.#unlisten = null
    await unlisten?.()
  }

  /** Waits a second at most. */
  async stop(): Promise<void> {
    this.#isStopped = true
    clearTimeout(this.#timer)
    const ended = Promise.resolve(this.#listening).then(() => this.#silence())
    // What fails here fails for a connection that ends anyway.
    await within(
      PATIENCE,
      ended.catch(() => undefined),
    )
  }
}
