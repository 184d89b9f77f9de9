/** Ids of imported keys. */
import { ID_LENGTH } from '../../credentials/lengths.ts'
import { BASE62_ALPHABET } from '../../lib/base62.ts'
import type { SecretHasher } from '../hasher.ts'

function toBase62(hash: string): string {
  let rest = BigInt(`0x${Buffer.from(hash, 'base64url').toString('hex')}`)
  let text = ''
  for (let position = 0; position < ID_LENGTH; position += 1) {
    text += BASE62_ALPHABET.charAt(Number(rest % 62n))
    rest /= 62n
  }
  return text
}

/**
 * The id that a key is imported under, and those it would have had under older secrets. Made of what it was found by:
 * so a list that is imported again adds nothing, and brings back no key that was revoked meanwhile, although its own
 * hash is gone since it was used. Keyed, so that an id tells nothing of a weak key; and so this holds only as long as
 * the secret of the import is among the secrets: afterwards nothing says that a key which was used was here before.
 *
 * @returns newest secret first
 */
export function importedIds(hasher: SecretHasher, lookup: string): readonly [string, ...string[]] {
  // With a line break, which no key's text has: never the hash of one.
  const [current, ...former] = hasher.hashes(`import\n${lookup}`).map(({ hash }) => `key_${toBase62(hash)}`)
  if (current === undefined) throw new TypeError('There is no secret')
  return [current, ...former]
}
