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
}

/** May be given to several cores, which then count together. */
export class MemorySharedLimits implements SharedLimits {
  readonly calls: SharedCalls = { hits: [], entered: 0, left: 0 }
  /** Whether it is away, for an app that wants no limits without it. */
  isAway = false
  readonly #limiters = new Map<string, Limiter>()
  readonly #inFlight = new InFlight()
  /** When whoever was refused may come back, epoch ms; null remembers nobody. */
  readonly #remembered: Map<string, { readonly until: number; readonly cost: number; readonly reading: Reading }> | null

  /** @param more.remembers whether it answers at once about whom it has just refused */
  constructor(more: { readonly remembers?: boolean } = {}) {
    this.#remembered = more.remembers === true ? new Map() : null
  }

  get figures() {
    return { shared: this.calls.hits.length, remembered: 0, local: 0, unavailable: 0, processes: 1 }
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
    const known = claims.map((claim) => this.#recall(claim, now))
    if (known.some((reading) => reading !== undefined)) return known
    this.calls.hits.push(claims.map(({ place, subject }) => `${place} ${subject}`))
    return this.#decide(claims, now)
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
    return this.isAway ? null : this.#limiter(place, limiter.rate).read(subject, Date.now(), cost)
  }

  async enter(place: string, subject: string, most: number): Promise<(() => void) | null> {
    await new Promise((resolve) => setImmediate(resolve))
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
    for (const limiter of this.#limiters.values()) limiter.forget(subject)
    for (const name of [...(this.#remembered?.keys() ?? [])])
      if (name.endsWith(`\n${subject}`)) this.#remembered?.delete(name)
  }

  async stop(): Promise<void> {}
}

function nameOf({ place, subject }: SharedClaim): string {
  return `${place}\n${subject}`
}
