/**
 * Which paths under a `protect` rule are public after all, because their route says `public: true`.
 *
 * A rule decides before Elysia has chosen a route, so this asks: does a public route match, and no other one? Every
 * doubt stays protected.
 */
import type { RouteDescription } from './routes.ts'

/** Whether a path has the form of a route's pattern: `:name`, `:name?` and a final `*`. */
export function matchesPattern(pattern: string, path: string): boolean {
  const wanted = pattern.split('/').slice(1)
  const given = path.split('/').slice(1)
  if (given.at(-1) === '' && wanted.at(-1) !== '') given.pop()
  for (const [index, part] of wanted.entries()) {
    if (part === '*') return true
    const segment = given[index]
    if (segment === undefined) return part.startsWith(':') && part.endsWith('?') && index === wanted.length - 1
    const isParameter = part.startsWith(':') && segment !== ''
    if (!isParameter && part !== segment) return false
  }
  return given.length === wanted.length
}

/** `GET` serves `HEAD` and is what a WebSocket's upgrade comes as. */
function servesMethod(route: RouteDescription, method: string): boolean {
  if (route.method === 'ALL' || route.method === method) return true
  if (method === 'HEAD') return route.method === 'GET'
  return method === 'GET' && route.method === 'WS'
}

/** An `OPTIONS` route answers preflights, which browsers send without credentials (Fetch, CORS-preflight fetch). */
function isOpen(route: RouteDescription): boolean {
  return route.isPublic || route.method === 'OPTIONS'
}

function isStatic(pattern: string): boolean {
  return !pattern.includes(':') && !pattern.includes('*')
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/** Whether the route of a method and path is one of some kind. */
export type RouteCheck = (method: string, path: string) => boolean

/** Which paths are public. @param routes of the one app that serves the request */
export function createPublicPaths(routes: readonly RouteDescription[]): RouteCheck {
  return createRouteCheck(routes, isOpen)
}

/** Routes by what a path shows at once, so that few are looked at however many there are. */
class RouteIndex {
  /** Those whose path is no pattern, without the slash at the end. */
  readonly #statics = new Map<string, RouteDescription[]>()
  /** Patterns by their first segment. */
  readonly #patterns = new Map<string, RouteDescription[]>()
  /** Patterns whose first segment is none. */
  readonly #others: RouteDescription[] = []

  constructor(routes: readonly RouteDescription[]) {
    for (const route of routes) {
      const first = firstSegment(route.path)
      if (isStatic(route.path)) addTo(this.#statics, withoutSlash(route.path), route)
      else if (isStatic(first)) addTo(this.#patterns, first, route)
      else this.#others.push(route)
    }
  }

  /** Every route that could serve a path. */
  find(path: string): readonly RouteDescription[] {
    const patterns = [...(this.#patterns.get(firstSegment(path)) ?? []), ...this.#others]
    return [
      ...(this.#statics.get(withoutSlash(path)) ?? []),
      ...patterns.filter((route) => matchesPattern(route.path, path)),
    ]
  }
}

function firstSegment(path: string): string {
  return path.split('/', 2)[1] ?? ''
}

function addTo(routes: Map<string, RouteDescription[]>, name: string, route: RouteDescription): void {
  const known = routes.get(name)
  if (known === undefined) routes.set(name, [route])
  else known.push(route)
}

/**
 * Answers whether every route that could serve a method and path is of some kind; for what no route serves, no.
 *
 * @param routes of the one app that serves the request
 */
export function createRouteCheck(
  routes: readonly RouteDescription[],
  isKind: (route: RouteDescription) => boolean,
): RouteCheck {
  const index = new RouteIndex(routes)
  return (method, path) => {
    const candidates = index.find(path).filter((route) => servesMethod(route, method))
    // A static route of exactly this path wins over patterns, though not over one that differs by the slash at the end.
    const hasExact = candidates.some((route) => isStatic(route.path) && route.path === path)
    const winners = hasExact ? candidates.filter((route) => isStatic(route.path)) : candidates
    return winners.length > 0 && winners.every(isKind)
  }
}
