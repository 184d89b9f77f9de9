/** What the shared counts decided about one request, until the hooks that count it ask; what nobody asked them for. */
import type { Reading } from '../limits/limiter.ts'
import type { Patience, SharedClaim, SharedLimits, SharedReadings } from '../limits/shared-limits.ts'

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
  readonly patience: Patience = { isOver: false }
  /** Newest last. */
  readonly #batches: Batch[] = []
  readonly #fetched = new Set<SharedClaim>()
  #places: Map<string, PlaceDecision> | null = null
  readonly #shared: SharedLimits

  constructor(shared: SharedLimits) {
    this.#shared = shared
  }

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

  isRefused(claim: SharedClaim): boolean {
    const found = this.#find(claim)
    return found?.batch.readings[found.index]?.isAllowed === false
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
   * take because something else was refused, counts at once, so nothing passes uncounted.
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
    const late = this.#hitNow(uncounted, now)
    return claims.map((claim, index) => {
      const counted = late[uncounted.indexOf(claim)]
      return counted?.isAllowed === false ? counted : (readings[index] ?? counted)
    })
  }

  #hitNow(claims: readonly SharedClaim[], now: number): SharedReadings {
    const readings = this.#shared.hitNow(claims, now)
    this.decided(claims, readings)
    for (const claim of claims) this.#fetched.add(claim)
    return readings
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
   * Whether there is room for one more under way: as was decided, or else now.
   *
   * @param onEntered is given what ends it, where it was let in only now
   * @throws what the shared counts failed with
   */
  enter(claimed: ClaimedPlace, onEntered: (leave: () => void) => void): boolean {
    const { place, subject, most } = claimed
    const decision = this.#places?.get(nameOf(claimed))
    if (typeof decision === 'object') throw decision.reason
    if (decision !== undefined) return decision === 'entered'
    const leave = this.#shared.enterNow(place, subject, most)
    this.placed(claimed, leave === null ? 'full' : 'entered')
    if (leave !== null) onEntered(leave)
    return leave !== null
  }
}
