/** Limits that all processes of an app share, counted in Redis: one command for each decision. */
import type { Clock } from '../../lib/clock.ts'
import type { Reading } from '../limiter.ts'
import type { Rate } from '../rate.ts'
import type { Patience, SharedClaim, SharedLimitFigures, SharedLimits, SharedReadings } from '../shared-limits.ts'
import { AwayWarnings, sharedLimitsAway } from './away.ts'
import { decideInRedis, type KeyedClaim } from './decide.ts'
import { Forgetting } from './forgetting.ts'
import { LimitKeys } from './keys.ts'
import { Leases } from './leases.ts'
import type { Link } from './link.ts'
import { Places } from './places.ts'
import { Refusals } from './refusals.ts'
import { Shares, shareOf } from './shares.ts'
import { Telling } from './telling.ts'

export interface RedisLimitsOptions {
  readonly link: Link
  /** Of the app in Redis: apps with the same one share their limits. */
  readonly name: string
  /** Keeps whoever reads Redis from trying out whom a limit counts: the same in all processes of the app. */
  readonly nameKey: Uint8Array
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
  readonly #keys: LimitKeys
  readonly #refusals: Refusals
  readonly #places = new Places()
  readonly #shares: Shares
  readonly #leases: Leases
  readonly #warnings: AwayWarnings
  readonly #forgetting: Forgetting
  readonly #telling = new Telling((keyed) => this.#take(keyed, this.#options.clock()))
  /** Whether Redis did not decide when it was asked last. */
  #hasFailed = false
  #isLooking = false
  readonly #counts = { shared: 0, remembered: 0, local: 0, unavailable: 0 }

