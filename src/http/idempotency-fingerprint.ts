/** Tells whether a request that comes again is the same, without keeping what it said. */
import { createHmac } from 'node:crypto'
import { equalsConstantTime } from '../lib/constant-time.ts'
import { createKeyring, type DerivedKey } from '../lib/keyring.ts'
import { isPlainObject } from '../lib/plain-object.ts'

export interface Fingerprints {
  of(request: readonly unknown[]): string
  /** False also when the secret it was made with is no longer given. */
  matches(fingerprint: string, request: readonly unknown[]): boolean
}

/** JSON in which the order of members does not matter. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    isPlainObject(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  )
}

/** Keyed, since a body can hold a password: without the secret, no guess can be tried on it. */
function fingerprintWith(secret: DerivedKey, request: readonly unknown[]): string {
  return `${secret.fingerprint}.${createHmac('sha256', secret.key).update(canonicalJson(request)).digest('base64url')}`
}

/**
 * @param secrets root secrets, newest first; a fingerprint names its own, so that one may be rotated before a retry
 * @see RFC 2104 (HMAC)
 */
export function createFingerprints(secrets: readonly string[]): Fingerprints {
  const keyring = createKeyring(secrets, 'idempotency')
  return {
    of: (request) => fingerprintWith(keyring.current, request),
    matches(fingerprint, request) {
      const secret = keyring.find(fingerprint.slice(0, fingerprint.indexOf('.')))
      return secret !== undefined && equalsConstantTime(fingerprint, fingerprintWith(secret, request))
    },
  }
}
