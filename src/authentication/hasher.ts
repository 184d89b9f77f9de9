/** The keyed hash under which raw secrets are stored. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createKeyring } from '../lib/keyring.ts'

/** A hash and the fingerprint of the pepper that made it. */
export interface PepperedHash {
  readonly hash: string
  readonly pepper: string
}

export interface SecretHasher {
  /** HMAC-SHA-256 under the newest pepper. */
  hash(text: string): PepperedHash
  /** The same under every pepper that can still be checked, newest first. */
  hashes(text: string): readonly PepperedHash[]
  /** Constant time; false for null, after the same work. */
  matches(text: string, stored: PepperedHash | null): boolean
  /** Whether a hash was made under a pepper that can be checked: if not, no text can be called right or wrong. */
  isKnown(stored: PepperedHash): boolean
  /** Whether a hash was made under the newest pepper. */
  isCurrent(stored: PepperedHash): boolean
  /** Fingerprints of all peppers that can still be checked. */
  readonly known: readonly string[]
}

/**
 * @param secrets root secrets, newest first; each gives one pepper
 * @param purpose keys and tokens never share a pepper
 * @see RFC 2104 (HMAC), RFC 5869 (HKDF)
 */
export function createSecretHasher(
  secrets: readonly string[],
  purpose: 'api-key-pepper' | 'bearer-token-pepper',
): SecretHasher {
  const keyring = createKeyring(secrets, purpose)

  function hmac(key: Uint8Array, text: string): string {
    return createHmac('sha256', key).update(text).digest('base64url')
  }

  const decoy: PepperedHash = { hash: hmac(keyring.current.key, ''), pepper: keyring.current.fingerprint }

  return {
    known: keyring.fingerprints,
    hash: (text) => ({ hash: hmac(keyring.current.key, text), pepper: keyring.current.fingerprint }),
    hashes: (text) => keyring.all.map(({ key, fingerprint }) => ({ hash: hmac(key, text), pepper: fingerprint })),
    matches(text, stored) {
      const against = stored ?? decoy
      const pepper = keyring.find(against.pepper)
      const expected = Buffer.from(against.hash, 'latin1')
      const actual = Buffer.from(hmac((pepper ?? keyring.current).key, text), 'latin1')
      const isEqual = expected.length === actual.length && timingSafeEqual(expected, actual)
      return isEqual && stored !== null && pepper !== undefined
    },
    isKnown: (stored) => keyring.find(stored.pepper) !== undefined,
    isCurrent: (stored) => stored.pepper === keyring.current.fingerprint,
  }
}
