/** The keyed hash under which raw secrets are stored. */
import { timingSafeEqual } from 'node:crypto'
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

/** HMAC-SHA-256, base64url. Copying a hasher that has its key costs a quarter of making one. */
function createHmac(key: Uint8Array): (text: string) => string {
  const keyed = new Bun.CryptoHasher('sha256', key)
  return (text) => keyed.copy().update(text).digest('base64url')
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
  const pepper = keyring.current.fingerprint
  const hmacs = new Map(keyring.all.map(({ key, fingerprint }) => [fingerprint, createHmac(key)]))
  const current = createHmac(keyring.current.key)
  const decoy: PepperedHash = { hash: current(''), pepper }

  return {
    known: keyring.fingerprints,
    hash: (text) => ({ hash: current(text), pepper }),
    hashes: (text) => Array.from(hmacs, ([fingerprint, hmac]) => ({ hash: hmac(text), pepper: fingerprint })),
    matches(text, stored) {
      const against = stored ?? decoy
      const known = hmacs.get(against.pepper)
      const expected = Buffer.from(against.hash, 'latin1')
      const actual = Buffer.from((known ?? current)(text), 'latin1')
      const isEqual = expected.length === actual.length && timingSafeEqual(expected, actual)
      return isEqual && stored !== null && known !== undefined
    },
    isKnown: (stored) => hmacs.has(stored.pepper),
    isCurrent: (stored) => stored.pepper === pepper,
  }
}
