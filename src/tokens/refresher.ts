/** Spends refresh tokens: rotation, replay inside the reuse window, and what a stolen copy sets off. */
import type { UserDirectory } from '../authentication/user-directory.ts'
import { parseRefreshToken, type RefreshTokenText } from '../credentials/secret-text.ts'
import { MachineAuthError } from '../errors.ts'
import { afterwards } from '../lib/afterwards.ts'
import type { Clock } from '../lib/clock.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { AuditLog } from '../recording/audit/audit.ts'
import type { RefreshFamilyStore } from '../storage/ports/tokens.ts'
import type { ChangeKind, RefreshFamilyRecord, RefreshFamilyWithUser } from '../storage/records.ts'
import type { AccessTokens, TokenSubject } from './access-tokens.ts'
import { decideRefresh, type RefreshDecision } from './refresh-decision.ts'
import type { RefreshTokens } from './refresh-tokens.ts'
import { createTokenResponse, type TokenResponse } from './token-response.ts'
import { UnverifiableTokenError } from './unverifiable-token.ts'

/** What the caller of a refresh knows about its holder; a token of anyone else is `token_invalid`. */
export interface RefreshExpectation {
  /** Left out: a user's token and a client's are both welcome. */
  readonly kind?: 'user' | 'client' | undefined
  readonly clientId?: string | undefined
}

export interface RefresherOptions {
  readonly families: RefreshFamilyStore
  readonly directory: UserDirectory
  readonly accessTokens: AccessTokens
  readonly refreshTokens: RefreshTokens
  readonly jwt: Pick<ResolvedOptions['jwt'], 'accessTtl' | 'refreshTtl' | 'refreshReuseWindow'>
  readonly clock: Clock
  readonly invalidate: (kind: ChangeKind, subject: string) => void
  readonly audit: Pick<AuditLog, 'record' | 'recordDenied'>
}

const REFUSALS = { expired: 'token_expired', revoked: 'token_revoked', unissued: 'token_invalid' } as const

/** Who lost a race looks again; each time somebody else has moved the family on. */
const MAX_ATTEMPTS = 8

interface Genuine {
  readonly parsed: RefreshTokenText
  readonly found: RefreshFamilyWithUser
}

export class Refresher {
  readonly #options: RefresherOptions

  constructor(options: RefresherOptions) {
    this.#options = options
  }

  /** The family of a token that is genuine, spent or not; null for any other text. */
  async findGenuine(text: string): Promise<Genuine | null> {
    const looked = await this.#look(text)
    return typeof looked === 'string' ? null : looked
  }

  async #look(text: string): Promise<Genuine | 'wrong' | 'unverifiable'> {
    const parsed = parseRefreshToken(text)
    if (parsed === null) return 'wrong'
    const { families, refreshTokens } = this.#options
    const found = await families.find(parsed.familyId)
    const isGenuine = refreshTokens.matches(found?.family ?? null, parsed.sequence, parsed.mac)
    if (found === null) return 'wrong'
    if (isGenuine) return { parsed, found }
    return refreshTokens.isKnown(found.family) ? 'wrong' : 'unverifiable'
  }

  /** @throws MachineAuthError `token_invalid`, `token_expired`, `token_revoked`, `refresh_token_reused` */
  async refresh(text: string, expected: RefreshExpectation): Promise<TokenResponse> {
    const { clock, families, jwt } = this.#options
    const genuine = await this.#look(text)
    if (genuine === 'unverifiable') throw new UnverifiableTokenError()
    if (genuine === 'wrong' || !isExpected(genuine.found.family, expected)) throw new MachineAuthError('token_invalid')
    const { sequence } = genuine.parsed
    let { found } = genuine
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const now = clock()
      const decision = decideRefresh(found.family, sequence, now, jwt.refreshReuseWindow)
      if (decision !== 'rotate' && decision !== 'replay') return this.#refuse(found.family, decision, sequence)
      const subject = await this.#requireSubject(found)
      // Signed before anything is spent: the app's claims hook may fail.
      const accessToken = await this.#options.accessTokens.sign(subject, found.family.id, now)
      if (decision === 'replay') return this.#replay(found.family, subject, accessToken)
      const rotated = await families.rotate(found.family.id, sequence, now, now + jwt.refreshTtl)
      if (rotated !== null) return this.#respond(rotated, subject, accessToken)
      const again = await families.find(found.family.id)
      if (again === null) throw new MachineAuthError('token_invalid')
      found = again
    }
    throw new MachineAuthError('storage_unavailable', { retryable: true, retryAfter: 1 })
  }

  async #replay(family: RefreshFamilyRecord, subject: TokenSubject, accessToken: string): Promise<TokenResponse> {
    await this.#options.audit.record({
      action: 'refresh.replayed',
      actor: actorOf(family),
      subject: family.id,
      details: { sequence: family.sequence },
    })
    return this.#respond(family, subject, accessToken)
  }

  #respond(family: RefreshFamilyRecord, subject: TokenSubject, accessToken: string): TokenResponse {
    const refreshToken = this.#options.refreshTokens.format(family, family.sequence)
    return createTokenResponse(subject, { accessToken, refreshToken }, this.#options.jwt.accessTtl)
  }

  async #refuse(
    family: RefreshFamilyRecord,
    decision: Exclude<RefreshDecision, 'rotate' | 'replay'>,
    sequence: number,
  ): Promise<never> {
    if (decision !== 'reused') throw new MachineAuthError(REFUSALS[decision])
    const { families, invalidate, audit, clock } = this.#options
    const revoking = families.revoke(family.id, 'refresh_token_reused', clock())
    await afterwards(revoking, () => invalidate('family', family.id))
    await audit.recordDenied({
      action: 'refresh.reused',
      actor: actorOf(family),
      subject: family.id,
      details: { presented: sequence, newest: family.sequence },
    })
    throw new MachineAuthError('refresh_token_reused', {
      detail: 'This refresh token was used before. All tokens of this login were revoked; log in again.',
    })
  }

  /** The user or client as it is now: roles may have changed since the last time. */
  async #requireSubject({ family, user, organization }: RefreshFamilyWithUser): Promise<TokenSubject> {
    const { userId, clientId, permissions } = family
    if (userId === null) {
      if (clientId === null) throw new MachineAuthError('token_invalid')
      return { kind: 'client', clientId, permissions }
    }
    const outcome = await this.#options.directory.find({ id: userId, user, organization })
    // A password was changed, but the families of before are not all revoked yet, or the process died in between.
    const isOutlived = user !== null && family.createdAt < user.tokensNotBefore
    if (outcome.kind !== 'user' || isOutlived) throw new MachineAuthError('token_revoked')
    const { id, email, roles } = outcome.user
    return { kind: 'user', user: { id, email: email === '' ? null : email, roles } }
  }
}

function isExpected({ userId, clientId }: RefreshFamilyRecord, expected: RefreshExpectation): boolean {
  if (expected.kind === 'user' && userId === null) return false
  if (expected.kind === 'client' && clientId === null) return false
  return expected.clientId === undefined || expected.clientId === clientId
}

function actorOf({ userId, clientId }: RefreshFamilyRecord): { readonly id: string } {
  return { id: userId ?? clientId ?? 'anonymous' }
}
