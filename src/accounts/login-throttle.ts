/**
 * Slows down who guesses passwords, without locking out who knows his.
 *
 * By address, hard: after some failures it waits, whatever it presents. By account, soft: from the tenth failure on,
 * addresses that never logged in to the account take turns, a second at first, a minute at most; the owner's own
 * address never waits for what others do elsewhere.
 *
 * Several processes count failures together where they share counts: each asks before it judges, so it judges by what
 * has failed anywhere. What is being verified at the same moment is known to each process only. So guesses that are
 * sent to all of them at once may be as many as each of them would verify at once (by address its limit, eight at most,
 * by account ten, then one stranger); all of them are counted, and keep the address or the account waiting afterwards.
 */
import { createHmac } from 'node:crypto'
import { MachineAuthError } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Reading } from '../limits/limiter.ts'
import { MirroredLimiter } from '../limits/mirrored-limiter.ts'
import { createRate } from '../limits/rate.ts'
import type { SharedLimits } from '../limits/shared-limits.ts'
import { addressSubject } from '../limits/subjects.ts'
import type { LimitMeter } from '../recording/metrics/meter.ts'
import type { LoginAddressStore } from '../storage/ports/sessions.ts'
import { tooManyLogins } from './passwords.ts'

export interface LoginThrottleOptions {
  readonly store: LoginAddressStore
  readonly clock: Clock
  /** Failures of one address within `window` (ms). */
  readonly rate: { readonly limit: number; readonly window: number }
  /** How many addresses, and how many accounts, are remembered at most. */
  readonly capacity: number
  /** Names accounts in storage, so that it holds no list of e-mail addresses. */
  readonly nameKey: Uint8Array
  /** Null where nobody measures. */
  readonly meter: LimitMeter | null
  /** Null where each process counts failures alone. */
  readonly shared?: SharedLimits | null
}

/** Failures of an account from which on strangers wait. */
const PATIENCE = 10
/** Failures that are counted; the wait has long been the longest. */
const MOST_FAILURES = 100
const LONGEST_WAIT = 60_000
/**
 * Attempts of one address that are verified at once, however many may fail: with all the places where passwords wait to
 * be hashed it would keep everybody else from logging in.
 */
const MOST_AT_ONCE = 8
/** Attempts of one address that are under way, those included that wait for others of it: each looks at every outcome. */
const MOST_UNDER_WAY = MOST_AT_ONCE + 256
/** Addresses of an account that are remembered. */
const KEPT_ADDRESSES = 32

/** ms that strangers wait after the last of so many failures. */
export function waitAfter(failures: number): number {
  return failures < PATIENCE ? 0 : Math.min(LONGEST_WAIT, 1000 * 2 ** Math.min(failures - PATIENCE, 10))
}

/** Attempts that are being verified, by whom or at whom: each of them may become a failure. */
class UnderWay {
  readonly #attempts = new Map<string, { count: number; readonly ended: (() => void)[] }>()

  /** Enters unless `room` are under way already; answers whether it did. Everyone who enters must leave. */
  enter(name: string, room: number): boolean {
    const attempts = this.#attempts.get(name) ?? { count: 0, ended: [] }
    if (attempts.count >= room) return false
    attempts.count += 1
    this.#attempts.set(name, attempts)
    return true
  }

  /** Resolves when one of those under way has ended; at once when there is none. */
  async change(name: string): Promise<void> {
    const attempts = this.#attempts.get(name)
    if (attempts !== undefined) await new Promise<void>((resolve) => attempts.ended.push(resolve))
  }

  leave(name: string): void {
    const attempts = this.#attempts.get(name)
    if (attempts === undefined) return
    attempts.count -= 1
    if (attempts.count === 0) this.#attempts.delete(name)
    for (const wake of attempts.ended.splice(0)) wake()
  }
}

export class LoginThrottle {
  readonly #options: LoginThrottleOptions
  readonly #addresses: MirroredLimiter
  readonly #accounts: MirroredLimiter
  readonly #arrived = new UnderWay()
  readonly #byAddress = new UnderWay()
  readonly #atAccount = new UnderWay()
  /** Accounts at which a stranger whose turn has come is being verified. */
  readonly #taken = new Set<string>()

  constructor(options: LoginThrottleOptions) {
    this.#options = options
    const { rate, capacity, clock, shared = null } = options
    const accountRate = createRate({ limit: MOST_FAILURES, window: rate.window })
    this.#addresses = new MirroredLimiter({ rate: createRate(rate), capacity, place: 'login-address', shared, clock })
    this.#accounts = new MirroredLimiter({ rate: accountRate, capacity, place: 'login-account', shared, clock })
  }

