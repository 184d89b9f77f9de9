/** How every kind of credential is verified: a look into the cache, or a look-up that fills it. */
import type { CacheFigures } from '../lib/cache-figures.ts'
import type { Clock } from '../lib/clock.ts'
import { type CacheEntry, CredentialCache, type Dependencies, digestOf } from './cache.ts'
import type { Outcome, Principal, Refusal } from './principal.ts'

/** What a look-up found: something to cache, and until when it may be believed. */
export interface Found<B> {
  readonly base: B
  /** ms; `0` is never cached. The cache's time to live shortens it. */
  readonly validUntil: number
  readonly dependencies: Dependencies
}

/** One row of the table of credential kinds. */
export interface CredentialKind<B, P extends Principal> {
  /** The part of the text that is no secret; any text may come. */
  slotOf(text: string): string
  /** What a text is recognized by the next time; its SHA-256 unless the kind knows better. */
  proofOf?(text: string): string
  /** Refuses, without waiting, a text that cannot be one of ours. */
  refuseMalformed(text: string): Refusal | undefined
  /** Whether the look-up asks the app, whose answer is only for the request it was asked for. */
  asksApp?(text: string): boolean
  /** Verifies the text against storage. */
  lookup(text: string, now: number): Promise<Found<B> | Refusal>
  /** Makes the principal; asynchronous only where the app's own `users.load` must be asked on every request. */
  principalOf(base: B, now: number): Outcome<P> | Promise<Outcome<P>>
  /** Called on a hit, to notice use; must not throw and must not wait. False asks storage again. */
  onHit?(base: B, now: number): boolean
}

interface Remembered<B, P> {
  readonly base: B
  /** Undefined when it must be made anew for every request. */
  readonly principal: P | undefined
}

/** What a look-up came to. */
interface Landed<B, P extends Principal> {
  readonly base: B
  readonly outcome: Outcome<P> | Promise<Outcome<P>>
}

/** A look-up in flight, shared by requests that present the same new credential at once. */
interface Flight<B, P extends Principal> {
  readonly generation: number
  readonly landing: Promise<Landed<B, P> | Refusal>
}

function isRefusal(value: object): value is Refusal {
  return 'kind' in value && value.kind === 'refused'
}

/** Verifies credentials of one kind. */
export class Authenticator<B, P extends Principal> {
  readonly cache: CredentialCache<Remembered<B, P>>
  readonly #kind: CredentialKind<B, P>
  readonly #clock: Clock
  readonly #ttl: number
  readonly #toRefusal: (error: unknown) => Refusal
  readonly #ready: Promise<void>
  readonly #flights = new Map<string, Flight<B, P>>()
  #hits = 0
  #misses = 0

  /**
   * @param options.ttl ms a verified credential is believed without asking storage again
   * @param options.toRefusal turns a failure of storage into the answer the request gets
   */
  constructor(
    kind: CredentialKind<B, P>,
    options: {
      readonly clock: Clock
      readonly ttl: number
      readonly size: number
      readonly toRefusal: (error: unknown) => Refusal
      /** Nothing is verified before the core is ready, so that nothing half-known is remembered. */
      readonly ready: Promise<void>
    },
  ) {
    this.#ready = options.ready
    this.#kind = kind
    this.#clock = options.clock
    this.#ttl = options.ttl
    this.#toRefusal = options.toRefusal
    this.cache = new CredentialCache(options.size)
  }

  /** The outcome if it is known without waiting, else undefined. No storage access. */
  peek(text: string): Outcome<P> | undefined {
    const now = this.#clock()
    const entry = this.cache.get(this.#kind.slotOf(text), text, now)
    if (entry === undefined) return this.#kind.refuseMalformed(text)
    const { base, principal } = entry.value
    if (principal === undefined) return undefined
    if (this.#kind.onHit?.(base, now) === false) return undefined
    this.#hits += 1
    return principal
  }

  /** How its cache does. */
  get figures(): CacheFigures {
    const { size, evictions } = this.cache
    return { hits: this.#hits, misses: this.#misses, evictions, size }
  }

  /** Whether a text was right before, as far as the cache remembers: it may have to be looked up anew all the same. */
  hasProven(text: string): boolean {
    return this.cache.hasProven(this.#kind.slotOf(text), text)
  }

  /** The outcome, whatever it takes. Never rejects: a failure of storage is a refusal too. */
  async resolve(text: string): Promise<Outcome<P>> {
    try {
      await this.#ready
      const now = this.#clock()
      const known = this.cache.get(this.#kind.slotOf(text), text, now)
      if (known !== undefined && (this.#kind.onHit?.(known.value.base, now) ?? true)) {
        this.#hits += 1
        return await this.#kind.principalOf(known.value.base, now)
      }
      this.#misses += 1
      return await this.#lookup(text, now)
    } catch (error) {
      return this.#toRefusal(error)
    }
  }

  async #lookup(text: string, now: number): Promise<Outcome<P>> {
    const { generation } = this.cache
    const flight = this.#flights.get(text)
    // A flight that took off before an invalidation may carry what was just taken away.
    if (flight !== undefined && flight.generation === generation) {
      const landed = await flight.landing
      if (isRefusal(landed)) return landed
      // What the app said of the user is for the request that asked.
      return landed.outcome instanceof Promise ? this.#kind.principalOf(landed.base, now) : landed.outcome
    }
    const landed = await this.#takeOff(text, now, generation)
    return isRefusal(landed) ? landed : landed.outcome
  }

  #takeOff(text: string, now: number, generation: number): Promise<Landed<B, P> | Refusal> {
    const landing = this.#fly(text, now, generation)
    if (this.#kind.asksApp?.(text) === true) return landing
    this.#flights.set(text, { generation, landing })
    const forget = () => {
      if (this.#flights.get(text)?.landing === landing) this.#flights.delete(text)
    }
    landing.then(forget, forget)
    return landing
  }

  async #fly(text: string, now: number, generation: number): Promise<Landed<B, P> | Refusal> {
    const found = await this.#kind.lookup(text, now)
    if (isRefusal(found)) return found
    const outcome = this.#kind.principalOf(found.base, now)
    const isFixed = !(outcome instanceof Promise)
    // A refusal that no user of the app's own can lift is not worth remembering.
    if (isFixed && outcome.kind === 'refused') return outcome
    const entry = this.#entry(text, found, isFixed ? outcome : undefined, now)
    if (entry !== null) this.cache.set(this.#kind.slotOf(text), entry, generation)
    return { base: found.base, outcome }
  }

  #entry(text: string, found: Found<B>, principal: P | undefined, now: number): CacheEntry<Remembered<B, P>> | null {
    const validUntil = Math.min(found.validUntil, now + this.#ttl)
    if (validUntil <= now) return null
    return {
      proof: this.#kind.proofOf?.(text) ?? digestOf(text),
      value: { base: found.base, principal },
      validUntil,
      dependencies: found.dependencies,
    }
  }
}
