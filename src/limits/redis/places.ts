/** Where limits were counted by this process: a subject that starts anew does so at all of these. */
import type { Rate } from '../rate.ts'

/** More are no limits of an application any more; the oldest leave first. */
const MOST = 1000
/** Begins the places of keys' own rates: tenants choose these, and must not push out those of the app. */
const OF_KEYS = 'key:'

export class Places {
  readonly #ofApp = new Map<string, Rate>()
  readonly #ofKeys = new Map<string, Rate>()

  add(place: string, rate: Rate): void {
    const rates = place.startsWith(OF_KEYS) ? this.#ofKeys : this.#ofApp
    if (rates.get(place) === rate) return
    if (rates.size >= MOST && !rates.has(place)) dropOldest(rates)
    rates.set(place, rate)
  }

  entries(): readonly (readonly [place: string, rate: Rate])[] {
    return [...this.#ofApp, ...this.#ofKeys]
  }
}

function dropOldest(rates: Map<string, Rate>): void {
  for (const oldest of rates.keys()) {
    rates.delete(oldest)
    return
  }
}
