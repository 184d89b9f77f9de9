/** How every kind of credential is verified: a look into the cache, or a look-up that fills it. */
import { isStorageAway } from '../errors.ts'
import { noteBelieved } from '../lib/belief.ts'
import type { CacheFigures } from '../lib/cache-figures.ts'
import type { Clock } from '../lib/clock.ts'
import { within } from '../lib/within.ts'
import { CredentialCache } from './cache.ts'
import { type CacheEntry, type Dependencies, notedOf, type OwnSlots } from './cache-entries.ts'
import type { Outcome, Principal, Refusal } from './principal.ts'
import { type Proof, proofOf } from './proof.ts'
import { RefusedTexts } from './refused-texts.ts'

/** What a look-up found: something to cache, and until when it may be believed. */
export interface Found<B> {
  readonly base: B
  /** ms; `0` is never cached. The cache's time to live shortens it. */
  readonly validUntil: number
  readonly dependencies: Dependencies
}

/** One row of the table of credential kinds. */
export interface CredentialKind<B, P extends Principal> {
  /** The slot of the part of the text that is no secret; any text may come. */
  slotOf(text: string): number
  /** What it depends on that is found by its slot. */
  readonly own?: OwnSlots
  /** What a text is recognized by the next time; its SHA-256 unless the kind knows better. */
  proofOf?(text: string): Proof
  /** Refuses, without waiting, a text that cannot be one of ours. */
  refuseMalformed(text: string): Refusal | undefined
  /** Whether a refusal of the look-up is of the text itself, and not of a state that may be lifted. */
  isLasting?(refused: Refusal): boolean
  /** Whether a text that is refused may be something else: then it is refused only when it is resolved. */
  readonly isAmbiguous?: boolean
  /** Whether the look-up asks the app, whose answer is only for the request it was asked for. */
  asksApp?(text: string): boolean
  /**
   * Verifies the text against storage.
   *
   * @param known what the last look-up found, as far as it is remembered
   */
  lookup(text: string, now: number, known: B | undefined): Promise<Found<B> | Refusal>
  /** Makes the principal; asynchronous only where the app's own `users.load` must be asked on every request. */
  principalOf(base: B, now: number): Outcome<P> | Promise<Outcome<P>>
  /** Called when its principal is remembered, and will not be made from it again. */
  onMade?(base: B): void
  /** Called on a hit, to notice use; must not throw and must not wait. False asks storage again. */
  onHit?(base: B, now: number): boolean
}

/** What a look-up came to. */
interface Landed<B, P extends Principal> {
  readonly outcome: Outcome<P> | Promise<Outcome<P>>
  /** Null where the outcome is for everybody who asked. */
  readonly base: B | null
  /** Whether storage was away, so that it is what an earlier one came to. */
  readonly isStale: boolean
}

/** A look-up in flight, shared by requests that present the same credential meanwhile. */
interface Flight<B, P extends Principal> {
  readonly generation: number
  readonly landing: Promise<Landed<B, P> | Refusal>
  /** Whether it lands before those who were verified lately lose patience; null when this one was not. */
  readonly isInTime: Promise<boolean> | null
}

function isRefusal(value: object): value is Refusal {
  return 'kind' in value && value.kind === 'refused'
}

/** ms for which what storage could not confirm is believed before it is asked again. */
const PAUSE = 1000
/** ms that whoever was verified lately waits for storage: one that is frozen is no reason to keep him waiting. */
const PATIENCE = 500

/** Verifies credentials of one kind. */
export class Authenticator<B, P extends Principal> {
  readonly cache: CredentialCache<B, P>
  readonly #kind: CredentialKind<B, P>
  readonly #clock: Clock
  readonly #ttl: number
  readonly #staleness: number
  readonly #toRefusal: (error: unknown) => Refusal
  readonly #ready: Promise<void>
  readonly #patience: number
  readonly #flights = new Map<string, Flight<B, P>>()
  readonly #refused = new RefusedTexts()
  #hits = 0
  #misses = 0
  #stale = 0

