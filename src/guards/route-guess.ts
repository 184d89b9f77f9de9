/**
 * Which route a request will come to, before the router has chosen one: found by a router as Elysia makes it of the
 * same routes.
 *
 * A wrong guess lets nothing through: what a request is counted for is decided by the route that it reaches.
 */
import type { AppInternals, InternalRoute, PatternRouter, StaticRoutes } from './elysia-internals.ts'

export interface RouteGuess<R> {
  readonly route: R
  readonly params: Readonly<Record<string, string>>
}

const NO_PARAMS = Object.freeze({})
const PATTERN = /[:*]/

/** Where Elysia starts to look for the `/` of the path in a URL. */
const OFFSET = 11
const OFFSET_OF_ANY_HOST = 7

function looseOf(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : `${path}/`
}

function encode(path: string): string {
  return encodeURIComponent(path).replaceAll('%2F', '/')
}

/** What makes a pattern stays. */
function encodePattern(path: string): string {
  return encode(path).replaceAll('%3A', ':').replaceAll('%3F', '?')
}

function isUpgrade({ method, headers }: Request): boolean {
  return method === 'GET' && headers.get('upgrade') === 'websocket'
}

function indexOf(routes: StaticRoutes, request: Request): number | undefined {
  const { method } = request
  const ofSocket = isUpgrade(request) ? routes.WS : undefined
  const ofMethod = ofSocket ?? routes[method] ?? (method === 'HEAD' ? routes.GET : undefined)
  return ofMethod ?? routes.ALL
}

/** @typeParam R what is known of a route */
export class RouteGuesser<R> {
  readonly #history: readonly InternalRoute[]
  readonly #routes: readonly R[]
  readonly #statics = new Map<string, StaticRoutes>()
  readonly #patterns: PatternRouter<R>
  /** Once there is one, whoever asks for a WebSocket comes to no route that is none. */
  readonly #hasSocketPattern: boolean
  readonly #offset: number

  /** @param routes what is known of each of the app's history, in its order */
  constructor({ router, config }: AppInternals, routes: readonly R[]) {
    this.#history = router.history
    this.#routes = routes
    this.#offset = config.handler?.standardHostname === false ? OFFSET_OF_ANY_HOST : OFFSET
    const isLoose = config.strictPath !== true
    for (const [path, byMethod] of Object.entries(router.static)) {
      for (const spelling of [path, ...(isLoose ? [looseOf(path)] : []), encode(path)]) {
        if (!this.#statics.has(spelling)) this.#statics.set(spelling, byMethod)
      }
    }
    this.#patterns = new router.http.constructor<R>({ onParam: router.http.config.onParam })
    for (const [index, { method, path }] of router.history.entries()) {
      const route = routes[index]
      if (route === undefined || !PATTERN.test(path)) continue
      for (const spelling of new Set([path, ...(isLoose ? [looseOf(path)] : []), encodePattern(path)])) {
        this.#patterns.add(method, spelling, route)
      }
    }
    this.#hasSocketPattern = router.history.some(({ method, path }) => method === 'WS' && PATTERN.test(path))
  }

  guess(request: Request): RouteGuess<R> | null {
    const path = this.#pathOf(request.url)
    const named = this.#statics.get(path)
    const index = named === undefined ? undefined : indexOf(named, request)
    const route = index === undefined ? undefined : this.#routes[index]
    if (route !== undefined) return { route, params: NO_PARAMS }
    for (const method of this.#methodsOf(request)) {
      const found = this.#patterns.find(method, path)
      if (found !== null) return { route: found.store, params: found.params }
    }
    return null
  }

  /** The route of a path as it is declared, and of the method that it answers to itself; null where none does. */
  find(method: string, declared: string): R | null {
    const indexFor = (wanted: string) =>
      this.#history.findIndex((each) => each.path === declared && each.method === wanted)
    const index = indexFor(method)
    return this.#routes[index === -1 && method === 'HEAD' ? indexFor('GET') : index] ?? null
  }

  /** As Elysia takes it out of the URL: still encoded, without query. */
  #pathOf(url: string): string {
    const start = url.indexOf('/', this.#offset)
    const query = url.indexOf('?', start + 1)
    return url.substring(start, query === -1 ? undefined : query)
  }

  /** The names that patterns are looked for under, in this order. */
  #methodsOf(request: Request): readonly string[] {
    const { method } = request
    if (method === 'HEAD') return ['GET', 'HEAD', 'ALL']
    return [this.#hasSocketPattern && isUpgrade(request) ? 'WS' : method, 'ALL']
  }
}
