import { UNSAFE_MEMBERS } from '../lib/unsafe-members.ts'

/**
 * Claims that decide something: an app's hook cannot set them.
 *
 * @see RFC 7519 section 4.1, RFC 9068 section 2.2, RFC 7800, RFC 8693 section 4
 */
const RESERVED: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'],
  ...['typ', 'alg', 'kid', 'cty', 'crit'],
  ...['client_id', 'azp', 'scope', 'scp', 'roles', 'role', 'permissions', 'groups', 'entitlements'],
  ...['cnf', 'act', 'may_act', 'auth_time', 'acr', 'amr', 'nonce', 'sid', 'events'],
  ...['fid', 'family', 'org', 'organization_id'],
  ...UNSAFE_MEMBERS,
])

/** Whether a claim is this library's to set. */
export function isReservedClaim(name: string): boolean {
  return RESERVED.has(name)
}

/** Splits what a hook answered into claims to sign and names it must not set. */
export function splitClaims(custom: Readonly<Record<string, unknown>>): {
  readonly claims: Readonly<Record<string, unknown>>
  readonly dropped: readonly string[]
} {
  const entries = Object.entries(custom)
  return {
    claims: Object.fromEntries(entries.filter(([name]) => !isReservedClaim(name))),
    dropped: entries.map(([name]) => name).filter(isReservedClaim),
  }
}
