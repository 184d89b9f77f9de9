/** Keeps what is away from being asked over and over. Of this folder alone: `cockatiel`. */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  type IBackoff,
} from 'cockatiel'

/** Failures in a row after which nothing is asked for a while. */
const FAILURES = 5
/** ms until one call may try again: each attempt that fails makes it longer. */
const PAUSES = [250, 500, 1000, 2000]

/**
 * A pause that begins when it is made, by the process's stopwatch. The library measures by the wall clock, which may be
 * set back by hours: as long as the pause lasts it is told of an endless one, and then of none whatever the clock says.
 */
function beginPause(index: number): IBackoff<unknown> {
  const end = performance.now() + (PAUSES[index] ?? 0)
  return {
    get duration() {
      return performance.now() < end ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
    },
    next: () => beginPause(Math.min(index + 1, PAUSES.length - 1)),
  }
}

export interface CircuitOptions {
  /** Whether an error says that what was asked is away, and not that it was asked for something wrong. */
  readonly isAway: (error: unknown) => boolean
  /** What a call is refused with while the circuit is open. */
  readonly refuse: () => Error
  /** Hears by which failure it opened, again whenever it was tried in vain, and null when it has closed. */
  readonly onChange?: (failure: { readonly error: unknown } | null) => void
  /** Hears what the one call that tried again was rejected with. */
  readonly onVain?: (error: unknown) => void
}

/**
 * After five failures in a row calls are refused at once; a quarter of a second later (then a half, one, two) a single
 * one tries again, and if it is answered all are let through. Nobody waits for that one: it may take its whole time.
 */
export class Circuit {
  readonly #breaker
  readonly #refuse: () => Error
  readonly #onVain: (error: unknown) => void
  #isTrying = false

  constructor({ isAway, refuse, onChange, onVain = () => undefined }: CircuitOptions) {
    this.#refuse = refuse
    this.#onVain = onVain
    this.#breaker = circuitBreaker(handleWhen(isAway), {
      breaker: new ConsecutiveBreaker(FAILURES),
      halfOpenAfter: { next: () => beginPause(0) },
    })
    this.#breaker.onBreak((reason) => onChange?.({ error: 'error' in reason ? reason.error : undefined }))
    this.#breaker.onReset(() => onChange?.(null))
  }

  /** Whether calls are refused just now. */
  get isOpen(): boolean {
    return this.#breaker.state !== CircuitState.Closed
  }

  /** @throws what `refuse` makes while it is open, else what the call is rejected with */
  run<T>(call: () => Promise<T>): Promise<T> {
    return this.isOpen ? this.#try(call) : this.#ask(call)
  }

  async #ask<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(call)
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#refuse() : error
    }
  }

  /** The library itself lets all others wait for the one that tries. */
  async #try<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isTrying) throw this.#refuse()
    this.#isTrying = true
    try {
      return await this.#breaker.execute(call)
    } catch (error) {
      if (error instanceof BrokenCircuitError) throw this.#refuse()
      this.#onVain(error)
      throw error
    } finally {
      this.#isTrying = false
    }
  }
}