  /**
   * @param options.ttl ms a verified credential is believed without asking storage again
   * @param options.staleness ms since it was verified for which it is believed while storage is away
   * @param options.toRefusal turns a failure of storage into the answer the request gets
   */
  constructor(
    kind: CredentialKind<B, P>,
    options: {
      readonly clock: Clock
      readonly ttl: number
      readonly staleness: number
      readonly size: number
      readonly toRefusal: (error: unknown) => Refusal
      /** Nothing is verified before the core is ready, so that nothing half-known is remembered. */
      readonly ready: Promise<void>
      /** ms; see `PATIENCE`. */
      readonly patience?: number
    },
  ) {
    this.#patience = options.patience ?? PATIENCE
    this.#ready = options.ready
    this.#kind = kind
    this.#clock = options.clock
    this.#ttl = options.ttl
    this.#staleness = options.staleness
    this.#toRefusal = options.toRefusal
    this.cache = new CredentialCache(options.size, kind.own)
  }

  /** The outcome if it is known without waiting, else undefined. No storage access. */
  peek(text: string): Outcome<P> | undefined {
    const now = this.#clock()
    const entry = this.cache.get(this.#kind.slotOf(text), text, now)
    if (entry === undefined) return this.#kind.refuseMalformed(text) ?? this.#refuseAtOnce(text, now)
    if (entry.principal === null || !this.#isUsable(entry, now)) return undefined
    this.#noteHit(entry)
    return entry.principal
  }

  #refuseAtOnce(text: string, now: number): Refusal | undefined {
    return this.#kind.isAmbiguous === true ? undefined : this.#refused.recall(text, now, this.cache.generation)
  }

  #isUsable({ base }: CacheEntry<B, P>, now: number): boolean {
    return base === null || (this.#kind.onHit?.(base, now) ?? true)
  }

  /** Whom a remembered credential proves: made when it was verified, or anew from what is kept for that. */
  #made({ principal, base }: CacheEntry<B, P>, now: number): Outcome<P> | Promise<Outcome<P>> | null {
    if (principal !== null) return principal
    return base === null ? null : this.#outcomeOf(base, now)
  }

