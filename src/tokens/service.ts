/** Token pairs for users and clients. */
import {
  type Actor,
  isWithinReach,
  reachOf,
  requireGrantable,
  requirePlatform,
  requireUnlimitedKey,
  SYSTEM,
} from '../authorization/actor.ts'
import { resolveGrants } from '../authorization/grants.ts'
import type { PermissionRegistry } from '../authorization/registry.ts'
import { generateId } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import { FieldErrors } from '../lib/field-errors.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { UserStore } from '../storage/ports/accounts.ts'
import type { RefreshFamilyRecord } from '../storage/records.ts'
import type { TokenSubject, TokenUser } from './access-tokens.ts'
import type { BearerTokenService } from './bearer.ts'
import { CLIENT_ID_ACCEPTED, createClientId, isClientId } from './client-id.ts'
import { type RefreshExpectation, Refresher, type RefresherOptions } from './refresher.ts'
import { createTokenResponse, type TokenResponse } from './token-response.ts'

/** A user who just proved who he is. */
export interface LoggedInUser extends TokenUser {
  /** His record's `tokensNotBefore` (ms) when the proof began: a password changed since then makes it void. */
  readonly tokensNotBefore?: number | null | undefined
}

export interface NewClient {
  readonly clientId?: string | undefined
  readonly permissions?: readonly string[] | undefined
}

export interface TokenServiceOptions extends RefresherOptions {
  readonly users: UserStore
  readonly permissions: PermissionRegistry
  readonly audit: Pick<AuditLog, 'record' | 'recordDenied' | 'refuseOutOfReach'>
  readonly bearer: BearerTokenService
}

export class TokenService {
  readonly bearer: BearerTokenService
  readonly #options: TokenServiceOptions
  readonly #refresher: Refresher

  constructor(options: TokenServiceOptions) {
    this.#options = options
    this.bearer = options.bearer
    this.#refresher = new Refresher(options)
  }

  /**
   * Issues a pair to a user. Does not check any proof of who he is.
   *
   * @throws MachineAuthError `login_failed` when the user was disabled or changed his password meanwhile
   */
  async issueForUser(user: LoggedInUser): Promise<TokenResponse> {
    const { users, directory, families, clock, invalidate } = this.#options
    const notBefore = user.tokensNotBefore ?? (await users.find(user.id))?.tokensNotBefore ?? 0
    const subject: TokenSubject = { kind: 'user', user: { id: user.id, email: user.email, roles: user.roles } }
    const { family, response } = await this.#issue(subject, Math.max(clock(), notBefore))
    // Whoever took the user's tokens away between proof and insert did not see this family: look once more.
    const after = await users.find(user.id)
    const isMissing = after === null && !directory.isExternal
    const isChanged = after !== null && (after.status !== 'active' || after.tokensNotBefore !== notBefore)
    if (!isMissing && !isChanged) return response
    await afterwards(families.revoke(family.id, 'user_changed', clock()), () => invalidate('family', family.id))
    throw new MachineAuthError('login_failed')
  }

  /**
   * Issues a pair to a client principal, of the given id or a random one.
   *
   * @throws MachineAuthError `permission_required` without platform reach, or for more than the actor has;
   * `validation_failed`
   */
  async issueForClient(input: NewClient = {}, actor: Actor = SYSTEM): Promise<TokenResponse> {
    requirePlatform(actor)
    const errors = new FieldErrors()
    const clientId = input.clientId ?? createClientId()
    if (!isClientId(clientId)) errors.add('client_id', CLIENT_ID_ACCEPTED)
    const permissions = resolveGrants(this.#options.permissions, input.permissions ?? [], errors)
    errors.throwIfAny()
    requireGrantable(actor, permissions)
    requireUnlimitedKey(actor)
    const { family, response } = await this.#issue({ kind: 'client', clientId, permissions }, this.#options.clock())
    await this.#options.audit.record({
      action: 'client.token_issued',
      actor,
      subject: clientId,
      details: { family: family.id, permissions },
    })
    return response
  }

  /**
   * Spends a refresh token for a new pair. Inside the reuse window the direct predecessor of an unspent token gets
   * that token again; any other spent one ends the family.
   *
   * @throws MachineAuthError `token_invalid`, `token_expired`, `token_revoked`, `refresh_token_reused`
   * @see RFC 6749 section 6, RFC 9700 section 4.14.2
   */
  refresh(refreshToken: string, expected: RefreshExpectation = {}): Promise<TokenResponse> {
    return this.#refresher.refresh(refreshToken, expected)
  }

  /** Ends the family of a refresh token, spent or not. Says nothing about a token that is none. */
  async logout(refreshToken: string): Promise<void> {
    const genuine = await this.#refresher.findGenuine(refreshToken)
    if (genuine === null) return
    const { families, clock, invalidate } = this.#options
    const { id, revokedAt } = genuine.found.family
    // Nothing is left to end, and one old token must not make the process search its memory again and again.
    if (revokedAt !== null) return
    await afterwards(families.revoke(id, 'logout', clock()), () => invalidate('family', id))
  }

  /**
   * Ends all token families of a user; answers how many.
   *
   * @throws MachineAuthError `not_found` for a user out of the actor's reach
   */
  async revokeUser(userId: string, actor: Actor = SYSTEM): Promise<number> {
    const { users, families, clock, invalidate, audit } = this.#options
    const organizationId = (await users.find(userId))?.organizationId ?? null
    if (!isWithinReach(reachOf(actor), { organizationId, userId })) return audit.refuseOutOfReach(actor, userId)
    const revoking = families.revokeByUser(userId, 'revoked', clock())
    const count = await afterwards(revoking, () => invalidate('user', userId))
    await audit.record({ action: 'user.tokens_revoked', actor, subject: userId, details: { count } })
    return count
  }

  async #issue(
    subject: TokenSubject,
    now: number,
  ): Promise<{ readonly family: RefreshFamilyRecord; readonly response: TokenResponse }> {
    const { families, accessTokens, refreshTokens, jwt, clock } = this.#options
    const family: RefreshFamilyRecord = {
      id: generateId('rt'),
      userId: subject.kind === 'user' ? subject.user.id : null,
      clientId: subject.kind === 'client' ? subject.clientId : null,
      permissions: subject.kind === 'client' ? subject.permissions : [],
      ...refreshTokens.createSecret(),
      sequence: 1,
      rotatedAt: now,
      expiresAt: now + jwt.refreshTtl,
      createdAt: now,
      revokedAt: null,
      revokedReason: null,
    }
    const accessToken = await accessTokens.sign(subject, family.id, clock())
    await families.insert(family)
    const refreshToken = refreshTokens.format(family, family.sequence)
    return { family, response: createTokenResponse(subject, { accessToken, refreshToken }, jwt.accessTtl) }
  }
}
