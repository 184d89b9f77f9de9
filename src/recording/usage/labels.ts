/** What requests are told apart by, and how what is kept of them is found again without making anything. */

export interface Labels {
  /** Of the key they came by; empty for none. */
  readonly keyId: string
  /** Empty for none. */
  readonly organizationId: string
  readonly method: string
  /** The route's pattern; empty where none was found. */
  readonly route: string
  readonly status: number
}

/** Labels of which there is a chain for each key on each route. */
export interface Chained<T> extends Labels {
  next: T | null
}

/**
 * Entries by their labels. Routes are few and stay at hand; with keys first, each key would have a map of its own, which
 * many keys in turn push out of the processor's cache. What one key does on one route is little.
 */
export class LabelIndex<T extends Chained<T>> {
  readonly #byRoute = new Map<string, Map<string, T>>()

  find(keyId: string, organizationId: string, method: string, route: string, status: number): T | null {
    let entry = this.#byRoute.get(route)?.get(keyId) ?? null
    while (entry !== null) {
      if (entry.status === status && entry.method === method && entry.organizationId === organizationId) return entry
      entry = entry.next
    }
    return null
  }

  /** Its labels must not be there yet. */
  add(entry: T): void {
    let byKey = this.#byRoute.get(entry.route)
    if (byKey === undefined) {
      byKey = new Map()
      this.#byRoute.set(entry.route, byKey)
    }
    const first = byKey.get(entry.keyId)
    if (first === undefined) byKey.set(entry.keyId, entry)
    else {
      entry.next = first.next
      first.next = entry
    }
  }
}
