/** Keeps what is away from being asked over and over: the one place that knows `cockatiel`. */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  IterableBackoff,
} from 'cockatiel'

/** Failures in a row after which nothing is asked for a while. */
const FAILURES = 5
/** ms until one call may try again: each attempt that fails makes it longer. */
const PAUSES = [250, 500, 1000, 2000]

export interface CircuitOptions {
  /** Whether an error says that what was asked is away, and not that it was asked for something wrong. */
  readonly isAway: (error: unknown) => boolean
  /** What a call is refused with while the circuit is open. */
  readonly refuse: () => Error
  /** Hears when it opens, and when it has closed again. */
  readonly onChange?: (isOpen: boolean) => void
}

/**
 * After five failures in a row calls are refused at once; a quarter of a second later (then a half, one, two) a single
 * one tries again, and if it is answered all are let through.
 */
export class Circuit {
  readonly #breaker
  readonly #refuse: () => Error

  constructor({ isAway, refuse, onChange }: CircuitOptions) {
    this.#refuse = refuse
    this.#breaker = circuitBreaker(handleWhen(isAway), {
      breaker: new ConsecutiveBreaker(FAILURES),
      halfOpenAfter: new IterableBackoff(PAUSES),
    })
    this.#breaker.onBreak(() => onChange?.(true))
    this.#breaker.onReset(() => onChange?.(false))
  }

  /** Whether calls are refused just now. */
  get isOpen(): boolean {
    return this.#breaker.state !== CircuitState.Closed
  }

  /** @throws what `refuse` makes while it is open, else what the call is rejected with */
  async run<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(call)
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#refuse() : error
    }
  }
}