  #noteHit({ isStale }: CacheEntry<B, P>): void {
    this.#hits += 1
    if (isStale) this.#stale += 1
  }

  /** How its cache does. */
  get figures(): CacheFigures {
    const { size, evictions } = this.cache
    return { hits: this.#hits, misses: this.#misses, stale: this.#stale, evictions, size }
  }

  /** Whether a text was right before, as far as the cache remembers: it may have to be looked up anew all the same. */
  hasProven(text: string): boolean {
    return this.cache.findProven(this.#kind.slotOf(text), text) !== undefined
  }

  /** The outcome, whatever it takes. Never rejects: a failure of storage is a refusal too. */
  async resolve(text: string): Promise<Outcome<P>> {
    try {
      await this.#ready
      const now = this.#clock()
      const known = this.cache.get(this.#kind.slotOf(text), text, now)
      const outcome = known !== undefined && this.#isUsable(known, now) ? this.#made(known, now) : null
      if (known !== undefined && outcome !== null) {
        this.#noteHit(known)
        return await outcome
      }
      const refused = this.#refused.recall(text, now, this.cache.generation)
      if (refused !== undefined) return refused
      this.#misses += 1
      return await this.#lookup(text, now)
    } catch (error) {
      return this.#toRefusal(error)
    }
  }

  async #lookup(text: string, now: number): Promise<Outcome<P>> {
    const { generation } = this.cache
    const joined = this.#flights.get(text)
    // A flight that took off before an invalidation may carry what was just taken away.
    const isOwn = joined === undefined || joined.generation !== generation
    const flight = isOwn ? this.#takeOff(text, now, generation) : joined
    const isLate = flight.isInTime !== null && !(await flight.isInTime)
    const believed = isLate ? this.#believe(text) : null
    if (believed !== null) return this.#arrive(believed, now, true)
    return this.#arrive(await flight.landing, now, isOwn)
  }

  /** @param isOwn whether it is the request for which it was found out */
  #arrive(landed: Landed<B, P> | Refusal, now: number, isOwn: boolean): Outcome<P> | Promise<Outcome<P>> {
    if (isRefusal(landed)) return landed
    if (landed.isStale) this.#stale += 1
    // What the app said of the user is for the request that asked.
    const { base, outcome } = landed
    return base !== null && !isOwn && outcome instanceof Promise ? this.#kind.principalOf(base, now) : outcome
  }

  #takeOff(text: string, now: number, generation: number): Flight<B, P> {
    const isKnown = this.hasProven(text)
    const landing = this.#land(text, now, generation)
    const flight = { generation, landing, isInTime: isKnown ? within(this.#patience, landing) : null }
    if (this.#kind.asksApp?.(text) === true) return flight
    // Until it lands, however late: a database that is slow is not asked the same again and again.
    this.#flights.set(text, flight)
    const forget = () => {
      if (this.#flights.get(text) === flight) this.#flights.delete(text)
    }
    landing.then(forget, forget)
    return flight
  }

  async #land(text: string, now: number, generation: number): Promise<Landed<B, P> | Refusal> {
    const slot = this.#kind.slotOf(text)
    let found: Found<B> | Refusal
    try {
      found = await this.#kind.lookup(text, now, this.cache.findProven(slot, text)?.base ?? undefined)
    } catch (error) {
      // What an app fails to say is not storage's failure.
      const believed = isStorageAway(error) ? this.#believe(text) : null
      if (believed === null) throw error
      return believed
    }
    if (isRefusal(found)) {
      if (this.#isLasting(text, found)) this.#refused.note(text, found, this.#clock(), generation)
      return this.#refuse(slot, text, found)
    }
    const outcome = this.#outcomeOf(found.base, now)
    const principal = outcome instanceof Promise ? null : outcome
    // A refusal that no user of the app's own can lift is not worth remembering.
    if (principal?.kind === 'refused') return this.#refuse(slot, text, principal)
    this.#remember(slot, text, found, principal, now, generation)
    return { outcome, base: found.base, isStale: false }
  }

  #isLasting(text: string, refused: Refusal): boolean {
    return this.#kind.isLasting?.(refused) === true && this.#kind.asksApp?.(text) !== true
  }

  /** What was right once and is refused now must not be believed when storage goes away next. */
  #refuse(slot: number, text: string, refused: Refusal): Refusal {
    // One for whom there was no room was not looked at.
    if (refused.code !== 'locked_out') this.cache.forget(slot, text)
    return refused
  }

  /** What is still remembered as verified, while storage is away; null for what is not, or was verified too long ago. */
  #believe(text: string): Landed<B, P> | null {
    // What an app says, by our errors too, is only for the request it was asked for.
    if (this.#kind.asksApp?.(text) === true) return null
    // Looked for only now: it may have been taken away meanwhile.
    const entry = this.cache.findProven(this.#kind.slotOf(text), text)
    const now = this.#clock()
    if (entry === undefined) return null
    const end = Math.min(entry.validUntil, entry.verifiedAt + this.#staleness)
    if (now >= end || !this.#isUsable(entry, now)) return null
    entry.freshUntil = Math.min(end, now + PAUSE)
    entry.isStale = true
    const outcome = this.#made(entry, now)
    if (outcome === null) return null
    if (!(outcome instanceof Promise)) noteBelieved(outcome, entry.freshUntil)
    return { outcome, base: entry.base, isStale: true }
  }

  #outcomeOf(base: B, now: number): Outcome<P> | Promise<Outcome<P>> {
    const outcome = this.#kind.principalOf(base, now)
    // When a look-up was late nobody hears what the app fails to say, and that must not end the process.
    if (outcome instanceof Promise) outcome.catch(() => undefined)
    return outcome
  }

  #remember(slot: number, text: string, found: Found<B>, principal: P | null, now: number, generation: number): void {
    const { base, validUntil, dependencies } = found
    const freshUntil = Math.min(validUntil, now + this.#ttl)
    if (freshUntil <= now) return
    if (principal !== null) this.#kind.onMade?.(base)
    const entry: CacheEntry<B, P> = {
      proof: this.#kind.proofOf?.(text) ?? proofOf(text),
      principal,
      base: principal === null || this.#kind.onHit !== undefined ? base : null,
      verifiedAt: now,
      freshUntil,
      validUntil,
      isStale: false,
      dependencies: notedOf(dependencies, slot, this.#kind.own),
    }
    this.cache.set(slot, entry, dependencies, generation)
  }
}
