/** Keys whose texts follow from their numbers: a million of them need no list. */

import { ID_LENGTH, SECRET_LENGTH } from '../../src/credentials/lengths.ts'
import { BASE62_ALPHABET } from '../../src/lib/base62.ts'
import { checksum } from '../../src/lib/crc32.ts'

/** Root secret of every database that the bench makes. */
export const SECRET = 'a-secret-of-the-bench-0123456789-abcdefghij'
export const MASTER_KEY = 'a-master-key-of-the-bench-0123456789-abcdef'

const digest = new Uint8Array(64)

/** As good as random for an index: ids of neighbours lie anywhere. Not for anything that must be secret. */
function charactersOf(index: number): string {
  Bun.SHA512.hash(`key ${index} of the bench`, digest)
  let text = ''
  for (const byte of digest) text += BASE62_ALPHABET.charAt(byte % 62)
  return text
}

/** The part of a key's text that may be shown. */
export function shownOf(index: number): string {
  return `mac_live_${charactersOf(index).slice(0, ID_LENGTH)}`
}

export function keyTextOf(index: number): string {
  const characters = charactersOf(index)
  const secret = characters.slice(ID_LENGTH, ID_LENGTH + SECRET_LENGTH)
  const body = `mac_live_${characters.slice(0, ID_LENGTH)}_${secret}`
  return body + checksum(body)
}
