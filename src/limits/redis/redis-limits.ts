/** Limits that all processes of an app share, counted in Redis: one command for each decision. */
import type { Clock } from '../../lib/clock.ts'
import type { Reading } from '../limiter.ts'
import type { SharedClaim, SharedLimitFigures, SharedLimits, SharedReadings } from '../shared-limits.ts'
import { AwayWarnings, sharedLimitsAway } from './away.ts'
import { decideInRedis, type KeyedClaim } from './decide.ts'
import { concurrencyKey, rateKey } from './keys.ts'
import { Leases } from './leases.ts'
import type { Link } from './link.ts'
import { Places } from './places.ts'
import { Refusals } from './refusals.ts'
import { Shares, shareOf } from './shares.ts'

export interface RedisLimitsOptions {
  readonly link: Link
  /** Of the app in Redis: apps with the same one share their limits. */
  readonly name: string
  /** How many subjects are remembered at most: of who was refused, and by each limiter while Redis is away. */
  readonly maxSubjects: number
  /** While Redis is away: count in this process, up to its share of each limit, or refuse. */
  readonly withoutRedis: 'local' | 'refuse'
  /** How many processes share the limits, at least 1. */
  readonly processes: () => number
  /** Epoch ms of this process. */
  readonly clock: Clock
  readonly warn: (message: string) => void
  /** Epoch ms, instead of the server's clock: for tests. */
  readonly serverClock?: Clock
}

function requireCosts(claims: readonly SharedClaim[]): void {
  for (const { cost } of claims) {
    if (Number.isSafeInteger(cost) && cost >= 0) continue
    throw new RangeError(`a cost must be a whole number from 0 on, not ${cost}`)
  }
}

/** The cost of a claim and of the earlier ones of its list that count in the same state. */
function totalAt(claims: readonly KeyedClaim[], index: number): number {
  const { key } = claims[index] as KeyedClaim
  let total = 0
  for (let at = 0; at <= index; at++) {
    const claim = claims[at] as KeyedClaim
    if (claim.key === key) total += claim.cost
  }
  return total
}

export class RedisLimits implements SharedLimits {
  readonly #options: RedisLimitsOptions
  readonly #refusals: Refusals
  readonly #places = new Places()
  readonly #shares: Shares
  readonly #leases: Leases
  readonly #warnings: AwayWarnings
  readonly #counts = { shared: 0, remembered: 0, local: 0, unavailable: 0 }

  constructor(options: RedisLimitsOptions) {
    this.#options = options
    this.#refusals = new Refusals(options.maxSubjects)
    this.#shares = new Shares(options.maxSubjects)
    this.#leases = new Leases({ link: options.link })
    this.#warnings = new AwayWarnings(options.warn, options.clock)
  }

  get figures(): SharedLimitFigures {
    return { ...this.#counts, processes: this.#processes }
  }

  get #processes(): number {
    return Math.max(1, this.#options.processes())
  }

  /** @throws RangeError when a cost is not a whole number from 0 on */
  hitAll(claims: readonly SharedClaim[], now: number): SharedReadings | Promise<SharedReadings> {
    if (claims.length === 0) return []
    requireCosts(claims)
    const keyed = claims.map((claim) => this.#keyed(claim))
    const known = this.#find(keyed, now)
    if (known === null) return this.#decide(claims, keyed, now)
    this.#counts.remembered += 1
    return known
  }

  async read(claim: SharedClaim): Promise<Reading | null> {
    requireCosts([claim])
    try {
      const [reading] = await decideInRedis(this.#options.link, 'read', [this.#keyed(claim)], this.#serverTime())
      return reading ?? null
    } catch (error) {
      this.#warnings.note(error)
      return null
    }
  }

  async enter(place: string, subject: string, most: number): Promise<(() => void) | null> {
    const key = concurrencyKey(this.#options.name, place, subject)
    try {
      const leave = await this.#leases.enter(key, most)
      this.#counts.shared += 1
      return leave
    } catch (error) {
      this.#requireLocal(error)
      return this.#leases.enterHere(key, shareOf(most, this.#processes))
    }
  }

  forget(subject: string): void {
    const keys = this.#keysOf(subject)
    this.#refusals.forget(keys)
    this.#shares.forget(subject)
    if (keys.length === 0) return
    this.#options.link.send('DEL', keys).catch((error) => this.#warnings.note(error))
  }

  stop(): Promise<void> {
    return this.#leases.stop()
  }

  #keyed({ place, limiter, subject, cost }: SharedClaim): KeyedClaim {
    const { rate } = limiter
    this.#places.add(place, rate)
    return { key: rateKey(this.#options.name, place, rate, subject), rate, cost }
  }

  #keysOf(subject: string): string[] {
    return Array.from(this.#places.entries(), ([place, rate]) => rateKey(this.#options.name, place, rate, subject))
  }

  /** What is known without asking; null when nothing is known to be refused. */
  #find(keyed: readonly KeyedClaim[], now: number): SharedReadings | null {
    if (this.#refusals.size === 0) return null
    const known = keyed.map(({ key }, index) => this.#refusals.find(key, totalAt(keyed, index), now))
    return known.some((reading) => reading !== undefined) ? known : null
  }

  async #decide(claims: readonly SharedClaim[], keyed: readonly KeyedClaim[], now: number): Promise<SharedReadings> {
    const { generation } = this.#refusals
    try {
      const readings = await decideInRedis(this.#options.link, 'take', keyed, this.#serverTime())
      this.#counts.shared += 1
      for (const [index, reading] of readings.entries()) {
        if (reading.isAllowed) continue
        this.#refusals.remember((keyed[index] as KeyedClaim).key, totalAt(keyed, index), reading, now, generation)
      }
      return readings
    } catch (error) {
      this.#requireLocal(error)
      return this.#shares.hitAll(claims, this.#options.clock(), this.#processes)
    }
  }

  /** @throws MachineAuthError `storage_unavailable` when the app wants no limits without Redis */
  #requireLocal(error: unknown): void {
    this.#warnings.note(error)
    if (this.#options.withoutRedis === 'refuse') {
      this.#counts.unavailable += 1
      throw sharedLimitsAway()
    }
    this.#counts.local += 1
  }

  #serverTime(): number | undefined {
    return this.#options.serverClock?.()
  }
}
