/**
 * The other secrets we hand out. None contains a dot, so none can be taken for a JWT.
 *
 * | what | text |
 * | --- | --- |
 * | opaque bearer token | `mat_<id>_<secret><checksum>` |
 * | refresh token | `mar_<id>_<sequence>_<mac>` |
 * | session cookie | `<id><secret>` |
 */
import { isBase62, randomBase62 } from '../lib/base62.ts'
import { CHECKSUM_LENGTH, checksum } from '../lib/crc32.ts'
import { ID_LENGTH, SECRET_LENGTH } from './lengths.ts'

const BEARER_PREFIX = 'mat_'
const BEARER_LENGTH = BEARER_PREFIX.length + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH

/** Makes a new opaque bearer token; `raw` is shown once. */
export function generateBearerToken(): { readonly id: string; readonly raw: string } {
  const id = randomBase62(ID_LENGTH)
  const body = `${BEARER_PREFIX}${id}_${randomBase62(SECRET_LENGTH)}`
  return { id: `tok_${id}`, raw: body + checksum(body) }
}

/** Where the id of a bearer token begins. */
export const BEARER_ID_OFFSET = BEARER_PREFIX.length

/** Whether a text claims to be one of our bearer tokens. */
export function hasBearerForm(text: string): boolean {
  return text.length === BEARER_LENGTH && text.startsWith(BEARER_PREFIX)
}

/** The record id in a bearer token's text, or null when this library cannot have made it. */
export function parseBearerToken(text: string): string | null {
  if (!hasBearerForm(text)) return null
  const idEnd = BEARER_PREFIX.length + ID_LENGTH
  const id = text.slice(BEARER_PREFIX.length, idEnd)
  if (text.charCodeAt(idEnd) !== 95 || !isBase62(id) || !isBase62(text.slice(idEnd + 1))) return null
  if (checksum(text.slice(0, -CHECKSUM_LENGTH)) !== text.slice(-CHECKSUM_LENGTH)) return null
  return `tok_${id}`
}

const REFRESH_PREFIX = 'mar_'
/** HMAC-SHA-256 in base64url. */
const MAC_LENGTH = 43
const MAX_SEQUENCE_DIGITS = 10
const MAC_TEXT = /^[A-Za-z0-9_-]{43}$/
const SEQUENCE_TEXT = /^(?:0|[1-9][0-9]{0,9})$/

export interface RefreshTokenText {
  /** `rt_<id>` of the family. */
  readonly familyId: string
  readonly sequence: number
  /** base64url of the MAC; not yet checked. */
  readonly mac: string
}

/** Writes a refresh token. */
export function formatRefreshToken(familyId: string, sequence: number, mac: string): string {
  return `${REFRESH_PREFIX}${familyId.slice(3)}_${sequence}_${mac}`
}

/** Reads a refresh token's text; null for anything that this library cannot have made. */
export function parseRefreshToken(text: string): RefreshTokenText | null {
  const fixed = REFRESH_PREFIX.length + ID_LENGTH + 2 + MAC_LENGTH
  if (text.length < fixed + 1 || text.length > fixed + MAX_SEQUENCE_DIGITS) return null
  if (!text.startsWith(REFRESH_PREFIX)) return null
  const idEnd = REFRESH_PREFIX.length + ID_LENGTH
  const macStart = text.length - MAC_LENGTH
  if (text.charCodeAt(idEnd) !== 95 || text.charCodeAt(macStart - 1) !== 95) return null
  const id = text.slice(REFRESH_PREFIX.length, idEnd)
  const sequence = text.slice(idEnd + 1, macStart - 1)
  const mac = text.slice(macStart)
  if (!isBase62(id) || !SEQUENCE_TEXT.test(sequence) || !MAC_TEXT.test(mac)) return null
  return { familyId: `rt_${id}`, sequence: Number(sequence), mac }
}

/** Makes a new session cookie value; only its SHA-256 is stored. */
export function generateSessionText(): { readonly id: string; readonly raw: string } {
  const id = randomBase62(ID_LENGTH)
  return { id: `sess_${id}`, raw: id + randomBase62(SECRET_LENGTH) }
}

/** Whether a cookie value has the form of a session. */
export function isSessionText(text: string): boolean {
  return text.length === ID_LENGTH + SECRET_LENGTH && isBase62(text)
}

/** A fresh identifier such as `org_…`: 16 base62 characters behind a prefix. */
export function generateId(prefix: 'org' | 'user' | 'sess' | 'rt' | 'evt' | 'blk'): string {
  return `${prefix}_${randomBase62(ID_LENGTH)}`
}
