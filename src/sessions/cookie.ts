/**
 * The `Set-Cookie` header of a session.
 *
 * @see RFC 6265 section 4.1, and "Cookie prefixes" in RFC 6265bis section 4.1.3
 */
import type { ResolvedOptions } from '../options/types.ts'

export type CookieOptions = Pick<ResolvedOptions['sessions'], 'cookie' | 'sameSite' | 'secure'>

const SAME_SITE = { lax: 'Lax', strict: 'Strict', none: 'None' } as const

function serialize({ cookie, sameSite, secure }: CookieOptions, value: string, maxAge: number): string {
  // No Domain: the cookie stays with the host that set it, as `__Host-` demands.
  const attributes = ['Path=/', `Max-Age=${maxAge}`, 'HttpOnly', `SameSite=${SAME_SITE[sameSite]}`]
  return [`${cookie}=${value}`, ...attributes, ...(secure ? ['Secure'] : [])].join('; ')
}

/**
 * The header value that opens a session.
 *
 * @param ttl ms
 */
export function serializeSessionCookie(options: CookieOptions, value: string, ttl: number): string {
  return serialize(options, value, Math.floor(ttl / 1000))
}

/** The header value that makes the browser forget a session. */
export function serializeClearingCookie(options: CookieOptions): string {
  return serialize(options, '', 0)
}
