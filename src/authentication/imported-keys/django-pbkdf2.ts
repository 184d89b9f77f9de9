/** Keys of Django, as djangorestframework-api-key stores them. */
import { pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import type { HashKind } from '../../options/hash-kind.ts'

/** On a thread of its own, so that the others go on meanwhile. */
const derive = promisify(pbkdf2)

/** `pbkdf2_sha256$<iterations>$<salt>$<base64 of 32 bytes>`. */
const HASH = /^pbkdf2_sha256\$([1-9][0-9]{0,6})\$([\x21-\x23\x25-\x7e]{1,128})\$([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)$/
/** About a second of one core. */
const MAX_ITERATIONS = 2_000_000
const PREFIX = /^[A-Za-z0-9_-]{1,64}$/

function read(hash: string): { readonly iterations: number; readonly salt: string; readonly derived: Buffer } | null {
  const [, iterations = '', salt = '', derived = ''] = HASH.exec(hash) ?? []
  if (derived === '' || Number(iterations) > MAX_ITERATIONS) return null
  return { iterations: Number(iterations), salt, derived: Buffer.from(derived, 'base64') }
}

/** What stands before the first dot of a key. */
function prefixOf(text: string): string | null {
  const dot = text.indexOf('.')
  const prefix = dot === -1 ? '' : text.slice(0, dot)
  return dot < text.length - 1 && PREFIX.test(prefix) ? prefix : null
}

/**
 * Keys stored by Django's `make_password` as `pbkdf2_sha256$…`: `<prefix>.<secret>`, found by their prefix and hashed
 * as a whole. At most 2,000,000 iterations.
 *
 * @see RFC 8018 section 5.2 (PBKDF2)
 * @example machineAuth({ apiKeys: { importKinds: [djangoPbkdf2()] } })
 */
export function djangoPbkdf2(): HashKind {
  return Object.freeze({
    name: 'django-pbkdf2',
    isSlow: true,
    lookupOf: prefixOf,
    parse(hash: string, prefix: string | null) {
      return prefix !== null && PREFIX.test(prefix) && read(hash) !== null ? { hash, lookup: prefix } : null
    },
    async verify(text: string, hash: string) {
      const stored = read(hash)
      if (stored === null) return false
      const { iterations, salt, derived } = stored
      return timingSafeEqual(await derive(text, salt, iterations, derived.length, 'sha256'), derived)
    },
  })
}
