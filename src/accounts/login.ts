/** Proves a user by e-mail and password: the same answer and the same work whoever he is. */
import type { UserDirectory } from '../authentication/user-directory.ts'
import { MachineAuthError } from '../errors.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import type { UsersOption } from '../options/types.ts'
import type { UserStore } from '../storage/ports/accounts.ts'
import { MAX_EMAIL_LENGTH, normalizeEmail } from './email.ts'
import type { LoginThrottle } from './login-throttle.ts'
import { MAX_PASSWORD_BYTES, type Passwords } from './passwords.ts'

/** A user who proved who he is. */
export interface LoginIdentity {
  readonly id: string
  readonly email: string
  readonly roles: readonly string[]
  readonly organizationId: string | null
  /** His record's value (ms) when the proof began; null for a user without a record of ours. */
  readonly tokensNotBefore: number | null
}

export interface LoginOrigin {
  /** The client's address; null where nobody can tell. */
  readonly address?: string | null
}

export interface LoginServiceOptions {
  readonly throttle: Pick<LoginThrottle, 'run'>
  readonly users: UserStore
  readonly directory: UserDirectory
  readonly passwords: Passwords
  /** An app's own users, who take the place of ours. The options see to it that whom it finds it can verify. */
  readonly app: Pick<UsersOption<object>, 'findByEmail' | 'verifyPassword'>
}

/** Who has the right password; nothing is said yet about whether he may log in. */
interface Proven {
  readonly id: string
  readonly tokensNotBefore: number | null
}

export class LoginService {
  readonly #options: LoginServiceOptions

  constructor(options: LoginServiceOptions) {
    this.#options = options
  }

  /**
   * Proves a user by his password.
   *
   * @param origin where the attempt comes from; without an address all attempts count as from one
   * @throws MachineAuthError `login_failed` for an unknown e-mail, a wrong password, and a disabled user alike;
   * `locked_out` after too many failures; `validation_failed` for what no user can have; `rate_limited` when too many
   * logins are waiting
   * @example await core.login.verify(email, password, { address: auth.address })
   */
  async verify(email: string, password: string, origin: LoginOrigin = {}): Promise<LoginIdentity> {
    requirePlausible(email, password)
    const normalized = normalizeEmail(email)
    const account = normalized ?? email.toLowerCase()
    const identity = await this.#options.throttle.run(account, origin.address ?? null, async () => {
      const proven = await this.#prove(normalized, password)
      return proven === null ? null : this.#identify(proven)
    })
    if (identity === null) throw new MachineAuthError('login_failed')
    return identity
  }

  #prove(email: string | null, password: string): Promise<Proven | null> {
    const { findByEmail, verifyPassword } = this.#options.app
    return verifyPassword === undefined
      ? this.#verifyOwn(email, password)
      : this.#verifyByApp(email, password, findByEmail, verifyPassword)
  }

  async #verifyOwn(email: string | null, password: string): Promise<Proven | null> {
    const { users, passwords } = this.#options
    const user = email === null ? null : await users.findByEmail(email)
    const { isRight, upgraded } = await passwords.verify(password, user?.passwordHash ?? null)
    if (user === null || !isRight) return null
    if (upgraded !== null && user.passwordHash !== null) {
      // Off the way: whether it is written now or at the next login, he is in.
      await users.upgradePasswordHash(user.id, user.passwordHash, upgraded).catch(() => false)
    }
    return { id: user.id, tokensNotBefore: user.tokensNotBefore }
  }

  async #verifyByApp(
    email: string | null,
    password: string,
    findByEmail: UsersOption<object>['findByEmail'],
    verifyPassword: NonNullable<UsersOption<object>['verifyPassword']>,
  ): Promise<Proven | null> {
    const own = findByEmail === undefined && email !== null ? await this.#options.users.findByEmail(email) : null
    const theirs = findByEmail === undefined || email === null ? null : ((await findByEmail(email)) ?? null)
    // Of a record of ours the app is told no more than the id.
    const found = own === null ? theirs : { id: own.id }
    const isRight = await verifyPassword(found, password)
    // Only `true` is a yes: a function that answers an object or a text was written by mistake.
    return found !== null && isRight === true ? { id: found.id, tokensNotBefore: own?.tokensNotBefore ?? null } : null
  }

  async #identify({ id, tokensNotBefore }: Proven): Promise<LoginIdentity | null> {
    const { users, directory } = this.#options
    const stored = await users.findWithOrganization(id)
    const { user = null, organization = null } = stored ?? {}
    const outcome = await directory.find({ id, user, organization })
    if (outcome.kind !== 'user') return null
    const { email, roles, organizationId } = outcome.user
    return { id, email, roles, organizationId, tokensNotBefore: tokensNotBefore ?? user?.tokensNotBefore ?? null }
  }
}

/** Refuses what is too long to be anybody's, before anything is hashed. */
function requirePlausible(email: string, password: string): void {
  const errors = new FieldErrors()
  if (typeof email !== 'string' || email.length > MAX_EMAIL_LENGTH) {
    errors.add('email', `must be text of at most ${MAX_EMAIL_LENGTH} characters`)
  }
  const isText = typeof password === 'string' && password.length <= MAX_PASSWORD_BYTES
  if (!isText || Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    errors.add('password', `must be text of at most ${MAX_PASSWORD_BYTES} bytes`)
  }
  errors.throwIfAny()
}
