/** Where limits were counted by this process: a subject that starts anew does so at all of these. */

import { dropOldest } from '../../lib/drop-oldest.ts'
import type { Rate } from '../rate.ts'

/** More rates of keys, or limits of handlers, are not remembered: the oldest leave first. */
const MOST = 1000
/** Begins the places of keys' own rates: tenants choose these, and must not push out those of the app. */
const OF_KEYS = 'key:'
/** Begins the subjects that are counted there. */
const KEYS = /^apiKey#?:/

export class Places {
  /** As many as the app has written. */
  readonly #declared = new Map<string, Rate>()
  readonly #ofHandlers = new Map<string, Rate>()
  readonly #ofKeys = new Map<string, Rate>()

  /** Never leaves. */
  declare(place: string, rate: Rate): void {
    this.#declared.set(place, rate)
    this.#ofHandlers.delete(place)
  }

  add(place: string, rate: Rate): void {
    if (this.#declared.has(place)) return
    const rates = place.startsWith(OF_KEYS) ? this.#ofKeys : this.#ofHandlers
    if (rates.get(place) === rate) return
    if (rates.size >= MOST && !rates.has(place)) dropOldest(rates)
    rates.set(place, rate)
  }

  /** Where a subject may have been counted. */
  entriesOf(subject: string): readonly (readonly [place: string, rate: Rate])[] {
    return [...this.#declared, ...this.#ofHandlers, ...(KEYS.test(subject) ? this.#ofKeys : [])]
  }
}
