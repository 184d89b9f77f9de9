/** What every call to PostgreSQL has around it: a time, other attempts, and a circuit that spares one that is away. */

import { createSemaphore, SemaphoreFullError } from '../../lib/concurrency.ts'
import { Circuit } from '../../lib/resilience/circuit.ts'
import { createRetry } from '../../lib/resilience/retry.ts'
import { storageUnavailable } from './errors.ts'
import { DatabaseTimeoutError, type FailureReason, failureOf } from './failures.ts'
import { PostgresWatch } from './postgres-watch.ts'
import type { VerbKind } from './verb-kinds.ts'
import { withTimeout } from './with-timeout.ts'

/** Runs the verbs of one database. */
export interface Calls {
  run<T>(kind: VerbKind, verb: () => Promise<T>): Promise<T>
}

export interface PostgresCallsOptions {
  /** ms that a verb may take, with all its attempts. */
  readonly timeout: number
  /** Reports that run at once. */
  readonly reports: number
  /** Hears that nothing is answered, so that the connections may be dead; once in five seconds at most. */
  readonly onStuck?: (() => void) | undefined
  /** Hears by which failure calls begin to be refused, and null when they are let through again. */
  readonly onCircuit?: ((failure: { readonly error: unknown } | null) => void) | undefined
  /** ms from any moment on, never backwards. */
  readonly stopwatch?: () => number
}

/** Reports that wait for their turn. */
const WAITING_REPORTS = 1000
const PAUSES = { times: 2, firstPause: 20, longestPause: 200 }

const isOne = (error: unknown, reasons: ReadonlySet<FailureReason>) => {
  const failure = failureOf(error)
  return failure !== null && reasons.has(failure.reason)
}
const isTimeout = (error: unknown) => failureOf(error)?.reason === 'timeout'
const AWAY: ReadonlySet<FailureReason> = new Set(['lost', 'timeout'])
/** A read does no harm twice. One that was too slow would be again. */
const AGAIN_FOR_READS: ReadonlySet<FailureReason> = new Set(['lost', 'rolled_back'])
/** A write whose connection was lost may have taken effect. */
const AGAIN_FOR_WRITES: ReadonlySet<FailureReason> = new Set(['rolled_back'])

const readAgain = createRetry({ ...PAUSES, isWorth: (error) => isOne(error, AGAIN_FOR_READS) })
const AGAIN = {
  read: readAgain,
  watch: readAgain,
  report: readAgain,
  write: createRetry({ ...PAUSES, isWorth: (error) => isOne(error, AGAIN_FOR_WRITES) }),
}

function refuse(): Error {
  return storageUnavailable('The database did not answer before; it is tried again in a moment.')
}

export class PostgresCalls implements Calls {
  readonly #timeout: number
  readonly #stopwatch: () => number
  readonly #watch: PostgresWatch
  readonly #circuit: Circuit
  readonly #reports

  constructor(options: PostgresCallsOptions) {
    const { timeout, reports, onStuck, onCircuit, stopwatch = () => performance.now() } = options
    this.#timeout = timeout
    this.#stopwatch = stopwatch
    this.#watch = new PostgresWatch({ timeout, renew: () => onStuck?.(), stopwatch })
    this.#reports = createSemaphore(reports, WAITING_REPORTS)
    let wasOpen = false
    this.#circuit = new Circuit({
      isAway: (error) => isOne(error, AWAY),
      refuse,
      onChange(failure) {
        // It opens anew whenever it was tried in vain.
        if ((failure !== null) !== wasOpen) onCircuit?.(failure)
        wasOpen = failure !== null
      },
      onVain: (error) => {
        if (isTimeout(error)) this.#watch.onStuck()
      },
    })
  }

  /**
   * A report opens no circuit and closes none, and takes no more than its part of the connections, also while it runs on
   * after its time: whoever asks for many would keep everybody from the database.
   *
   * @throws what the verb rejects with, or MachineAuthError `storage_unavailable` at once while the circuit is open
   */
  run<T>(kind: VerbKind, verb: () => Promise<T>): Promise<T> {
    if (kind === 'report') return this.#report(verb)
    if (kind === 'watch') return this.#circuit.run(() => this.#look(verb))
    return this.#circuit.run(() => this.#attempt(kind, verb))
  }

  async #look<T>(verb: () => Promise<T>): Promise<T> {
    const begunAt = this.#stopwatch()
    try {
      const found = await this.#attempt('watch', verb, this.#watch.patience)
      this.#watch.onLook()
      return found
    } catch (error) {
      if (isTimeout(error)) this.#watch.onLateLook(begunAt)
      throw error
    }
  }

  async #report<T>(verb: () => Promise<T>): Promise<T> {
    if (this.#circuit.isOpen) throw refuse()
    try {
      return await this.#attempt('report', verb)
    } catch (error) {
      throw error instanceof SemaphoreFullError
        ? storageUnavailable('Too many reports are waiting for the database.', error)
        : error
    }
  }

  async #attempt<T>(kind: VerbKind, verb: () => Promise<T>, timeout = this.#timeout): Promise<T> {
    const answer = await withTimeout((isOver) => {
      // Whoever asked has gone: nothing begins for him any more.
      const start = () => (isOver() ? Promise.reject(new DatabaseTimeoutError()) : verb())
      const attempts = () => AGAIN[kind](start)
      return kind === 'report' ? this.#reports.run(attempts) : attempts()
    }, timeout)
    this.#watch.onAnswer()
    return answer
  }
}
