/** Finds what has the form of a credential of ours, whoever made it: processes that tests start make some too. */
import { CHECKSUM_LENGTH, checksum } from '../../../src/lib/crc32.ts'
import type { CredentialKind, Leak } from './search.ts'

interface Shape {
  readonly kind: CredentialKind
  readonly pattern: RegExp
  /** Whether it ends with a checksum, of all before it and of a prefix of up to so many characters. */
  readonly checked: number | null
}

const SHAPES: readonly Shape[] = [
  { kind: 'API key', pattern: /_(?:live|test)_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}/g, checked: 20 },
  { kind: 'opaque bearer token', pattern: /mat_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}/g, checked: 0 },
  { kind: 'refresh token', pattern: /mar_[0-9A-Za-z]{16}_\d{1,10}_[\w-]{43}/g, checked: null },
  { kind: 'access token', pattern: /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{43,}/g, checked: null },
]

/** Whether its last characters are the checksum of what is before them. */
function isChecked(text: string, start: number, end: number, prefix: number): boolean {
  const given = text.slice(end - CHECKSUM_LENGTH, end)
  for (let length = 0; length <= prefix; length += 1) {
    if (checksum(text.slice(Math.max(0, start - length), end - CHECKSUM_LENGTH)) === given) return true
  }
  return false
}

/** @param text latin1, so that offsets are those of bytes */
export function findShapes(text: string): readonly Leak[] {
  return SHAPES.flatMap(({ kind, pattern, checked }) =>
    [...text.matchAll(pattern)]
      .filter(({ index, 0: found }) => checked === null || isChecked(text, index, index + found.length, checked))
      .map(({ index }) => ({ kind, offset: index })),
  )
}
