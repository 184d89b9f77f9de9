/**
 * CRC-32 as a checksum in credential texts: it tells a typing mistake from a credential without touching storage,
 * and lets secret scanners recognize leaked ones. It proves nothing.
 *
 * @see ISO 3309, RFC 1952 section 8 (the polynomial)
 */
import { encodeBase62 } from './base62.ts'

/** Characters of a checksum: 62^6 is above 2^32. */
export const CHECKSUM_LENGTH = 6

/** The CRC-32 of a text (its UTF-8 bytes), from 0 to 2^32 - 1. */
export function crc32(text: string): number {
  return Bun.hash.crc32(text)
}

/** The CRC-32 of a text as six base62 characters. */
export function checksum(text: string): string {
  return encodeBase62(crc32(text), CHECKSUM_LENGTH)
}
