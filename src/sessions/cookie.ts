/**
 * The cookie of a session, as an entry of Elysia's cookie jar. A `Set-Cookie` header of our own would be lost where
 * the app sets a cookie too: Elysia writes the jar over it.
 *
 * @see RFC 6265 section 4.1, and "Cookie prefixes" in RFC 6265bis section 4.1.3
 */
import type { ResolvedOptions } from '../options/resolved.ts'

export type CookieOptions = Pick<ResolvedOptions['sessions'], 'cookie' | 'sameSite' | 'secure'>

/** What of an answer the cookie is written to. */
export interface CookieTarget {
  cookie?: Record<string, object>
}

function setCookie(target: CookieTarget, { cookie, sameSite, secure }: CookieOptions, value: string, maxAge: number) {
  target.cookie ??= {}
  // No domain: the cookie stays with the host that set it, as `__Host-` demands.
  target.cookie[cookie] = {
    value,
    path: '/',
    maxAge,
    httpOnly: true,
    sameSite,
    secure,
    // An app may have Elysia sign every cookie; ours proves itself, and is read as it was made.
    encode: () => value,
  }
}

/**
 * Writes the cookie that opens a session.
 *
 * @param ttl ms
 */
export function setSessionCookie(target: CookieTarget, options: CookieOptions, value: string, ttl: number): void {
  setCookie(target, options, value, Math.floor(ttl / 1000))
}

/** Makes the browser forget a session. */
export function clearSessionCookie(target: CookieTarget, options: CookieOptions): void {
  setCookie(target, options, '', 0)
}
