/**
 * Request paths as path rules must see them. A rule that matches too much refuses a request that would most likely be
 * 404; a rule that matches too little lets one through. So every doubt matches.
 */

/** Rounds of percent-decoding: routers decode once, file servers perhaps again. */
const MAX_DECODINGS = 4

/** Decodes every `%XX`, also invalid ones, as routers do. */
function decodeOnce(path: string): string {
  if (!path.includes('%')) return path
  return path.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
}

/** Fully decoded, or null when it is encoded more often than anybody does. */
export function decode(path: string): string | null {
  let current = path
  for (let round = 0; round < MAX_DECODINGS; round += 1) {
    const next = decodeOnce(current)
    if (next === current) return current
    current = next
  }
  return null
}

/** More combining marks in a row than any text has: bringing them into one form takes quadratic time (UAX #15, D3). */
export const UNSAFE_MARKS = /\p{M}{31}/u

/** Lower case, one form of accents, cut at `/` and `\`; nothing dropped. */
export function cut(path: string): readonly string[] {
  return path.normalize('NFC').toLowerCase().split(/[/\\]/)
}

/** As `cut`; empty segments and `.` dropped, `..` kept. */
export function segmentsOf(path: string): readonly string[] {
  return cut(path).filter((segment) => segment !== '' && segment !== '.')
}

/** A path that has only one spelling: lower-case letters, digits, `-`, `_`, single slashes. */
function isPlain(path: string): boolean {
  for (let index = 0; index < path.length; index += 1) {
    const code = path.charCodeAt(index)
    const isLetter = code >= 97 && code <= 122
    const isDigit = code >= 48 && code <= 57
    const isSlash = code === 47 && path.charCodeAt(index + 1) !== 47
    if (!isLetter && !isDigit && !isSlash && code !== 45 && code !== 95) return false
  }
  return path.startsWith('/')
}

/** Whether a walk along the segments, resolving `..`, ever stands at or below `prefix`. */
function entersPrefix(path: string, prefix: readonly string[]): boolean {
  const decoded = decode(path)
  if (decoded === null || UNSAFE_MARKS.test(decoded)) return true
  const stack: string[] = []
  for (const segment of segmentsOf(decoded)) {
    if (segment === '..') stack.pop()
    else stack.push(segment)
    if (stack.length === prefix.length && prefix.every((wanted, index) => stack[index] === wanted)) return true
  }
  return prefix.length === 0
}

const PATTERN_ACCEPTED = "a path such as '/api' or '/api/*', without other wildcards, '..', '?' or '#'"

/**
 * Compiles the path of a `protect` rule. `/api`, `/api/` and `/api/*` are the same: `/api` and all below it, compared
 * by segment, so that `/apix` is outside. Spellings that some router or handler could take for such a path are inside:
 * other case, percent-encoding, doubled slashes, `/x/../api`, and also `/api/../x`.
 *
 * @param pattern starts with `/`; `/` and `/*` match everything
 * @returns takes a path without query
 * @throws TypeError when the pattern is not such a path
 * @example createPathMatcher('/api/*')('/API/users') // true
 */
export function createPathMatcher(pattern: string): (path: string) => boolean {
  const prefixText = pattern.endsWith('/*') ? pattern.slice(0, -1) : pattern
  const decoded = decode(prefixText)
  if (
    decoded === null ||
    !pattern.startsWith('/') ||
    /[*?#]|\/:/.test(prefixText) ||
    segmentsOf(decoded).includes('..')
  ) {
    throw new TypeError(`${JSON.stringify(pattern)} is not a path rule: write ${PATTERN_ACCEPTED}`)
  }
  const prefix = segmentsOf(decoded)
  const exact = `/${prefix.join('/')}`
  const below = prefix.length === 0 ? '/' : `${exact}/`
  return (path) => (isPlain(path) ? path === exact || path.startsWith(below) : entersPrefix(path, prefix))
}

/** Up to the query or fragment. */
function withoutQuery(url: string): string {
  const query = url.indexOf('?')
  const target = query === -1 ? url : url.slice(0, query)
  const fragment = target.indexOf('#')
  return fragment === -1 ? target : target.slice(0, fragment)
}

/**
 * Takes the path out of `request.url` without parsing the rest: a strange `Host` header makes it a bare path, or a URL
 * that `new URL` refuses.
 *
 * @returns starts with `/`, still encoded, without query and fragment
 */
export function requestPath(url: string): string {
  const target = withoutQuery(url)
  if (target.startsWith('/')) return target
  const authority = target.indexOf('://')
  const slash = target.indexOf('/', authority === -1 ? 0 : authority + 3)
  return slash === -1 ? '/' : target.slice(slash)
}

/** Where Elysia starts to look for the path: after `http://` and four more characters, or (an option of it) none. */
const ROUTER_OFFSETS = [11, 7]

/**
 * Every path that the application may route a request by. Elysia takes the first `/` from a fixed place in the URL for
 * the start of the path, so that a very short or malformed `Host` header makes it route `/aaaaaaaaaaaa/api` as `/api`.
 * A path rule must look at all of them.
 *
 * @returns `requestPath(url)` first; with a usual host it is the only one
 */
export function routedPaths(url: string): readonly string[] {
  const paths = [requestPath(url)]
  for (const offset of ROUTER_OFFSETS) {
    if (offset === 7 && url.startsWith('https://')) continue
    const start = url.indexOf('/', offset)
    if (start === -1) continue
    const query = url.indexOf('?', start)
    const path = query === -1 ? url.slice(start) : url.slice(start, query)
    if (!paths.includes(path)) paths.push(path)
  }
  return paths
}