  constructor(options: RedisLimitsOptions) {
    this.#options = options
    this.#keys = new LimitKeys(options.name, options.nameKey)
    this.#refusals = new Refusals(options.maxSubjects)
    this.#shares = new Shares(options.maxSubjects)
    this.#leases = new Leases({ link: options.link })
    this.#warnings = new AwayWarnings(options.warn, options.clock)
    this.#forgetting = new Forgetting({
      tell: (subject) => options.link.send('DEL', this.#keysOf(subject)),
      onRefused: (error) => this.#warnings.note(error),
      isUp: () => options.link.isUp !== false,
      clock: options.clock,
    })
  }

  get figures(): SharedLimitFigures {
    return { ...this.#counts, processes: this.#processes }
  }

  get #processes(): number {
    return Math.max(1, this.#options.processes())
  }

  declare(place: string, rate: Rate): void {
    this.#places.declare(place, rate)
  }

  /** @throws RangeError when a cost is not a whole number from 0 on; as `hitNow` when patience is over */
  hitAll(claims: readonly SharedClaim[], now: number, patience?: Patience): SharedReadings | Promise<SharedReadings> {
    if (claims.length === 0) return []
    requireCosts(claims)
    const keyed = claims.map((claim) => this.#keyed(claim))
    const known = this.#recall(keyed, now)
    if (known !== null) return known
    if (patience?.isOver !== true) return this.#decide(claims, keyed, now, patience)
    this.#requireLocal()
    return this.#takeHere(claims, keyed, now)
  }

  /** @throws RangeError as `hitAll` */
  hitNow(claims: readonly SharedClaim[], now: number): SharedReadings {
    if (claims.length === 0) return []
    requireCosts(claims)
    const keyed = claims.map((claim) => this.#keyed(claim))
    const known = this.#recall(keyed, now)
    if (known !== null) return known
    this.#requireNotKnownAway(keyed)
    this.#counts.local += 1
    return this.#takeHere(claims, keyed, now)
  }

  /** By this process's share; Redis hears of it, and nobody waits for that. */
  #takeHere(claims: readonly SharedClaim[], keyed: readonly KeyedClaim[], now: number): SharedReadings {
    const readings = this.#shares.hitAll(claims, now, this.#processes)
    if (readings.every(({ isAllowed }) => isAllowed)) this.#telling.tell(keyed)
    return readings
  }

  recall(claims: readonly SharedClaim[], now: number): SharedReadings | null {
    if (this.#refusals.size === 0) return null
    const keyed = claims.map((claim) => this.#keyed(claim))
    return this.#recall(keyed, now)
  }

  async read(claim: SharedClaim): Promise<Reading | null> {
    requireCosts([claim])
    try {
      const [reading] = await this.#askRedis('read', [this.#keyed(claim)])
      return reading ?? null
    } catch {
      return null
    }
  }

  async enter(place: string, subject: string, most: number, patience?: Patience): Promise<(() => void) | null> {
    const key = this.#keys.concurrency(place, subject)
    if (this.#leases.isFull(key)) {
      this.#counts.remembered += 1
      return null
    }
    if (patience?.isOver !== true) {
      try {
        const leave = await this.#leases.enter(key, most)
        this.#hasFailed = false
        this.#counts.shared += 1
        return leave
      } catch (error) {
        this.#noteFailure(error, patience)
      }
    }
    this.#requireLocal()
    return this.#leases.enterHere(key, shareOf(most, this.#processes))
  }

  enterNow(place: string, subject: string, most: number): (() => void) | null {
    this.#requireNotKnownAway([])
    this.#counts.local += 1
    const key = this.#keys.concurrency(place, subject)
    return this.#leases.enterHere(key, shareOf(most, this.#processes))
  }

  forget(subject: string): void {
    const keys = this.#keysOf(subject)
    this.#refusals.forget(keys)
    this.#shares.forget(subject)
    if (keys.length > 0) this.#forgetting.forget(subject)
  }

  stop(): Promise<void> {
    return this.#leases.stop()
  }

  #keyed({ place, limiter, subject, cost }: SharedClaim): KeyedClaim {
    const { rate } = limiter
    this.#places.add(place, rate)
    return { key: this.#keys.rate(place, rate, subject), rate, cost }
  }

  #keysOf(subject: string): string[] {
    return this.#places.entriesOf(subject).map(([place, rate]) => this.#keys.rate(place, rate, subject))
  }

  /** What is known without asking; null when nothing is known to be refused. */
  #recall(keyed: readonly KeyedClaim[], now: number): SharedReadings | null {
    if (this.#refusals.size === 0) return null
    const known = keyed.map(({ key }, index) => this.#refusals.find(key, totalAt(keyed, index), now))
    if (known.every((reading) => reading === undefined)) return null
    this.#counts.remembered += 1
    return known
  }

  async #decide(
    claims: readonly SharedClaim[],
    keyed: readonly KeyedClaim[],
    now: number,
    patience: Patience | undefined,
  ): Promise<SharedReadings> {
    try {
      const readings = await this.#take(keyed, now, patience)
      this.#counts.shared += 1
      return readings
    } catch {
      this.#requireLocal()
      return this.#shares.hitAll(claims, this.#options.clock(), this.#processes)
    }
  }

  /** Takes all in Redis, or none, and remembers what it refuses. @param now epoch ms of this process */
  async #take(keyed: readonly KeyedClaim[], now: number, patience?: Patience): Promise<readonly Reading[]> {
    const { generation } = this.#refusals
    const readings = await this.#askRedis('take', keyed, patience)
    for (const [index, reading] of readings.entries()) {
      if (reading.isAllowed) continue
      this.#refusals.remember((keyed[index] as KeyedClaim).key, totalAt(keyed, index), reading, now, generation)
    }
    return readings
  }

  async #askRedis(
    mode: 'take' | 'read',
    keyed: readonly KeyedClaim[],
    patience?: Patience,
  ): Promise<readonly Reading[]> {
    if (!this.#forgetting.catchUp()) {
      this.#noteAway(patience)
      throw sharedLimitsAway()
    }
    try {
      const readings = await decideInRedis(this.#options.link, mode, keyed, this.#options.serverClock?.())
      this.#hasFailed = false
      return readings
    } catch (error) {
      this.#noteFailure(error, patience)
      throw error
    }
  }

  #noteFailure(error: unknown, patience?: Patience): void {
    this.#noteAway(patience)
    this.#warnings.note(error)
  }

  #noteAway(patience?: Patience): void {
    if (patience !== undefined) patience.isOver = true
    this.#hasFailed = true
  }

  /** @throws MachineAuthError `storage_unavailable` when the app wants no limits without Redis */
  #requireLocal(): void {
    if (this.#options.withoutRedis === 'refuse') this.#refuse()
    this.#counts.local += 1
  }

  #refuse(): never {
    this.#counts.unavailable += 1
    throw sharedLimitsAway()
  }

  /**
   * @param keyed something to ask for: whether Redis is back shows when it is asked
   * @throws MachineAuthError `storage_unavailable` when the app wants no limits without Redis, which is known to be away
   */
  #requireNotKnownAway(keyed: readonly KeyedClaim[]): void {
    const { withoutRedis, link } = this.#options
    if (withoutRedis === 'local' || !(this.#hasFailed || link.isUp === false)) return
    void this.#look(keyed)
    this.#refuse()
  }

  async #look(keyed: readonly KeyedClaim[]): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    await this.#askRedis('read', keyed).catch(() => undefined)
    this.#isLooking = false
  }
}
