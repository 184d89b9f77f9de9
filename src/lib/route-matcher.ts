/**
 * Whether a request path is at or below a route's pattern, in any spelling that some router could take for it. As in
 * `path.ts` every doubt matches, and parameters bring more of it: Elysia takes `a%2Fb` and `..` for the value of `:id`
 * where others see two segments, or one fewer.
 */
import { cut, decode, segmentsOf, UNSAFE_MARKS } from './path.ts'

/** A segment of a pattern: exactly this text, or (parameters) one that starts with it. */
interface Wanted {
  readonly text: string
  readonly isOpen: boolean
}

/** What matches also where it is missing: a prefix is all that is left to compare. */
const OPTIONAL_END = /\/(?:\*|:[^/*?#]+\?)\/*$/

/** In what is left, `*` may still be the last character: Elysia reads `/file*` as a prefix. */
const MISPLACED = /[?#]|\*./s

/** More `..` than any path has; with fewer, the places to keep track of are few. */
const MAX_UPS = 8

/** The segments of a pattern, or null when it is none. */
function parsePattern(pattern: string): readonly Wanted[] | null {
  const required = pattern.replace(OPTIONAL_END, '')
  if (!pattern.startsWith('/') || MISPLACED.test(required)) return null
  const wanted: Wanted[] = []
  for (const raw of required.split('/')) {
    // Elysia starts a parameter also in the middle of a segment: `/v:version`.
    const opening = raw.search(/[:*]/)
    const decoded = decode(opening === -1 ? raw : raw.slice(0, opening))
    if (decoded === null || UNSAFE_MARKS.test(decoded)) return null
    const texts = [...segmentsOf(decoded)]
    if (texts.includes('..')) return null
    const open = opening === -1 ? null : (texts.pop() ?? '')
    for (const text of texts) wanted.push({ text, isOpen: false })
    if (open !== null) wanted.push({ text: open, isOpen: true })
  }
  return wanted
}

/**
 * The segments between the slashes that are surely slashes, each cut at those that perhaps are: encoded ones and
 * backslashes. Null when it cannot be read.
 */
function parsePath(path: string): readonly (readonly string[])[] | null {
  const segments: (readonly string[])[] = []
  for (const raw of path.split('/')) {
    const decoded = decode(raw)
    if (decoded === null || UNSAFE_MARKS.test(decoded)) return null
    segments.push(cut(decoded))
  }
  return segments
}

function countUps(segments: readonly (readonly string[])[]): number {
  let ups = 0
  for (const segment of segments) for (const piece of segment) if (piece === '..') ups += 1
  return ups
}

/**
 * A walk along a path that goes every way a router might. A place is how many segments of the pattern it has met in a
 * row, plus, in multiples of `size`, how many segments it has strayed from there.
 */
class Walk {
  readonly #wanted: readonly Wanted[]
  readonly #size: number

  constructor(wanted: readonly Wanted[]) {
    this.#wanted = wanted
    this.#size = wanted.length + 1
  }

  /** Whether some way stands at or below the pattern. */
  arrives(path: string): boolean {
    const segments = parsePath(path)
    if (segments === null) return true
    let ups = countUps(segments)
    if (ups > MAX_UPS) return true
    let places = new Set([0])
    for (const segment of segments) {
      // Places behind a segment that goes on after this piece, because the slash between them is part of a value.
      const unfinished = new Set<number>()
      for (const piece of segment) {
        if (piece === '..') ups -= 1
        const next = new Set(unfinished)
        for (const place of places) {
          if (piece === '' || piece === '.') next.add(place)
          if (piece === '..') next.add(this.#up(place))
          // Whoever keeps empty segments takes back one of them by the `..` behind it.
          if (piece !== '' || ups > 0) this.#down(next, place, piece, ups, true)
          if (segment.length > 1) this.#down(unfinished, place, piece, ups, false)
        }
        places = next
        if (places.has(this.#wanted.length)) return true
      }
      if (places.size === 0) return false
    }
    return false
  }

  #up(place: number): number {
    if (place >= this.#size) return place - this.#size
    return Math.max(place - 1, 0)
  }

  /** @param ups how many `..` are ahead: a place that more of them would have to lead back from is given up */
  #down(places: Set<number>, place: number, piece: string, ups: number, isWhole: boolean): void {
    const wanted = place < this.#size ? this.#wanted[place] : undefined
    const isMet = wanted?.isOpen ? piece.startsWith(wanted.text) : isWhole && piece === wanted?.text
    if (isMet) places.add(place + 1)
    else if (place + this.#size < (ups + 1) * this.#size) places.add(place + this.#size)
  }
}

const PATTERN_ACCEPTED =
  "a path or route pattern such as '/posts/:id', '/posts/:id?' or '/files/*', without '..', '#', or '?' or '*' elsewhere"

/**
 * Compiles the path of a block: a path or an Elysia route pattern, matched with everything below it, segment by
 * segment. `:name` stands for any one segment, `:name?` at the end for one or none, `*` at the end for anything.
 * Matches what some router or handler could take for such a path: other case, percent-encoding, doubled slashes,
 * `/x/../posts/1`, and for `/posts/:id/likes` also `/posts/a%2Fb/likes`, `/posts/../likes`.
 *
 * It sees no more than the path it is given: a server may have resolved `..` in that and routed by what was sent.
 *
 * @param pattern starts with `/`; a `:` or `*` that is meant literally is written `%3A`, `%2A`
 * @returns takes a path without query
 * @throws TypeError when the pattern is neither
 * @example createRouteMatcher('/posts/:id')('/posts/7/likes') // true
 */
export function createRouteMatcher(pattern: string): (path: string) => boolean {
  const wanted = parsePattern(pattern)
  if (wanted === null) {
    throw new TypeError(`${JSON.stringify(pattern.slice(0, 80))} is not a path to block: write ${PATTERN_ACCEPTED}`)
  }
  const walk = new Walk(wanted)
  return (path) => wanted.length === 0 || walk.arrives(path)
}
