/** Shared counts in memory: limiters of a process behind a promise, as if they were elsewhere. */
import { MachineAuthError } from '../../src/errors.ts'
import { InFlight } from '../../src/limits/in-flight.ts'
import { hitAll, Limiter, type Reading } from '../../src/limits/limiter.ts'
import type { Rate } from '../../src/limits/rate.ts'
import type { SharedClaim, SharedLimits, SharedReadings } from '../../src/limits/shared-limits.ts'

/** What apps of tests count with that are given nothing else; null lets them count alone. */
export const everywhere: { create: () => SharedLimits | null; isShared: boolean } = {
  create: () => null,
  isShared: false,
}

const CAPACITY = 10_000

export interface SharedCalls {
  /** The places and subjects of each `hitAll`. */
  readonly hits: (readonly string[])[]
  entered: number
  left: number
  /** The places and subjects of each `hitNow` that took something. */
  readonly told: (readonly string[])[]
}

/** May be given to several cores, which then count together. */
export class MemorySharedLimits implements SharedLimits {
  readonly calls: SharedCalls = { hits: [], entered: 0, left: 0, told: [] }
  /** Whether it is away, for an app that wants no limits without it. */
  isAway = false
  readonly #limiters = new Map<string, Limiter>()
  readonly #inFlight = new InFlight()
  /** What those who cannot wait took, up to a share of each limit. */
  readonly #shares = new Map<string, Limiter>()
  readonly #processes: number
  readonly #clock: () => number
  /** When whoever was refused may come back, epoch ms; null remembers nobody. */
  readonly #remembered: Map<string, { readonly until: number; readonly cost: number; readonly reading: Reading }> | null

  /**
   * @param more.remembers whether it answers at once about whom it has just refused
   * @param more.processes how many share each limit, 1 when not given
   * @param more.clock epoch ms, for `read`
   */
  constructor(more: { readonly remembers?: boolean; readonly processes?: number; readonly clock?: () => number } = {}) {
    this.#clock = more.clock ?? Date.now
    this.#processes = more.processes ?? 1
    this.#remembered = more.remembers === true ? new Map() : null
  }

  get figures() {
    return {
      shared: this.calls.hits.length,
      remembered: 0,
      local: this.calls.told.length,
      unavailable: 0,
      processes: this.#processes,
    }
  }

  /** How many are under way. */
  get underWay(): number {
    return this.#inFlight.size
  }

  #limiter(place: string, rate: Rate): Limiter {
    const limiter = this.#limiters.get(place) ?? new Limiter(rate, CAPACITY)
    this.#limiters.set(place, limiter)
    return limiter
  }

  hitAll(claims: readonly SharedClaim[], now: number): SharedReadings | Promise<SharedReadings> {
    const known = this.recall(claims, now)
    if (known !== null) return known
    this.calls.hits.push(claims.map(({ place, subject }) => `${place} ${subject}`))
    return this.#decide(claims, now)
  }

  recall(claims: readonly SharedClaim[], now: number): SharedReadings | null {
    const known = claims.map((claim) => this.#recall(claim, now))
    return known.some((reading) => reading !== undefined) ? known : null
  }

  hitNow(claims: readonly SharedClaim[], now: number): SharedReadings {
    const known = this.recall(claims, now)
    if (known !== null) return known
    this.#requireThere()
    const readings = hitAll(
      claims.map((claim) => ({ ...claim, limiter: this.#shareOf(claim) })),
      now,
    )
    if (readings.every(({ isAllowed }) => isAllowed)) {
      this.calls.told.push(claims.map(({ place, subject }) => `${place} ${subject}`))
      void this.#decide(claims, now).catch(() => undefined)
    }
    return readings
  }

  #shareOf({ place, limiter: { rate } }: SharedClaim): Limiter {
    const [limit, burst] = [rate.limit, rate.burst].map((units) => Math.max(1, Math.floor(units / this.#processes)))
    const share = this.#shares.get(place) ?? new Limiter({ ...rate, limit, burst } as Rate, CAPACITY)
    this.#shares.set(place, share)
    return share
  }

  async #decide(claims: readonly SharedClaim[], now: number): Promise<SharedReadings> {
    // Some turns of the loop pass, as with a socket between.
    await new Promise((resolve) => setImmediate(resolve))
    this.#requireThere()
    const own = claims.map((claim) => ({ ...claim, limiter: this.#limiter(claim.place, claim.limiter.rate) }))
    const readings = hitAll(own, now)
    for (const [index, claim] of claims.entries()) {
      const reading = readings[index]
      if (reading?.isAllowed !== false) continue
      this.#remembered?.set(nameOf(claim), { until: now + reading.retryAfter, cost: claim.cost, reading })
    }
    return readings
  }

  #recall(claim: SharedClaim, now: number): Reading | undefined {
    const known = this.#remembered?.get(nameOf(claim))
    if (known === undefined || known.until <= now || claim.cost < known.cost) return undefined
    const wait = known.until - now
    return { ...known.reading, resetAfter: wait, retryAfter: wait }
  }

  #requireThere(): void {
    if (this.isAway) throw new MachineAuthError('storage_unavailable', { retryable: true, retryAfter: 1 })
  }

  async read({ place, subject, limiter, cost }: SharedClaim): Promise<Reading | null> {
    return this.isAway ? null : this.#limiter(place, limiter.rate).read(subject, this.#clock(), cost)
  }

  async enter(place: string, subject: string, most: number): Promise<(() => void) | null> {
    await new Promise((resolve) => setImmediate(resolve))
    return this.enterNow(place, subject, most)
  }

  enterNow(place: string, subject: string, most: number): (() => void) | null {
    this.#requireThere()
    const name = `${place}\n${subject}`
    if (!this.#inFlight.enter(name, most)) return null
    this.calls.entered += 1
    let isIn = true
    return () => {
      if (!isIn) throw new Error('left twice')
      isIn = false
      this.calls.left += 1
      this.#inFlight.leave(name)
    }
  }

  forget(subject: string): void {
    for (const limiter of [...this.#limiters.values(), ...this.#shares.values()]) limiter.forget(subject)
    for (const name of [...(this.#remembered?.keys() ?? [])])
      if (name.endsWith(`\n${subject}`)) this.#remembered?.delete(name)
  }

  declare(): void {}

  async stop(): Promise<void> {}
}

function nameOf({ place, subject }: SharedClaim): string {
  return `${place}\n${subject}`
}
