/**
 * Keys derived from the root secret, and what is sealed under them.
 *
 * @see RFC 5869 (HKDF), NIST SP 800-38D (GCM)
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** What a derived key is for. Two purposes never share a key. */
export type KeyPurpose =
  | 'api-key-pepper'
  | 'bearer-token-pepper'
  | 'signing-key-encryption'
  | 'refresh-token'
  | 'login-account'
  | 'audit-log'
  | 'idempotency'
  | 'shared-limits'

/**
 * Derives a key from a root secret by HKDF-SHA-256.
 *
 * @param secret the root secret; its UTF-8 bytes count
 * @param purpose separates keys of one secret from each other
 * @param length bytes
 * @see RFC 5869
 */
export function derive(secret: string, purpose: KeyPurpose, length = 32): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `machine-auth/v1/${purpose}`, length))
}

/** Names a key without revealing it: 16 hex characters of a hash that is used for nothing else. */
export function fingerprint(key: Uint8Array): string {
  return new Bun.SHA256().update('machine-auth/v1/fingerprint\0').update(key).digest('hex').slice(0, 16)
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = 'v1.'

/**
 * Encrypts and authenticates a text with AES-256-GCM under a fresh random nonce.
 *
 * @param key 32 bytes
 * @param aad what the text belongs to (for example the id of its row); `open` must be given the same
 * @returns `v1.` and base64url
 * @see NIST SP 800-38D
 */
export function seal(key: Uint8Array, plaintext: string, aad: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(aad))
  const body = Buffer.concat([nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return VERSION + body.toString('base64url')
}

/**
 * Decrypts what `seal` made.
 *
 * @throws Error when the key or `aad` is another, or the text was altered
 */
export function open(key: Uint8Array, sealed: string, aad: string): string {
  try {
    if (!sealed.startsWith(VERSION)) throw new TypeError('unknown version')
    const body = Buffer.from(sealed.slice(VERSION.length), 'base64url')
    if (body.length < NONCE_BYTES + TAG_BYTES) throw new TypeError('too short')
    const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(aad))
    decipher.setAuthTag(body.subarray(-TAG_BYTES))
    return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    // Without the cause: OpenSSL's words help nobody, and must not carry bytes of the value into a log.
    throw new Error('A sealed value does not open: it was sealed under another secret, moved, or altered')
  }
}
