/**
 * What an `Authorization` header presents.
 *
 * @see RFC 9110 section 11.6.2, RFC 6750 section 2.1
 */
import { hasApiKeyPrefix } from './api-key-format.ts'

/** Longer credentials are refused unread: no key or token of ours comes near it. */
export const MAX_CREDENTIAL_LENGTH = 8192

export type AuthorizationCredential =
  | { readonly kind: 'apiKey'; readonly text: string }
  | { readonly kind: 'jwt'; readonly text: string }
  | { readonly kind: 'bearer'; readonly text: string }
  /** A scheme or text that nothing here can verify: refused as a wrong credential. */
  | { readonly kind: 'unusable' }
  /** More than one credential in the header. */
  | { readonly kind: 'ambiguous' }

const UNUSABLE: AuthorizationCredential = Object.freeze({ kind: 'unusable' })
const AMBIGUOUS: AuthorizationCredential = Object.freeze({ kind: 'ambiguous' })

/** Whether a text has the two dots of a JWS in compact form. Not whether it is one. */
function hasJwtShape(text: string): boolean {
  const first = text.indexOf('.')
  if (first <= 0) return false
  const second = text.indexOf('.', first + 1)
  return second > first + 1 && text.indexOf('.', second + 1) === -1
}

/** Visible ASCII without comma and quote. */
const CREDENTIAL_TEXT = /^[\x21\x23-\x2b\x2d-\x7e]+$/

/** RFC 6750 `b64token`, loosely: visible ASCII without space, comma or quote. */
export function isCredentialText(text: string): boolean {
  return text.length <= MAX_CREDENTIAL_LENGTH && CREDENTIAL_TEXT.test(text)
}

/** The token of a header that looks like `Bearer <JWT>` at a glance, unchecked; null for any other header. */
export function glanceAtJwt(header: string): string | null {
  return header.startsWith('Bearer ') && header.includes('.') ? header.slice(7) : null
}

/**
 * Reads an `Authorization` header.
 *
 * @param header its value; a repeated header arrives joined by commas
 * @param schemes the schemes an API key may come under, in lower case
 * @param apiKeyPrefix the first part of our API keys
 */
export function parseAuthorization(
  header: string,
  schemes: ReadonlySet<string>,
  apiKeyPrefix: string,
): AuthorizationCredential {
  if (header.length > MAX_CREDENTIAL_LENGTH) return UNUSABLE
  if (header.includes(',')) return AMBIGUOUS
  const space = header.indexOf(' ')
  if (space === -1) return UNUSABLE
  const scheme = header.slice(0, space).toLowerCase()
  const text = header.slice(space + 1)
  if (!isCredentialText(text)) return UNUSABLE
  const carriesKeys = schemes.has(scheme)
  if (scheme !== 'bearer') return carriesKeys ? { kind: 'apiKey', text } : UNUSABLE
  if (carriesKeys && hasApiKeyPrefix(apiKeyPrefix, text)) return { kind: 'apiKey', text }
  return { kind: hasJwtShape(text) ? 'jwt' : 'bearer', text }
}