  /**
   * Runs a verification of a password when its turn has come, and counts it when it fails.
   *
   * @param email in the form that is unique
   * @param address of the client; null, where nobody can tell, is one address shared by all
   * @param verify answers null for a wrong password; what it throws is no failure of the caller's
   * @throws MachineAuthError `locked_out`; `rate_limited` when too many of that address are waiting
   */
  async run<T>(email: string, address: string | null, verify: () => Promise<T | null>): Promise<T | null> {
    const place = addressSubject(address)
    const account = this.#nameOf(email)
    if (!this.#arrived.enter(place, MOST_UNDER_WAY)) throw this.#refuseTooMany()
    try {
      await this.#enter(place)
      return await this.#runEntered(account, place, verify)
    } finally {
      this.#arrived.leave(place)
    }
  }

  async #runEntered<T>(account: string, place: string, verify: () => Promise<T | null>): Promise<T | null> {
    try {
      const leave = await this.#takeTurn(account, place)
      try {
        this.#options.meter?.decision('login', true)
        const proven = await verify()
        if (proven === null) this.#noteFailure(account, place)
        else await this.#noteSuccess(account, place)
        return proven
      } finally {
        leave()
      }
    } finally {
      this.#byAddress.leave(place)
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
      if (this.#addresses.isShared) await this.#addresses.refresh(place)
      const { remaining, retryAfter } = this.#addresses.read(place, this.#options.clock())
      if (remaining === 0) throw this.#refuse(retryAfter)
      if (this.#byAddress.enter(place, Math.min(remaining, MOST_AT_ONCE))) return
      await this.#byAddress.change(place)
    }
  }

  /**
   * Lets the first few at an account go on, and whoever logged in to it from there before; all others take turns.
   *
   * @returns ends the turn
   */
  async #takeTurn(account: string, place: string): Promise<() => void> {
    let isKnown: boolean | null = null
    for (;;) {
      if (this.#accounts.isShared) await this.#accounts.refresh(account)
      const { failures } = this.#failuresOf(account)
      if (this.#atAccount.enter(account, PATIENCE - failures)) return () => this.#atAccount.leave(account)
      isKnown ??= await this.#options.store.knows(account, place)
      if (isKnown) return () => undefined
      if (this.#failuresOf(account).failures >= PATIENCE) {
        return this.#takeStrangersTurn(account, this.#accounts.isShared ? await this.#accounts.refresh(account) : null)
      }
      // As with addresses: the outcome of the others decides.
      await this.#atAccount.change(account)
    }
  }

  /** @param everywhere how the account stands in all processes; null when nobody knows */
  #takeStrangersTurn(account: string, everywhere: Reading | null): () => void {
    const { failures, resetAfter } = this.#failuresOf(account)
    // Of what others counted only they know when it was: here it is as late as it was heard of.
    const isSame = everywhere !== null && MOST_FAILURES - everywhere.remaining === failures
    const sinceLast = this.#options.rate.window - (isSame ? everywhere.resetAfter : resetAfter)
    const wait = waitAfter(failures) - sinceLast
    if (wait > 0) throw this.#refuse(wait)
    // One stranger at a time: the next one hears how this turn ended.
    if (this.#taken.has(account)) throw this.#refuse(waitAfter(failures))
    this.#taken.add(account)
    return () => void this.#taken.delete(account)
  }

  /** `resetAfter`: ms until the last of them has left the window. */
  #failuresOf(account: string): { readonly failures: number; readonly resetAfter: number } {
    const { remaining, resetAfter } = this.#accounts.read(account, this.#options.clock(), 0)
    return { failures: MOST_FAILURES - remaining, resetAfter }
  }

  #refuse(wait: number): MachineAuthError {
    this.#options.meter?.decision('login', false)
    return new MachineAuthError('locked_out', { retryAfter: wait / 1000 })
  }

  #refuseTooMany(): MachineAuthError {
    this.#options.meter?.decision('login', false)
    return tooManyLogins()
  }

  #noteFailure(account: string, place: string): void {
    const now = this.#options.clock()
    this.#addresses.hit(place, now)
    if (this.#accounts.hit(account, now).isAllowed) return
    // Strangers wait from the last failure on: where no more are counted, all of them are as late as that one.
    this.#accounts.forgetHere(account)
    this.#accounts.hit(account, now, MOST_FAILURES)
  }

  async #noteSuccess(account: string, place: string): Promise<void> {
    // Who proved himself is let in whether or not it can be written down.
    await this.#options.store.remember(account, place, this.#options.clock(), KEPT_ADDRESSES).catch(() => undefined)
  }
}
