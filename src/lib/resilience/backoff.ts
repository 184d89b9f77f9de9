/**
 * How long to wait before each attempt to get something back: longer every time, and never in step with others. Of this
 * folder alone: `cockatiel`.
 */
import { ExponentialBackoff, type IBackoff } from 'cockatiel'

export interface BackoffOptions {
  /** ms, about the first pause. */
  readonly first: number
  /** ms, no pause is longer. */
  readonly longest: number
}

export class Backoff {
  readonly #factory: ExponentialBackoff<unknown>
  #last: IBackoff<unknown> | null = null

  constructor({ first, longest }: BackoffOptions) {
    this.#factory = new ExponentialBackoff({ initialDelay: first, maxDelay: longest })
  }

  /** ms to wait now. */
  next(): number {
    this.#last = this.#last === null ? this.#factory.next() : this.#last.next(undefined)
    return this.#last.duration
  }

  /** After a success: begins with a short one again. */
  reset(): void {
    this.#last = null
  }
}
