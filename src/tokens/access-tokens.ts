/**
 * Makes access tokens.
 *
 * @see RFC 9068 (JWT profile for access tokens)
 */
import { SignJWT } from 'jose/jwt/sign'
import { MAX_CREDENTIAL_LENGTH } from '../credentials/authorization.ts'
import { randomBase62 } from '../lib/base62.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import type { MachineAuthOptions } from '../options/types.ts'
import { splitClaims } from './reserved-claims.ts'
import type { SigningKeys } from './signing-keys.ts'

/** RFC 9068 section 2.1: no other kind of JWT passes for an access token. */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** The user a token is made for. */
export interface TokenUser {
  readonly id: string
  readonly email: string | null
  readonly roles: readonly string[]
}

/** Whom a token speaks for. */
export type TokenSubject =
  | { readonly kind: 'user'; readonly user: TokenUser }
  | { readonly kind: 'client'; readonly clientId: string; readonly permissions: readonly string[] }

export interface AccessTokensOptions {
  readonly keys: SigningKeys
  readonly jwt: Pick<ResolvedOptions['jwt'], 'issuer' | 'audience' | 'accessTtl'>
  readonly claims: MachineAuthOptions['claims']
  /** Hears once of each reserved name that `claims` tried to set. */
  readonly warn: (message: string) => void
}

export class AccessTokens {
  readonly #options: AccessTokensOptions
  readonly #warned = new Set<string>()

  constructor(options: AccessTokensOptions) {
    this.#options = options
  }

  /**
   * Signs an access token.
   *
   * @param familyId the refresh family it lives and dies with
   * @param now epoch ms
   * @throws RangeError when the app's claims make it longer than any guard would read
   */
  async sign(subject: TokenSubject, familyId: string, now: number): Promise<string> {
    const { keys, jwt } = this.#options
    const custom = await this.#customClaims(subject)
    const { kid, algorithm, key } = await keys.current()
    const token = await new SignJWT({ ...custom, ...this.#ownClaims(subject, familyId, now) })
      .setProtectedHeader({ alg: algorithm, typ: ACCESS_TOKEN_TYPE, kid })
      .setIssuer(jwt.issuer)
      .setAudience(jwt.audience)
      .sign(key)
    if (token.length > MAX_CREDENTIAL_LENGTH) {
      throw new RangeError(
        `An access token may have ${MAX_CREDENTIAL_LENGTH} characters: let the claims option answer less`,
      )
    }
    return token
  }

  #ownClaims(subject: TokenSubject, familyId: string, now: number): Record<string, unknown> {
    const iat = Math.floor(now / 1000)
    const claims = {
      jti: randomBase62(22),
      iat,
      exp: iat + Math.ceil(this.#options.jwt.accessTtl / 1000),
      fid: familyId,
    }
    if (subject.kind === 'user') return { ...claims, sub: subject.user.id, roles: [...subject.user.roles] }
    const { clientId, permissions } = subject
    // RFC 6749 section 3.3: a scope, when there is one, is not empty.
    const scope = permissions.length === 0 ? {} : { scope: permissions.join(' ') }
    return { ...claims, sub: clientId, client_id: clientId, ...scope }
  }

  async #customClaims(subject: TokenSubject): Promise<Readonly<Record<string, unknown>>> {
    const { claims: hook, warn } = this.#options
    if (hook === undefined || subject.kind !== 'user') return {}
    const { id, email, roles } = subject.user
    const { claims, dropped } = splitClaims((await hook({ id, email, roles })) ?? {})
    for (const name of dropped) {
      if (this.#warned.has(name)) continue
      this.#warned.add(name)
      warn(`claims: "${name}" is reserved and was dropped; give the claim another name`)
    }
    return claims
  }
}
