/** Who is under way, in all processes: a lease each, which ends by itself when its process was killed. */

import { dropOldest } from '../../lib/drop-oldest.ts'
import { InFlight } from '../in-flight.ts'
import type { Link } from './link.ts'
import enter from './lua/enter.lua' with { type: 'text' }
import prelude from './lua/prelude.lua' with { type: 'text' }
import renew from './lua/renew.lua' with { type: 'text' }
import { Script } from './script.ts'

const ENTER = new Script(prelude, enter)
const RENEW = new Script(prelude, renew)

/** ms that a killed process keeps others out at most. */
const LASTS = 30_000
/** ms. Two renewals may be lost. */
const RENEWED_EVERY = 10_000
/** ms for which nobody asks again where all places were taken. */
const FULL_FOR = 20
/** So many are remembered; of others Redis is asked. */
const MOST_FULL = 1000
/** Leases in one command: Redis does nothing else meanwhile. */
const BATCH = 500

export interface LeasesOptions {
  readonly link: Link
  /** ms; 30 s when not given. */
  readonly lasts?: number
  /** ms; 10 s when not given. */
  readonly renewedEvery?: number
}

export class Leases {
  readonly #link: Link
  readonly #lasts: string
  readonly #renewedEvery: number
  /** Tells the leases of this process from those of others. */
  readonly #process = crypto.getRandomValues(new Uint8Array(12)).toBase64({ alphabet: 'base64url' })
  #given = 0
  /** Lease to key: all of this process, also those that Redis does not know yet. */
  readonly #leases = new Map<string, string>()
  readonly #own = new InFlight()
  /** Keys without room, and until when that is believed: ms of the process. */
  readonly #full = new Map<string, number>()
  /** How many have left. */
  #left = 0
  #timer: Timer | undefined

  constructor({ link, lasts = LASTS, renewedEvery = RENEWED_EVERY }: LeasesOptions) {
    this.#link = link
    this.#lasts = String(lasts)
    this.#renewedEvery = renewedEvery
  }

  /** Leases of this process. */
  get size(): number {
    return this.#leases.size
  }

  /** Whether there was no room a moment ago, and nobody has left here since. */
  isFull(key: string): boolean {
    const end = this.#full.get(key)
    if (end === undefined) return false
    if (performance.now() < end) return true
    this.#full.delete(key)
    return false
  }

  /**
   * Asks for a lease.
   *
   * @returns ends it, once; null when there are `most` under way
   * @throws what the link or the script is rejected with
   */
  async enter(key: string, most: number): Promise<(() => void) | null> {
    const lease = this.#name()
    const left = this.#left
    let answer: unknown
    try {
      answer = await ENTER.run(this.#link, [key], [lease, String(most), this.#lasts])
    } catch (error) {
      // Redis may do late what it did not answer.
      this.#end(key, lease)
      throw error
    }
    if (answer !== 1) {
      if (left === this.#left) this.#noteFull(key)
      return null
    }
    this.#own.enter(key, Number.POSITIVE_INFINITY)
    return this.#give(key, lease)
  }

  /**
   * Gives a lease without asking Redis, which hears of it with the next renewal. Everything of this process counts.
   *
   * @returns ends it, once; null when this process has `most` under way
   */
  enterHere(key: string, most: number): (() => void) | null {
    return this.#own.enter(key, most) ? this.#give(key, this.#name()) : null
  }

  /** Ends all. */
  async stop(): Promise<void> {
    this.#stopRenewing()
    const ends = [...this.#leases].map(([lease, key]) => this.#end(key, lease))
    this.#leases.clear()
    await Promise.all(ends)
  }

  #noteFull(key: string): void {
    this.#full.delete(key)
    if (this.#full.size >= MOST_FULL) dropOldest(this.#full)
    this.#full.set(key, performance.now() + FULL_FOR)
  }

  #name(): string {
    this.#given += 1
    return `${this.#process}:${this.#given}`
  }

  #give(key: string, lease: string): () => void {
    this.#leases.set(lease, key)
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#renew(), this.#renewedEvery)
      this.#timer.unref()
    }
    return () => {
      if (!this.#leases.delete(lease)) return
      this.#own.leave(key)
      this.#full.delete(key)
      this.#left += 1
      if (this.#leases.size === 0) this.#stopRenewing()
      void this.#end(key, lease)
    }
  }

  /** One command each for many, all sent at once. What fails is tried again with the next renewal. */
  #renew(): void {
    const leases = [...this.#leases]
    for (let at = 0; at < leases.length; at += BATCH) {
      const batch = leases.slice(at, at + BATCH)
      const keys = batch.map(([, key]) => key)
      const args = [this.#lasts, ...batch.map(([lease]) => lease)]
      RENEW.run(this.#link, keys, args).catch(() => undefined)
    }
  }

  /** Waits for nothing: a lease that cannot be ended ends by itself. */
  #end(key: string, lease: string): Promise<unknown> {
    return this.#link.send('ZREM', [key, lease]).catch(() => undefined)
  }

  #stopRenewing(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
