/**
 * Which route a request will most likely come to, before the router has chosen one.
 *
 * A wrong guess lets nothing through: what a request is counted for is decided by the route that it reaches.
 */

/** What is looked for by method and path. */
export interface GuessableRoute {
  /** `WS` for the upgrade of a WebSocket, `ALL` for every method. */
  readonly method: string
  readonly path: string
}

export interface RouteGuess<R extends GuessableRoute> {
  readonly route: R
  readonly params: Readonly<Record<string, string>>
}

interface Pattern<R extends GuessableRoute> {
  readonly route: R
  readonly segments: readonly string[]
}

interface Table<R extends GuessableRoute> {
  readonly exact: Map<string, R>
  /** By the path without a slash at the end: most apps serve both. */
  readonly loose: Map<string, R>
  readonly patterns: Pattern<R>[]
}

const NO_PARAMS = Object.freeze({})

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

/** Names before parameters before what takes all the rest, segment by segment, as the router looks for them. */
function rankOf(segment: string): number {
  if (segment === '*') return 2
  return segment.startsWith(':') ? 1 : 0
}

function compare(one: readonly string[], other: readonly string[]): number {
  for (const [index, segment] of one.entries()) {
    const against = other[index]
    if (against === undefined) return 1
    const difference = rankOf(segment) - rankOf(against)
    if (difference !== 0) return difference
  }
  return one.length - other.length
}

/** As the router decodes: what is no text stays as it came. */
function decodeParam(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The parameters of a path that has the form of a pattern; null for any other. */
function paramsOf(segments: readonly string[], path: string): Readonly<Record<string, string>> | null {
  const given = path.split('/').slice(1)
  if (given.at(-1) === '' && segments.at(-1) !== '*') given.pop()
  const params: Record<string, string> = {}
  for (const [index, segment] of segments.entries()) {
    const text = given[index]
    if (segment === '*') {
      params['*'] = decodeParam(given.slice(index).join('/'))
      return params
    }
    const isOptional = segment.startsWith(':') && segment.endsWith('?')
    if (text === undefined) return isOptional && index === segments.length - 1 ? params : null
    if (!segment.startsWith(':')) {
      if (segment !== text) return null
    } else if (text === '') return null
    else params[segment.slice(1, isOptional ? -1 : undefined)] = decodeParam(text)
  }
  return given.length === segments.length ? params : null
}

/** The names that the routes of a request may be declared under, the likeliest first. */
function methodsOf({ method, headers }: Request): readonly string[] {
  if (method === 'HEAD') return ['HEAD', 'ALL', 'GET']
  const isUpgrade = method === 'GET' && headers.get('upgrade') === 'websocket'
  return isUpgrade ? ['WS', 'GET', 'ALL'] : [method, 'ALL']
}

export class RouteGuesser<R extends GuessableRoute> {
  readonly #tables = new Map<string, Table<R>>()

  /** @param routes of one app */
  constructor(routes: readonly R[]) {
    for (const route of routes) this.#add(route)
    for (const { patterns } of this.#tables.values()) {
      patterns.sort((one, other) => compare(one.segments, other.segments))
    }
  }

  #add(route: R): void {
    const { method, path } = route
    const table: Table<R> = this.#tables.get(method) ?? { exact: new Map(), loose: new Map(), patterns: [] }
    this.#tables.set(method, table)
    if (path.includes(':') || path.includes('*')) {
      table.patterns.push({ route, segments: withoutSlash(path).split('/').slice(1) })
      return
    }
    // Of two of one path the later one serves.
    table.exact.set(path, route)
    if (!table.loose.has(withoutSlash(path))) table.loose.set(withoutSlash(path), route)
  }

  /** @param path as the router sees it: still encoded, without query */
  guess(request: Request, path: string): RouteGuess<R> | null {
    const methods = methodsOf(request)
    const named = this.#find(methods, (table) => table.exact.get(path) ?? table.loose.get(withoutSlash(path)) ?? null)
    if (named !== null) return { route: named, params: NO_PARAMS }
    return this.#find(methods, ({ patterns }) => {
      for (const { route, segments } of patterns) {
        const params = paramsOf(segments, path)
        if (params !== null) return { route, params }
      }
      return null
    })
  }

  #find<T>(methods: readonly string[], look: (table: Table<R>) => T | null): T | null {
    for (const method of methods) {
      const table = this.#tables.get(method)
      const found = table === undefined ? null : look(table)
      if (found !== null) return found
    }
    return null
  }
}
