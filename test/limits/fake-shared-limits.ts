/** Shared counts in this process: whoever is given the same ones is another process of the same app. */
import { MachineAuthError } from '../../src/errors.ts'
import { hitAll, Limiter, type Reading } from '../../src/limits/limiter.ts'
import type { SharedClaim, SharedLimits, SharedReadings } from '../../src/limits/shared-limits.ts'

/** How they are away: each process counts for itself, requests are refused, or nobody ever answers. */
export type Absence = 'local' | 'refuse' | 'silent'

export class FakeSharedLimits implements SharedLimits {
  readonly #clock: () => number
  #limiters = new Map<string, Limiter>()
  /** What counts in the places of shared counts that are away. */
  readonly #shares = new Map<string, Limiter>()
  #held: (() => void)[] | null = null
  away: Absence | null = null
  /** What was asked, but for what is held locally. */
  readonly asked: string[] = []
  /** Runs before each answer to `read` is made. */
  beforeRead: () => void = () => undefined

  constructor(clock: () => number) {
    this.#clock = clock
  }

  get figures() {
    return { shared: this.asked.length, remembered: 0, local: 0, unavailable: 0, processes: 2 }
  }

  /** Answers are made, but kept back until `release`. */
  hold(): void {
    this.#held = []
  }

  /** Hands out what was kept back, in any order. */
  release(order: (answers: readonly (() => void)[]) => readonly (() => void)[] = (answers) => answers): void {
    const held = this.#held ?? []
    this.#held = null
    for (const answer of order(held)) answer()
  }

  get held(): number {
    return this.#held?.length ?? 0
  }

  async hitAll(claims: readonly SharedClaim[], now: number): Promise<SharedReadings> {
    this.asked.push(...claims.map(({ place, subject, cost }) => `hit ${place} ${subject} ${cost}`))
    if (this.away === 'local') return hitAll(this.#on(this.#shares, claims, 2), now)
    if (this.away !== null) return this.#absent(this.away)
    return this.#answer(hitAll(this.#on(this.#limiters, claims, 1), this.#clock()))
  }

  async read(claim: SharedClaim): Promise<Reading | null> {
    this.asked.push(`read ${claim.place} ${claim.subject} ${claim.cost}`)
    this.beforeRead()
    if (this.away === 'silent') return this.#absent(this.away)
    if (this.away !== null) return null
    const [counted] = this.#on(this.#limiters, [claim], 1)
    return this.#answer(counted?.limiter.read(claim.subject, this.#clock(), claim.cost) ?? null)
  }

  declare(): void {}

  enter(): Promise<(() => void) | null> {
    throw new Error('nothing of this is tested here')
  }

  enterNow(): null {
    throw new Error('nothing of this is tested here')
  }

  hitNow(): SharedReadings {
    throw new Error('nothing of this is tested here')
  }

  recall(): null {
    return null
  }

  forget(subject: string): void {
    for (const limiter of this.#limiters.values()) limiter.forget(subject)
  }

  /** As a server that was started anew. */
  lose(): void {
    this.#limiters = new Map()
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  #on(limiters: Map<string, Limiter>, claims: readonly SharedClaim[], processes: number): readonly SharedClaim[] {
    return claims.map((claim) => {
      const { rate } = claim.limiter
      const limiter =
        limiters.get(claim.place) ?? new Limiter({ ...rate, limit: Math.ceil(rate.limit / processes) }, 1e5)
      limiters.set(claim.place, limiter)
      return { ...claim, limiter }
    })
  }

  #answer<T>(answer: T): Promise<T> {
    const held = this.#held
    return held === null ? Promise.resolve(answer) : new Promise((resolve) => held.push(() => resolve(answer)))
  }

  #absent(how: Absence): Promise<never> {
    return how === 'silent' ? new Promise(() => undefined) : Promise.reject(new MachineAuthError('storage_unavailable'))
  }
}

/** Lets everybody hear what there is to hear. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn += 1) await null
}
