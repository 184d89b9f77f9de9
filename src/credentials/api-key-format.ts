/**
 * The text of an API key: `<prefix>_<environment>_<id>_<secret><checksum>`.
 *
 * 16 base62 characters of id, 43 of secret (256 bits), and the CRC-32 of all before it in 6 base62 characters: a
 * typo, a truncated paste or a made-up key is refused without hashing or touching storage.
 */
import { isBase62, randomBase62 } from '../lib/base62.ts'
import { CHECKSUM_LENGTH, checksum } from '../lib/crc32.ts'
import type { Environment } from '../storage/records.ts'
import { ID_LENGTH, SECRET_LENGTH } from './lengths.ts'

/** `_<id>_<secret><checksum>`: fixed, so that the parts are found from the end without searching. */
const TAIL_LENGTH = 1 + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH
/** Where the id begins, from the end. */
export const ID_OFFSET = TAIL_LENGTH - 1

export interface ApiKeyText {
  /** `key_<id>`. */
  readonly id: string
  readonly environment: Environment
}

/** Whether a text claims to be one of our keys, by its prefix alone. */
export function hasApiKeyPrefix(prefix: string, text: string): boolean {
  return text.startsWith(prefix) && text.charCodeAt(prefix.length) === 95
}

/**
 * Makes a new key.
 *
 * @param prefix the first part, `mac` unless configured
 * @returns the record's id, the part shown afterwards, and the raw text that is shown once
 */
export function generateApiKey(
  prefix: string,
  environment: Environment,
): { readonly id: string; readonly shown: string; readonly raw: string } {
  const id = randomBase62(ID_LENGTH)
  const shown = `${prefix}_${environment}_${id}`
  const body = `${shown}_${randomBase62(SECRET_LENGTH)}`
  return { id: `key_${id}`, shown, raw: body + checksum(body) }
}

/** The 16 characters of id at their fixed place from the end; meaningless unless the rest is checked too. */
export function apiKeyIdAt(text: string): string {
  return text.slice(-ID_OFFSET, -ID_OFFSET + ID_LENGTH)
}

/**
 * Reads a key's text; null for anything that this library cannot have made.
 *
 * Does not check that the key exists or that its secret is right.
 */
export function parseApiKey(prefix: string, text: string): ApiKeyText | null {
  const head = text.length - TAIL_LENGTH
  // Both environments have four letters.
  if (head !== prefix.length + 5) return null
  if (!hasApiKeyPrefix(prefix, text)) return null
  const environment = text.slice(prefix.length + 1, head)
  if (environment !== 'live' && environment !== 'test') return null
  if (text.charCodeAt(head) !== 95 || text.charCodeAt(head + 1 + ID_LENGTH) !== 95) return null
  const id = apiKeyIdAt(text)
  if (!isBase62(id) || !isBase62(text.slice(head + ID_LENGTH + 2))) return null
  const body = text.slice(0, -CHECKSUM_LENGTH)
  if (checksum(body) !== text.slice(-CHECKSUM_LENGTH)) return null
  return { id: `key_${id}`, environment }
}
