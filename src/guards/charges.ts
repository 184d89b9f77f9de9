/** What one request was counted for so far. Made only for requests that a limit concerns. */
import type { Standing } from '../limits/headers.ts'
import type { Reservation } from '../limits/key-allowance.ts'
import type { Decisions } from './decisions.ts'

interface Placed {
  readonly place: string
}

export class Charges {
  /** How the limits stand that the answer tells of. */
  readonly standings: Standing[] = []
  /** How many of the standings the answer's headers tell of already. */
  written = 0
  /** When it was last counted, epoch ms. */
  at = 0
  #counted: string[] | null = null
  isKeyCharged = false
  /** Whether a limit of the route has taken the place of its key's own. */
  isKeyOverridden = false
  /** The use of its key's quotas that was taken in advance; null for a key without any. */
  reservation: Reservation | null = null
  isSpent = false
  /** Whether the answer has been given: what was taken in advance was given back with it. */
  isOver = false
  /** To be called when the request is over. */
  leaving: (() => void)[] | null = null
  /** What counts that several processes share have decided in advance; null where nobody asked them. */
  decided: Decisions | null = null
  /** Resolves when they have answered; null when nobody waits for that. */
  asking: Promise<void> | null = null

  /** Those of some limits that it was not counted for: each counts once, however many hooks ask. */
  uncounted<P extends Placed>(limits: readonly P[]): readonly P[] {
    const counted = this.#counted
    return counted === null ? limits : limits.filter(({ place }) => !counted.includes(place))
  }

  noteCounted(limits: readonly Placed[]): void {
    if (limits.length === 0) return
    this.#counted ??= []
    for (const { place } of limits) this.#counted.push(place)
  }

  /** Notes that the request counts for its key: a use that was taken in advance is spent. */
  noteKey(): void {
    this.isKeyCharged = true
    this.isSpent = true
  }

  /** Gives back the use of its key's quotas: a guard refused it, and nothing was done for it. */
  refund(): void {
    this.isSpent = false
  }

  /** Lends a use that was taken late to a question, which spends it or gives it back. */
  lend<T>(reservation: Reservation, question: () => T): T {
    // Another question was faster: a request counts once.
    if (this.isKeyCharged) {
      if (reservation.kind === 'reserved') reservation.release()
      return question()
    }
    this.reservation = reservation
    try {
      return question()
    } finally {
      this.settle()
    }
  }

  /** Ends what lasts as long as the request, and gives back a use that nobody needed. */
  settle(): void {
    this.isOver = true
    if (this.leaving !== null) for (const leave of this.leaving) leave()
    this.leaving = null
    if (this.reservation?.kind === 'reserved' && !this.isSpent) this.reservation.release()
    this.reservation = null
  }
}
