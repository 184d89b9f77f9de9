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

/** Entries by their labels. Keys and routes are many, what one key does on one route is little. */
export class LabelIndex<T extends Labels> {
  readonly #byKey = new Map<string, Map<string, T[]>>()

  find(keyId: string, organizationId: string, method: string, route: string, status: number): T | undefined {
    const entries = this.#byKey.get(keyId)?.get(route)
    if (entries === undefined) return undefined
    for (const entry of entries) {
      if (entry.status === status && entry.method === method && entry.organizationId === organizationId) return entry
    }
    return undefined
  }

  /** Its labels must not be there yet. */
  add(entry: T): void {
    let byRoute = this.#byKey.get(entry.keyId)
    if (byRoute === undefined) {
      byRoute = new Map()
      this.#byKey.set(entry.keyId, byRoute)
    }
    const entries = byRoute.get(entry.route)
    if (entries === undefined) byRoute.set(entry.route, [entry])
    else entries.push(entry)
  }
}
