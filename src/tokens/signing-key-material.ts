/**
 * Signing keys as they are made, stored and used.
 *
 * @see RFC 7517 (JWK), RFC 7638 (thumbprint), RFC 8037 (Ed25519)
 */
// Not all of jose: it takes as long again to load the parts that nobody here uses.
import type { CryptoKey, JWK } from 'jose'
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint'
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { importJWK } from 'jose/key/import'
import { randomBase62 } from '../lib/base62.ts'
import { open, seal } from '../lib/crypto.ts'
import type { DerivedKey } from '../lib/keyring.ts'
import type { SigningAlgorithm, SigningKeyRecord } from '../storage/records.ts'

/** RFC 7518 section 3.2: at least as long as the hash. */
const HS256_BYTES = 32

/** The members of a public JWK that are ever shown, whatever a row says. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y'] as const

async function generateJwks(algorithm: SigningAlgorithm): Promise<{ kid: string; secret: JWK; shown: JWK | null }> {
  if (algorithm === 'HS256') {
    const k = Buffer.from(crypto.getRandomValues(new Uint8Array(HS256_BYTES))).toString('base64url')
    // A thumbprint would be a hash of the secret: the name is random instead.
    return { kid: randomBase62(43), secret: { kty: 'oct', k }, shown: null }
  }
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const [secret, shown] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)])
  return { kid: await calculateJwkThumbprint(shown), secret, shown }
}

/**
 * Makes a new signing key, its private half sealed.
 *
 * @param now epoch ms
 */
export async function generateSigningKey(
  algorithm: SigningAlgorithm,
  encryptionKey: DerivedKey,
  now: number,
): Promise<SigningKeyRecord> {
  const { kid, secret, shown } = await generateJwks(algorithm)
  return {
    kid,
    algorithm,
    publicJwk: shown === null ? null : { ...shown },
    encryptedPrivateJwk: seal(encryptionKey.key, JSON.stringify(secret), kid),
    encryptionKey: encryptionKey.fingerprint,
    createdAt: now,
    retiredAt: null,
  }
}

/**
 * Opens the private half, for signing; for HS256 it verifies too.
 *
 * @throws Error when the row was sealed under another secret, moved or altered
 */
export async function importPrivateKey(record: SigningKeyRecord, encryptionKey: DerivedKey): Promise<CryptoKey> {
  const jwk: JWK = JSON.parse(open(encryptionKey.key, record.encryptedPrivateJwk, record.kid))
  return importKey(jwk, record.algorithm)
}

/** A shared secret comes out as bytes, which jose would import anew for every token. */
async function importKey(jwk: JWK, algorithm: SigningAlgorithm): Promise<CryptoKey> {
  const key = await importJWK(jwk, algorithm)
  if (!(key instanceof Uint8Array)) return key
  return crypto.subtle.importKey('raw', Uint8Array.from(key), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
    'verify',
  ])
}

/** The public half as `/.well-known/jwks.json` shows it; null for a shared secret. */
export function publicJwkOf({ publicJwk, kid, algorithm }: SigningKeyRecord): Readonly<Record<string, string>> | null {
  if (publicJwk === null || algorithm === 'HS256') return null
  const members = PUBLIC_MEMBERS.flatMap((name) => {
    const value = publicJwk[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return { ...Object.fromEntries(members), kid, alg: algorithm, use: 'sig' }
}

/** The public half, for verifying; null for a shared secret. */
export async function importPublicKey(record: SigningKeyRecord): Promise<CryptoKey | null> {
  const jwk = publicJwkOf(record)
  return jwk === null ? null : importKey({ ...jwk }, record.algorithm)
}
