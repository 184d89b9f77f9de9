/** Hashes and verifies passwords: bounded in length, in number at once, and the same work for everyone. */
import { availableParallelism } from 'node:os'
import { MachineAuthError } from '../errors.ts'
import { createSemaphore, type Semaphore, SemaphoreFullError } from '../lib/concurrency.ts'
import { ARGON2_MEMORY_KIB, ARGON2_PASSES, BCRYPT_MAX_BYTES, isOutdated, parsePasswordHash } from './password-hash.ts'

/** The slow functions; tests count their calls. */
export interface PasswordHasher {
  hash(password: string): Promise<string>
  verify(password: string, hash: string): Promise<boolean>
}

/** argon2id by `Bun.password`, off the main thread. */
export const bunPasswordHasher: PasswordHasher = {
  hash: (password) =>
    Bun.password.hash(password, { algorithm: 'argon2id', memoryCost: ARGON2_MEMORY_KIB, timeCost: ARGON2_PASSES }),
  verify: (password, hash) => Bun.password.verify(password, hash),
}

export const MIN_PASSWORD_LENGTH = 8
export const MAX_PASSWORD_BYTES = 1024

/** Of a random password nobody has, under today's parameters: what is checked where there is nothing to check. */
const DUMMY_HASH =
  '$argon2id$v=19$m=19456,t=2,p=1$x38ZHeBKayOzbQdQJl108rfLiEAVTaqiKxdnsoubsFQ$9Xo0ly1blLT7dVa1hFQJf8q53+2B6FAFbwSAywOHuEE'

/** Half the cores hash, the others keep answering. */
const RUNNING = Math.max(1, Math.floor(availableParallelism() / 2))
const WAITING = 64

/** The refusal of whoever would be one too many of those who wait for a password to be looked at. */
export function tooManyLogins(): MachineAuthError {
  return new MachineAuthError('rate_limited', {
    detail: 'Too many logins are waiting. Try again in a second.',
    retryAfter: 1,
    retryable: true,
  })
}

/** What is wrong with a new password, or null. It is taken exactly as given: not trimmed, not normalized. */
export function newPasswordMistake(password: string): string | null {
  const accepted = `must be ${MIN_PASSWORD_LENGTH} characters to ${MAX_PASSWORD_BYTES} bytes of text`
  // Checked first: nothing walks over a megabyte.
  if (typeof password !== 'string' || password.length > MAX_PASSWORD_BYTES) return accepted
  const isTooShort = [...password].length < MIN_PASSWORD_LENGTH
  return isTooShort || !isHashable(password) ? accepted : null
}

/** Lone surrogates would be replaced before hashing, so that different passwords became one. */
function isHashable(password: string): boolean {
  return (
    password !== '' &&
    password.length <= MAX_PASSWORD_BYTES &&
    Buffer.byteLength(password) <= MAX_PASSWORD_BYTES &&
    password.isWellFormed()
  )
}

/** Whether a password was right, and what to store instead of an outdated hash. */
export interface PasswordVerdict {
  readonly isRight: boolean
  readonly upgraded: string | null
}

export class Passwords {
  readonly #hasher: PasswordHasher
  readonly #semaphore: Semaphore

  /** @param options.semaphore bounds how many are hashed and wait at once */
  constructor(options: { readonly hasher?: PasswordHasher; readonly semaphore?: Semaphore } = {}) {
    this.#hasher = options.hasher ?? bunPasswordHasher
    this.#semaphore = options.semaphore ?? createSemaphore(RUNNING, WAITING)
  }

  /**
   * Hashes a new password. Check it with `newPasswordMistake` first.
   *
   * @throws MachineAuthError `rate_limited` when too many are waiting
   */
  hash(password: string): Promise<string> {
    return this.#inTurn(() => this.#hasher.hash(password))
  }

  /**
   * Verifies a password with exactly one verification, whatever is given: an unknown user (null), a hash that cannot
   * be checked, or a password that no hash can be of.
   *
   * @throws MachineAuthError `rate_limited` when too many are waiting
   */
  async verify(password: string, hash: string | null): Promise<PasswordVerdict> {
    const text = isHashable(password) ? password : null
    const parsed = hash === null ? null : parsePasswordHash(hash)
    const isCutOff = parsed?.kind === 'bcrypt' && text !== null && Buffer.byteLength(text) > BCRYPT_MAX_BYTES
    const isCheckable = hash !== null && parsed !== null && text !== null && !isCutOff
    const isMatch = await this.#inTurn(() => this.#hasher.verify(text ?? 'unusable', isCheckable ? hash : DUMMY_HASH))
    const isRight = isMatch && isCheckable
    return { isRight, upgraded: isRight && isOutdated(parsed) ? await this.#upgrade(password) : null }
  }

  /** An upgrade can wait for the next login; a right password cannot be refused for it. */
  async #upgrade(password: string): Promise<string | null> {
    try {
      return await this.#semaphore.run(() => this.#hasher.hash(password))
    } catch {
      return null
    }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#semaphore.run(work)
    } catch (error) {
      throw error instanceof SemaphoreFullError ? tooManyLogins() : error
    }
  }
}
