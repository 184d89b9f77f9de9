/**
 * Which paths under a `protect` rule are public after all, because their route says `public: true`.
 *
 * A rule decides before Elysia has chosen a route, so this asks: does a public route match, and no other one? Every
 * doubt stays protected.
 */
import type { RouteDescription } from './routes.ts'

type Matcher = (path: string) => boolean

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

/**
 * Answers whether every route that could serve a method and path is of some kind; for what no route serves, no.
 *
 * @param routes of the one app that serves the request
 */
export function createRouteCheck(
  routes: readonly RouteDescription[],
  isKind: (route: RouteDescription) => boolean,
): RouteCheck {
  const compiled = routes.map((route) => {
    const matches: Matcher = (path) => matchesPattern(route.path, path)
    return { route, matches, isStatic: isStatic(route.path), bare: withoutSlash(route.path) }
  })
  return (method, path) => {
    const bare = withoutSlash(path)
    const candidates = compiled.filter(
      (each) => servesMethod(each.route, method) && (each.matches(path) || (each.isStatic && each.bare === bare)),
    )
    // A static route of exactly this path wins over patterns, though not over one that differs by the slash at the end.
    const hasExact = candidates.some((each) => each.isStatic && each.route.path === path)
    const winners = hasExact ? candidates.filter((each) => each.isStatic) : candidates
    return winners.length > 0 && winners.every(({ route }) => isKind(route))
  }
}
