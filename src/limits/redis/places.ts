/** Where limits were counted by this process: a subject that starts anew does so at all of these. */
import type { Rate } from '../rate.ts'

/** More are no limits of an application any more; the oldest leave first. */
const MOST = 1000

export class Places {
  readonly #rates = new Map<string, Rate>()

  add(place: string, rate: Rate): void {
    if (this.#rates.get(place) === rate) return
    if (this.#rates.size >= MOST && !this.#rates.has(place)) this.#dropOldest()
    this.#rates.set(place, rate)
  }

  entries(): Iterable<[place: string, rate: Rate]> {
    return this.#rates
  }

  #dropOldest(): void {
    for (const oldest of this.#rates.keys()) {
      this.#rates.delete(oldest)
      return
    }
  }
}
