import { derive, fingerprint, type KeyPurpose } from './crypto.ts'

/** A derived key and the name by which stored rows mention it. */
export interface DerivedKey {
  readonly fingerprint: string
  readonly key: Uint8Array
}

/** The derived keys of one purpose: the newest makes, all of them check. */
export interface Keyring {
  readonly current: DerivedKey
  /** The key of that name, or undefined when its secret is no longer given. */
  find(fingerprint: string): DerivedKey | undefined
  /** Newest first, each once. */
  readonly all: readonly DerivedKey[]
  /** Newest first. */
  readonly fingerprints: readonly string[]
}

/**
 * Derives the keys of one purpose from every given secret.
 *
 * @param secrets root secrets, newest first, at least one
 * @throws TypeError when there is none
 */
export function createKeyring(secrets: readonly string[], purpose: KeyPurpose): Keyring {
  const keys = secrets.map((secret): DerivedKey => {
    const key = derive(secret, purpose)
    return { fingerprint: fingerprint(key), key }
  })
  const current = keys[0]
  if (current === undefined) throw new TypeError('A keyring needs at least one secret')
  const byFingerprint = new Map(keys.map((key) => [key.fingerprint, key]))
  return {
    current,
    find: (name) => byFingerprint.get(name),
    all: Object.freeze([...byFingerprint.values()]),
    fingerprints: Object.freeze([...byFingerprint.keys()]),
  }
}
