import { isForeignId } from '../credentials/foreign-id.ts'
import { randomBase62 } from '../lib/base62.ts'

/** RFC 6749 appendix A.1 allows any visible ASCII; these need no escaping in a URL, a log or a scope. */
const CLIENT_ID = /^[A-Za-z0-9][A-Za-z0-9._~:@/+-]{0,127}$/

export const CLIENT_ID_ACCEPTED =
  "must be 1 to 128 letters, digits or '._~:@/+-', start with a letter or digit, and not look like an id of another kind"

/** Whether a text may name a client principal. */
export function isClientId(text: string): boolean {
  return CLIENT_ID.test(text) && !isForeignId(text, 'client')
}

/** A random client id. */
export function createClientId(): string {
  return `client_${randomBase62(16)}`
}
