/** Keys of systems that stored their SHA-256. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { HashKind } from '../../options/hash-kind.ts'

const HEX = /^[0-9a-f]{64}$/i
/** The last character of 43 carries four bits: sixteen of the alphabet can stand there. */
const BASE64 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/** The digest as lower-case hex; null for a text that is none. */
function parseDigest(text: string): string | null {
  if (HEX.test(text)) return text.toLowerCase()
  const plain = text.replace(/=$/, '').replaceAll('+', '-').replaceAll('/', '_')
  return BASE64.test(plain) ? Buffer.from(plain, 'base64url').toString('hex') : null
}

function createKind(name: string, suffix: string): HashKind {
  const digest = (text: string) => createHash('sha256').update(text).update(suffix).digest()
  return Object.freeze({
    name,
    isSlow: false,
    lookupOf: (text: string) => digest(text).toString('hex'),
    parse(hash: string) {
      const canonical = parseDigest(hash)
      return canonical === null ? null : { hash: canonical, lookup: canonical }
    },
    verify(text: string, hash: string) {
      const expected = Buffer.from(hash, 'hex')
      const actual = digest(text)
      return expected.length === actual.length && timingSafeEqual(expected, actual)
    },
  })
}

/**
 * Keys stored as SHA-256 of their text, in hex or base64url.
 *
 * @see FIPS 180-4
 * @example machineAuth({ apiKeys: { importKinds: [sha256()] } })
 */
export function sha256(): HashKind {
  return createKind('sha256', '')
}

/**
 * Keys stored as SHA-256 of their text and a secret suffix (a "pepper"), in hex or base64url. The suffix stays in
 * memory: it is stored and shown nowhere.
 *
 * @param suffix what was put after every key before it was hashed
 * @param name told apart from other kinds by it, where there is more than one suffix
 * @throws TypeError when the suffix is empty
 * @example machineAuth({ apiKeys: { importKinds: [sha256Pepper(process.env.OLD_PEPPER ?? '')] } })
 */
export function sha256Pepper(suffix: string, name = 'sha256-pepper'): HashKind {
  if (typeof suffix !== 'string' || suffix === '') {
    throw new TypeError(
      'sha256Pepper(suffix): give the pepper that the keys were hashed with; without one use sha256()',
    )
  }
  return createKind(name, suffix)
}
