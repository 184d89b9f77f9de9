/** What the shared counts decided about one request, until the hooks that count it ask. */
import { hitAll, type Reading } from '../limits/limiter.ts'
import type { SharedClaim, SharedReadings } from '../limits/shared-limits.ts'

/** One more under way, where only so many may be. */
export interface ClaimedPlace {
  readonly place: string
  readonly subject: string
  readonly most: number
}

/** Claims that were decided together. */
interface Batch {
  readonly claims: readonly SharedClaim[]
  readonly readings: SharedReadings
  /** Whether all of them were taken; else none was. */
  readonly isGranted: boolean
  /** Why nobody could decide; null where somebody did. */
  readonly failure: { readonly reason: unknown } | null
}

interface Decided {
  readonly batch: Batch
  readonly index: number
}

type PlaceDecision = 'entered' | 'full' | { readonly reason: unknown }

function isSame(one: SharedClaim, other: SharedClaim): boolean {
  return one.place === other.place && one.subject === other.subject && one.cost === other.cost
}

function nameOf({ place, subject }: Pick<ClaimedPlace, 'place' | 'subject'>): string {
  return `${place}\n${subject}`
}

/**
 * What was asked for and is never fetched (a rule or a hook answered first, the router chose another route) stays
 * counted: that limits somebody too much by one, and giving it back would be one more question to the shared counts.
 */
export class Decisions {
  /** Newest last. */
  readonly #batches: Batch[] = []
  readonly #fetched = new Set<SharedClaim>()
  #places: Map<string, PlaceDecision> | null = null

  decided(claims: readonly SharedClaim[], readings: SharedReadings): void {
    const isGranted = claims.every((_, index) => readings[index]?.isAllowed === true)
    this.#batches.push({ claims, readings, isGranted, failure: null })
  }

  failed(claims: readonly SharedClaim[], reason: unknown): void {
    this.#batches.push({ claims, readings: [], isGranted: false, failure: { reason } })
  }

  /** Whether there is a decision about a claim that nobody has fetched. */
  has(claim: SharedClaim): boolean {
    const found = this.#find(claim)
    const given = found?.batch.claims[found.index]
    return given !== undefined && !this.#fetched.has(given)
  }

  /** How a subject stands to a limit, as far as the shared counts have told. */
  readingOf({ place, subject }: Pick<SharedClaim, 'place' | 'subject'>): Reading | undefined {
    for (const { claims, readings } of this.#batches.toReversed()) {
      const index = claims.findIndex((claim) => claim.place === place && claim.subject === subject)
      if (index !== -1) return readings[index]
    }
    return undefined
  }

  /**
   * Fetches the readings of claims that count together. What nobody asked the shared counts for, or what they did not
   * take because something else was refused, is counted in this process: so nothing passes uncounted.
   *
   * @param now epoch ms
   * @returns undefined where nothing is known of a claim, because another one is refused
   * @throws what the shared counts failed with
   */
  fetch(claims: readonly SharedClaim[], now: number): SharedReadings {
    const found = claims.map((claim) => this.#find(claim))
    for (const each of found) this.#noteFetched(each)
    const failure = found.find((each) => each?.batch.failure != null)?.batch.failure
    if (failure != null) throw failure.reason
    const readings = found.map((each) => each?.batch.readings[each.index])
    if (readings.some((reading) => reading?.isAllowed === false)) return readings
    const uncounted = claims.filter((_, index) => found[index]?.batch.isGranted !== true)
    if (uncounted.length === 0) return readings
    const own = hitAll(uncounted, now)
    return claims.map((claim, index) => {
      const counted = own[uncounted.indexOf(claim)]
      return counted?.isAllowed === false ? counted : (readings[index] ?? counted)
    })
  }

  #find(claim: SharedClaim): Decided | null {
    for (const batch of this.#batches.toReversed()) {
      const index = batch.claims.findIndex((each) => isSame(each, claim))
      if (index !== -1) return { batch, index }
    }
    return null
  }

  #noteFetched(decided: Decided | null): void {
    const claim = decided?.batch.claims[decided.index]
    if (claim !== undefined) this.#fetched.add(claim)
  }

  placed(claimed: ClaimedPlace, decision: PlaceDecision): void {
    this.#places ??= new Map()
    this.#places.set(nameOf(claimed), decision)
  }

  hasPlace(claimed: ClaimedPlace): boolean {
    return this.#places?.has(nameOf(claimed)) === true
  }

  /**
   * Whether there was room for one more under way; null where nobody asked.
   *
   * @throws what the shared counts failed with
   */
  hasEntered(place: string, subject: string): boolean | null {
    const decision = this.#places?.get(nameOf({ place, subject }))
    if (decision === undefined) return null
    if (typeof decision === 'object') throw decision.reason
    return decision === 'entered'
  }
}
