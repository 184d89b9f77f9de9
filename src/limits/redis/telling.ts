/** Tells Redis what was taken without asking it. */
import type { Reading } from '../limiter.ts'
import type { KeyedClaim } from './decide.ts'

/** So many messages may be on their way at once; what comes beyond that is counted in this process only. */
const MOST_IN_FLIGHT = 1000

type Take = (claims: readonly KeyedClaim[]) => Promise<readonly Reading[]>

export class Telling {
  readonly #take: Take
  #inFlight = 0

  /** @param take takes all claims in Redis, or none */
  constructor(take: Take) {
    this.#take = take
  }

  /** Waits for nothing. What Redis cannot be told is counted in this process. */
  tell(claims: readonly KeyedClaim[]): void {
    if (this.#inFlight >= MOST_IN_FLIGHT) return
    this.#inFlight += 1
    void this.#takeEach(claims)
      .catch(() => undefined)
      .finally(() => {
        this.#inFlight -= 1
      })
  }

  /** What was let in here is taken there wherever it fits. */
  async #takeEach(claims: readonly KeyedClaim[]): Promise<void> {
    let left = claims
    while (left.length > 0) {
      const readings = await this.#take(left)
      const fitting = left.filter((_, index) => readings[index]?.isAllowed === true)
      if (fitting.length === left.length) return
      left = fitting
    }
  }
}
