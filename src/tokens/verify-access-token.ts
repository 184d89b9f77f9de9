/**
 * Verifies access tokens of ours.
 *
 * @see RFC 7519, RFC 8725 (best current practices), RFC 9068 section 4
 */
import type { JWTPayload } from 'jose'
import { decodeProtectedHeader } from 'jose/decode/protected_header'
import { JWTExpired } from 'jose/errors'
import { jwtVerify } from 'jose/jwt/verify'
import { type Refusal, refusal, unverifiable } from '../authentication/principal.ts'
import type { AccessTokenClaims, VerifyAccessToken } from '../authentication/token.ts'
import { MAX_CREDENTIAL_LENGTH } from '../credentials/authorization.ts'
import { isBase62 } from '../lib/base62.ts'
import type { ResolvedOptions } from '../options/resolved.ts'
import { ACCESS_TOKEN_TYPE } from './access-tokens.ts'
import type { SigningKeys } from './signing-keys.ts'

const INVALID = refusal('token_invalid')
/** Of a token that names a signing key of another secret. */
const UNVERIFIABLE = unverifiable(INVALID)
const EXPIRED = refusal('token_expired')

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
/** A closed list: whatever else a header says (`crit`, `b64`, `jku`, `jwk`, `x5u`, `x5c`, `zip`, `cty`), we never wrote it. */
const HEADER_MEMBERS: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])
const MAX_KID_LENGTH = 64
const REQUIRED_CLAIMS = ['sub', 'jti', 'iat', 'exp', 'fid']

function parseHeader(text: string): { readonly alg: string; readonly kid: string } | null {
  try {
    const header = decodeProtectedHeader(text)
    if (!Object.keys(header).every((name) => HEADER_MEMBERS.has(name))) return null
    const { alg, kid } = header
    if (typeof alg !== 'string' || typeof kid !== 'string' || kid.length > MAX_KID_LENGTH) return null
    return { alg, kid }
  } catch {
    return null
  }
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isNonEmptyText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isFamilyId(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('rt_') && isBase62(value, 3)
}

/** What the signature does not say: whether the claims are ones that we would have made. */
function readClaims(
  payload: JWTPayload,
  now: number,
  { accessTtl, clockTolerance }: Pick<ResolvedOptions['jwt'], 'accessTtl' | 'clockTolerance'>,
): AccessTokenClaims | Refusal {
  const { sub, jti, iat, exp, nbf, fid, client_id: clientId } = payload
  if (!isSeconds(iat) || !isSeconds(exp) || (nbf !== undefined && !isSeconds(nbf))) return INVALID
  if (!isNonEmptyText(sub) || !isNonEmptyText(jti) || !isFamilyId(fid)) return INVALID
  if (clientId !== undefined && clientId !== sub) return INVALID
  const lifetime = (exp - iat) * 1000
  // One second more than configured, since whole seconds are written.
  if (lifetime < 0 || lifetime > accessTtl + clockTolerance + 1000) return INVALID
  if (iat * 1000 > now + clockTolerance || (nbf ?? 0) * 1000 > now + clockTolerance) return INVALID
  const validUntil = exp * 1000 + clockTolerance
  if (now >= validUntil) return EXPIRED
  return {
    id: jti,
    subject: sub,
    clientId: clientId === undefined ? null : sub,
    familyId: fid,
    validUntil,
    expiresAt: exp * 1000,
    all: Object.freeze(payload),
  }
}

/**
 * Builds the verification of access tokens. `token_expired` is said only of a token whose signature is right; all
 * else is `token_invalid`. Does not check whether its family was revoked.
 */
export function createAccessTokenVerifier(options: {
  readonly keys: SigningKeys
  readonly jwt: Pick<ResolvedOptions['jwt'], 'issuer' | 'audience' | 'accessTtl' | 'clockTolerance'>
}): VerifyAccessToken {
  const { keys, jwt } = options

  return async function verifyAccessToken(text, now) {
    if (text.length > MAX_CREDENTIAL_LENGTH || !COMPACT_JWS.test(text)) return INVALID
    const header = parseHeader(text)
    if (header === null) return INVALID
    const key = await keys.find(header.kid, now)
    if (key === null) return keys.isOfOtherSecret(header.kid) ? UNVERIFIABLE : INVALID
    // The key decides the algorithm; the header only has to agree.
    if (header.alg !== key.algorithm) return INVALID
    try {
      const { payload } = await jwtVerify(text, key.key, {
        algorithms: [key.algorithm],
        typ: ACCESS_TOKEN_TYPE,
        issuer: jwt.issuer,
        audience: jwt.audience,
        requiredClaims: REQUIRED_CLAIMS,
        clockTolerance: Math.ceil(jwt.clockTolerance / 1000),
        currentDate: new Date(now),
      })
      return readClaims(payload, now, jwt)
    } catch (error) {
      // jose looks at the times last, after signature, type, issuer and audience.
      return error instanceof JWTExpired ? EXPIRED : INVALID
    }
  }
}
