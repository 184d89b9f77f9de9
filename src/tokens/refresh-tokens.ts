/**
 * How refresh tokens are made and recognized: each is a MAC over its family's random bytes and its number, so that a
 * successor can be answered again without being stored, and a leaked secret alone forges none.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { formatRefreshToken } from '../credentials/secret-text.ts'
import { createKeyring, type DerivedKey } from '../lib/keyring.ts'
import type { RefreshFamilyRecord } from '../storage/records.ts'

const NONCE_BYTES = 32

type FamilySecret = Pick<RefreshFamilyRecord, 'id' | 'nonce' | 'secretFingerprint'>

/** What a new family needs to make tokens. */
export interface NewFamilySecret {
  /** 32 random bytes, base64url. */
  readonly nonce: string
  readonly secretFingerprint: string
}

export interface RefreshTokens {
  createSecret(): NewFamilySecret
  /**
   * The text of a family's token of that number.
   *
   * @throws Error when the family's secret is no longer given
   */
  format(family: FamilySecret, sequence: number): string
  /** Whether the family's secret is given: if not, no token of it can be called right or wrong. */
  isKnown(family: FamilySecret): boolean
  /** Whether a MAC is right, in constant time; false for null, after the same work. */
  matches(family: FamilySecret | null, sequence: number, mac: string): boolean
}

/**
 * @param secrets root secrets, newest first; families name theirs by fingerprint
 * @see RFC 2104 (HMAC)
 */
export function createRefreshTokens(secrets: readonly string[]): RefreshTokens {
  const keyring = createKeyring(secrets, 'refresh-token')

  function macOf({ key }: DerivedKey, nonce: string, sequence: number): string {
    const number = Buffer.alloc(8)
    number.writeBigUInt64BE(BigInt(sequence))
    return createHmac('sha256', key).update(Buffer.from(nonce, 'base64url')).update(number).digest('base64url')
  }

  return {
    createSecret() {
      const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(NONCE_BYTES))).toString('base64url')
      return { nonce, secretFingerprint: keyring.current.fingerprint }
    },

    format(family, sequence) {
      const key = keyring.find(family.secretFingerprint)
      if (key === undefined) throw new Error('The secret of this refresh family is no longer given')
      return formatRefreshToken(family.id, sequence, macOf(key, family.nonce, sequence))
    },

    isKnown: (family) => keyring.find(family.secretFingerprint) !== undefined,

    matches(family, sequence, mac) {
      const key = family === null ? undefined : keyring.find(family.secretFingerprint)
      const expected = Buffer.from(macOf(key ?? keyring.current, family?.nonce ?? '', sequence), 'latin1')
      const actual = Buffer.from(mac, 'latin1')
      const isEqual = expected.length === actual.length && timingSafeEqual(expected, actual)
      return isEqual && key !== undefined
    },
  }
}
