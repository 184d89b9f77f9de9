/** The blocks that are in force, in memory: asked on every request, and nearly always empty. */
import { createAddressMatcher } from '../lib/ip.ts'
import { routedPaths } from '../lib/path.ts'
import { createRouteMatcher } from '../lib/route-matcher.ts'
import type { BlockRecord } from '../storage/records.ts'
import { addressSubject } from './subjects.ts'

interface Indexed {
  readonly block: BlockRecord
  /** Null for all paths. */
  readonly matchesPath: ((path: string) => boolean) | null
  /** For blocks of a range. */
  readonly matchesAddress: ((address: string) => boolean) | null
}

/** Where a request is. */
export interface BlockPlace {
  readonly url: string
  /** The pattern of its route; null while none is found. */
  readonly route: string | null
}

const RANGE = 'range:'

function matchAddress({ subject }: BlockRecord): Indexed['matchesAddress'] {
  return subject.startsWith(RANGE) ? createAddressMatcher([subject.slice(RANGE.length)]) : null
}

function matchPath({ scope, path }: BlockRecord): Indexed['matchesPath'] {
  if (scope === 'global') return null
  // All paths are below this one: who means them says so by the scope.
  if (path === '/') return (asked) => /^\/*$/.test(asked)
  try {
    return createRouteMatcher(path)
  } catch {
    // A pattern of Elysia's that the matcher cannot read is compared with the route that was found.
    return () => false
  }
}

export class BlockIndex {
  readonly #isAllowed: (address: string) => boolean
  readonly #bySubject = new Map<string, Indexed[]>()
  readonly #byId = new Map<string, Indexed>()
  #ranges: readonly Indexed[] = []
  #addresses = 0

  /** @param isAllowed whether an address is on the operator's list, which nothing blocks */
  constructor(isAllowed: (address: string) => boolean) {
    this.#isAllowed = isAllowed
  }

  get size(): number {
    return this.#byId.size
  }

  /** Whether an address needs to be looked for at all. */
  get concernsAddresses(): boolean {
    return this.#addresses > 0 || this.#ranges.length > 0
  }

  /** Whether nothing may block an address. */
  exempts(address: string | null): boolean {
    return address !== null && this.#isAllowed(address)
  }

  all(): Iterable<BlockRecord> {
    return [...this.#byId.values()].map(({ block }) => block)
  }

  /** Takes the place of one of the same subject, scope and path, as in storage: removing it frees the subject. */
  put(block: BlockRecord): void {
    this.remove(block.id)
    const replaced = this.#samePlace(block)
    if (replaced !== undefined) this.remove(replaced.block.id)
    const indexed = { block, matchesPath: matchPath(block), matchesAddress: matchAddress(block) }
    this.#byId.set(block.id, indexed)
    if (indexed.matchesAddress !== null) {
      this.#ranges = [...this.#ranges, indexed]
      return
    }
    if (block.subject.startsWith('ip:')) this.#addresses += 1
    const others = this.#bySubject.get(block.subject)
    if (others === undefined) this.#bySubject.set(block.subject, [indexed])
    else others.push(indexed)
  }

  /** Whether one of the same subject, scope and path is there that ends no earlier. */
  outlasts(block: BlockRecord): boolean {
    return (this.#samePlace(block)?.block.expiresAt ?? Number.NEGATIVE_INFINITY) >= block.expiresAt
  }

  /** The one of the same subject, scope and path. */
  findSamePlace(block: BlockRecord): BlockRecord | null {
    return this.#samePlace(block)?.block ?? null
  }

  #samePlace({ subject, scope, path }: BlockRecord): Indexed | undefined {
    const candidates = subject.startsWith(RANGE) ? this.#ranges : (this.#bySubject.get(subject) ?? [])
    return candidates.find(({ block }) => block.subject === subject && block.scope === scope && block.path === path)
  }

  remove(id: string): BlockRecord | null {
    const indexed = this.#byId.get(id)
    if (indexed === undefined) return null
    this.#byId.delete(id)
    const { block } = indexed
    if (indexed.matchesAddress !== null) {
      this.#ranges = this.#ranges.filter((each) => each !== indexed)
      return block
    }
    if (block.subject.startsWith('ip:')) this.#addresses -= 1
    const left = (this.#bySubject.get(block.subject) ?? []).filter((each) => each !== indexed)
    if (left.length === 0) this.#bySubject.delete(block.subject)
    else this.#bySubject.set(block.subject, left)
    return block
  }

  /** Forgets what has ended. */
  sweep(now: number): void {
    for (const { block } of this.#byId.values()) if (block.expiresAt <= now) this.remove(block.id)
  }

  /**
   * The block that ends last of those that stand between an address and a path.
   *
   * @param place the request's URL, and its route where that is known; null for a place that is another service's
   * @param now epoch ms
   */
  findForAddress(address: string | null, place: BlockPlace | null, now: number): BlockRecord | null {
    if (!this.concernsAddresses || this.exempts(address)) return null
    const named = this.#bySubject.get(addressSubject(address)) ?? []
    const ranged = address === null ? [] : this.#ranges.filter(({ matchesAddress }) => matchesAddress?.(address))
    return latest([...named, ...ranged], place, now)
  }

  /** As `findForAddress`, for any other subject. */
  find(subject: string, place: BlockPlace | null, now: number): BlockRecord | null {
    const named = this.#bySubject.get(subject)
    return named === undefined ? null : latest(named, place, now)
  }
}

/**
 * The router may choose by what the client sent (`/posts/..`), which the URL of the request no longer shows: so the
 * route counts as well as the path.
 */
function isAt({ block, matchesPath }: Indexed, place: BlockPlace | null): boolean {
  if (matchesPath === null) return true
  if (place === null) return false
  const { url, route } = place
  if (route !== null && (route === block.path || matchesPath(route))) return true
  return routedPaths(url).some(matchesPath)
}

function latest(candidates: readonly Indexed[], place: BlockPlace | null, now: number): BlockRecord | null {
  let found: BlockRecord | null = null
  for (const indexed of candidates) {
    const { block } = indexed
    if (block.expiresAt <= now || (found !== null && found.expiresAt >= block.expiresAt)) continue
    if (isAt(indexed, place)) found = block
  }
  return found
}
