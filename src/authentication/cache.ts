/** The bounded memory of credentials that were verified lately. */
import type { ChangeKind } from '../storage/records.ts'
import { CacheEntries, type CacheEntry, type Dependencies, forEachDependency, type OwnSlots } from './cache-entries.ts'
import { isProven } from './proof.ts'

/** Changes that are remembered for look-ups under way; when there are more, all of these are made anew. */
const MOST_CHANGES = 1000

/**
 * Two maps, young and old: what is used moves to the young one, and what makes it too many drops the oldest of the old
 * one; once that is empty, the young one is the old one. Bounded, constant work, as many as it may hold are held, and of
 * what is young nothing is reordered on a hit.
 */
export class CredentialCache<B, P> {
  readonly #most: number
  readonly #own: OwnSlots | undefined
  #young: CacheEntries<B, P>
  #old: CacheEntries<B, P>
  /**
   * Raised by every invalidation. A fill that began before what it depends on was invalidated is thrown away, so a slow
   * read that started before a revocation cannot bring the revoked credential back.
   */
  generation = 0
  /** The generation that an invalidation made, by `kind subject`. */
  readonly #invalidated = new Map<string, number>()
  /** What began under an earlier generation is thrown away, whatever it depends on. */
  #oldest = 0
  /** Entries that had to make room for others. */
  evictions = 0

  /** @param size how many entries at most */
  constructor(size: number, own?: OwnSlots) {
    this.#most = Math.max(1, size)
    this.#own = own
    this.#young = new CacheEntries(own)
    this.#old = new CacheEntries(own)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  /**
   * What may be believed without asking storage.
   *
   * @param slot of the part of the credential that is no secret (its id)
   * @param text the whole credential, compared with the entry's `proof`
   * @param now ms
   */
  get(slot: number, text: string, now: number): CacheEntry<B, P> | undefined {
    let entry = this.#young.get(slot)
    if (entry === undefined) {
      entry = this.#old.get(slot)
      if (entry === undefined) return undefined
      this.#old.delete(slot)
      this.#insert(slot, entry)
    }
    if (now >= entry.freshUntil) return undefined
    return isProven(entry.proof, text) ? entry : undefined
  }

  /** What is remembered as right, even if for too long to be believed. */
  findProven(slot: number, text: string): CacheEntry<B, P> | undefined {
    const entry = this.#young.get(slot) ?? this.#old.get(slot)
    return entry !== undefined && isProven(entry.proof, text) ? entry : undefined
  }

  /** Forgets a credential that counts no more. A wrong text in its slot takes nothing away. */
  forget(slot: number, text: string): void {
    if (this.findProven(slot, text) === undefined) return
    this.#young.delete(slot)
    this.#old.delete(slot)
  }

  /**
   * Stores an entry unless anything that it depends on was invalidated since `generation` was read.
   *
   * @param dependencies all of them, those that the slot tells of included
   */
  set(slot: number, entry: CacheEntry<B, P>, dependencies: Dependencies, generation: number): void {
    if (this.#isInvalidatedSince(generation, dependencies)) return
    this.#old.delete(slot)
    this.#insert(slot, entry)
  }

  #isInvalidatedSince(generation: number, dependencies: Dependencies): boolean {
    if (generation === this.generation) return false
    let isInvalidated = generation < this.#oldest
    forEachDependency(dependencies, (kind, subject) => {
      isInvalidated ||= (this.#invalidated.get(`${kind} ${subject}`) ?? 0) > generation
    })
    return isInvalidated
  }

  #insert(slot: number, entry: CacheEntry<B, P>): void {
    this.#young.set(slot, entry)
    if (this.size <= this.#most) return
    if (this.#old.size === 0) {
      this.#old = this.#young
      this.#young = new CacheEntries(this.#own)
    }
    this.#old.dropFirst()
    this.evictions += 1
  }

  /** Forgets every entry that depends on the subject; `*` is every one. */
  invalidate(kind: Exclude<ChangeKind, 'role'>, subject: string): void {
    // No credential depends on a block, and whoever can cause blocks must not keep the cache from filling. A new signing
    // key takes nothing away either: that one was removed is noticed where they are read.
    if (kind === 'block' || kind === 'signing_key') return
    if (subject === '*') {
      this.clear()
      return
    }
    this.generation++
    this.#invalidated.set(`${kind} ${subject}`, this.generation)
    if (this.#invalidated.size > MOST_CHANGES) this.#throwAwayFills()
    for (const entries of [this.#young, this.#old]) entries.deleteDependents(kind, subject)
  }

  clear(): void {
    this.generation++
    this.#throwAwayFills()
    this.#young = new CacheEntries(this.#own)
    this.#old = new CacheEntries(this.#own)
  }

  /** Those under way, of which it is not known what they depend on. */
  #throwAwayFills(): void {
    this.#oldest = this.generation
    this.#invalidated.clear()
  }
}
