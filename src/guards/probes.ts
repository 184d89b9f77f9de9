/**
 * Which requests ask how this is. That is told by the URL, which Bun makes of a request only when somebody reads it: so it
 * is not read where it is known that all that comes leads elsewhere.
 */
import { requestPath } from '../lib/path.ts'
import { isOfOneRoute } from './elysia-internals.ts'

export class Probes {
  readonly #isProbe: (path: string) => boolean
  /** By what requests are given to: whether that is one route alone, and no probe. */
  readonly #leadsElsewhere = new WeakMap<object, boolean>()

  /** @param isProbe whether a path is one that is answered at once and to anybody */
  constructor(isProbe: (path: string) => boolean) {
    this.#isProbe = isProbe
  }

  /** Whether it is known of what a request is given to that no probe comes there. */
  isKnownElsewhere(handler: object): boolean {
    return this.#leadsElsewhere.get(handler) === true
  }

  /** The cheap look comes first: almost nothing is one. */
  isOne({ method, url }: Request): boolean {
    return url.includes('/health/') && (method === 'GET' || method === 'HEAD') && this.#isProbe(requestPath(url))
  }

  /** Whether a route is one of theirs. */
  isRoute(route: string): boolean {
    return this.#isProbe(route)
  }

  /** Learns which route a request came to. @param handler what it was given to */
  learn(handler: object, route: string): void {
    if (this.#leadsElsewhere.has(handler)) return
    this.#leadsElsewhere.set(handler, isOfOneRoute(handler) && !this.#isProbe(route))
  }
}
