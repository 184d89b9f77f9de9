/**
 * Slows down who guesses passwords, without locking out who knows his.
 *
 * By address, hard: after some failures it waits, whatever it presents. By account, soft: from the tenth failure on,
 * addresses that never logged in to the account take turns, a second at first, a minute at most; the owner's own
 * address never waits for what others do elsewhere.
 */
import { createHmac } from 'node:crypto'
import { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { Limiter } from '../limits/limiter.ts'
import { createRate } from '../limits/rate.ts'
import { addressSubject } from '../limits/subjects.ts'
import type { LoginAddressStore } from '../storage/ports.ts'

export interface LoginThrottleOptions {
  readonly store: LoginAddressStore
  readonly clock: Clock
  /** Failures of one address within `window` (ms). */
  readonly rate: { readonly limit: number; readonly window: number }
  /** How many addresses, and how many accounts, are remembered at most. */
  readonly capacity: number
  /** Names accounts in storage, so that it holds no list of e-mail addresses. */
  readonly nameKey: Uint8Array
}

/** Failures of an account from which on strangers wait. */
const PATIENCE = 10
/** Failures that are counted; the wait has long been the longest. */
const MOST_FAILURES = 100
const LONGEST_WAIT = 60_000
/** Addresses of an account that are remembered. */
const KEPT_ADDRESSES = 32

/** ms that strangers wait after the last of so many failures. */
export function waitAfter(failures: number): number {
  return failures < PATIENCE ? 0 : Math.min(LONGEST_WAIT, 1000 * 2 ** Math.min(failures - PATIENCE, 10))
}

/** The attempts of one address that are being verified: they may all become failures. */
interface Attempts {
  count: number
  readonly ended: (() => void)[]
}

export class LoginThrottle {
  readonly #options: LoginThrottleOptions
  readonly #addresses: Limiter
  readonly #accounts: Limiter
  readonly #underWay = new Map<string, Attempts>()
  /** Accounts at which a stranger whose turn has come is being verified. */
  readonly #taken = new Set<string>()

  constructor(options: LoginThrottleOptions) {
    this.#options = options
    const { rate, capacity } = options
    this.#addresses = new Limiter(createRate(rate), capacity)
    this.#accounts = new Limiter(createRate({ limit: MOST_FAILURES, window: rate.window }), capacity)
  }

  /**
   * Runs a verification of a password when its turn has come, and counts it when it fails.
   *
   * @param email in the form that is unique
   * @param address of the client; null, where nobody can tell, is one address shared by all
   * @param verify answers null for a wrong password; what it throws is no failure of the caller's
   * @throws MachineAuthError `locked_out`
   */
  async run<T>(email: string, address: string | null, verify: () => Promise<T | null>): Promise<T | null> {
    const place = addressSubject(address)
    const account = this.#nameOf(email)
    await this.#enter(place)
    let isStranger = false
    try {
      isStranger = await this.#takeTurn(account, place)
      const proven = await verify()
      if (proven === null) this.#noteFailure(account, place)
      else await this.#noteSuccess(account, place)
      return proven
    } finally {
      if (isStranger) this.#taken.delete(account)
      this.#leave(place)
    }
  }

  #nameOf(email: string): string {
    return createHmac('sha256', this.#options.nameKey).update(email).digest('base64url')
  }

  /**
   * Lets no more attempts be verified at once than may fail: guesses made at the same moment are guesses. Who comes
   * beyond that waits for the outcome of the others, and is not refused for what may turn out right.
   */
  async #enter(place: string): Promise<void> {
    for (;;) {
      const { remaining, retryAfter } = this.#addresses.read(place, this.#options.clock())
      if (remaining === 0) throw lockedOut(retryAfter)
      const attempts = this.#underWay.get(place) ?? { count: 0, ended: [] }
      if (attempts.count < remaining) {
        attempts.count += 1
        this.#underWay.set(place, attempts)
        return
      }
      await new Promise<void>((resolve) => attempts.ended.push(resolve))
    }
  }

  #leave(place: string): void {
    const attempts = this.#underWay.get(place)
    if (attempts === undefined) return
    attempts.count -= 1
    if (attempts.count === 0) this.#underWay.delete(place)
    for (const wake of attempts.ended.splice(0)) wake()
  }

  /** Answers whether the attempt had to wait for its turn, and has it now. */
  async #takeTurn(account: string, place: string): Promise<boolean> {
    const { clock, store, rate } = this.#options
    if (this.#failuresOf(account).failures < PATIENCE || (await store.knows(account, place))) return false
    const now = clock()
    const { failures, resetAfter } = this.#failuresOf(account)
    const lastFailure = now + resetAfter - rate.window
    const wait = lastFailure + waitAfter(failures) - now
    if (wait > 0) throw lockedOut(wait)
    // One stranger at a time: the next one hears how this turn ended.
    if (this.#taken.has(account)) throw lockedOut(waitAfter(failures))
    this.#taken.add(account)
    return true
  }

  /** `resetAfter`: ms until the last of them has left the window. */
  #failuresOf(account: string): { readonly failures: number; readonly resetAfter: number } {
    const { remaining, resetAfter } = this.#accounts.read(account, this.#options.clock(), 0)
    return { failures: MOST_FAILURES - remaining, resetAfter }
  }

  #noteFailure(account: string, place: string): void {
    const now = this.#options.clock()
    this.#addresses.hit(place, now)
    this.#accounts.hit(account, now)
  }

  async #noteSuccess(account: string, place: string): Promise<void> {
    // Who proved himself is let in whether or not it can be written down.
    await this.#options.store.remember(account, place, this.#options.clock(), KEPT_ADDRESSES).catch(() => undefined)
  }
}

function lockedOut(wait: number): MachineAuthError {
  return new MachineAuthError('locked_out', { retryAfter: wait / 1000 })
}
