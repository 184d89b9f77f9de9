/** Counts how long Redis takes to answer, and how often it fails. */
import { Distribution } from './distribution.ts'

/** ms; on one machine a call takes a tenth of one, and the time limit is a quarter of a second unless set. */
const BOUNDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1000] as const

export class RedisCounts {
  readonly durations = new Distribution(BOUNDS)
  #failures = 0

  get failures(): number {
    return this.#failures
  }

  /** A call that was made; ones that were refused without asking are not. @param elapsed ms */
  call(elapsed: number, isFailure: boolean): void {
    this.durations.add(elapsed)
    if (isFailure) this.#failures += 1
  }
}
