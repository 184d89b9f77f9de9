/** Makes JWTs that no honest library would, with our own signing key or somebody else's. */
import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { open } from '../../src/lib/crypto.ts'
import { createKeyring } from '../../src/lib/keyring.ts'
import type { SigningKeyRecord } from '../../src/storage/records.ts'

type Json = Readonly<Record<string, unknown>>
/** Signs the signing input of a JWS, answers base64url. */
export type Signer = (input: string) => string

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The private JWK of a stored key. */
export function openSigningKey(record: SigningKeyRecord, secret: string): Json {
  const { key } = createKeyring([secret], 'signing-key-encryption').current
  return JSON.parse(open(key, record.encryptedPrivateJwk, record.kid))
}

export function createJwkSigner(jwk: Json): Signer {
  if (jwk.kty === 'oct') return createHmacSigner('sha256', Buffer.from(String(jwk.k), 'base64url'))
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  const isEc = jwk.kty === 'EC'
  return (input) =>
    sign(isEc ? 'sha256' : null, Buffer.from(input), isEc ? { key, dsaEncoding: 'ieee-p1363' } : key).toString(
      'base64url',
    )
}

export function createHmacSigner(hash: 'sha256' | 'sha384' | 'sha512', secret: string | Uint8Array): Signer {
  return (input) => createHmac(hash, secret).update(input).digest('base64url')
}

export const unsigned: Signer = () => ''

/** A compact JWS; header and payload are taken as they are. */
export function forge(header: Json, payload: unknown, signer: Signer): string {
  const input = `${encode(header)}.${encode(payload)}`
  return `${input}.${signer(input)}`
}
