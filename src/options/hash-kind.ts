/** How keys that were made and hashed elsewhere are recognized: `apiKeys.importKinds`. */

/** What an imported hash is stored as. */
export interface ParsedHash {
  /** The hash in the one form that `verify` reads. */
  readonly hash: string
  /** What a text of it is found by: the same that `lookupOf` says of the right text. */
  readonly lookup: string
}

/**
 * One way in which another system stored its keys. It is needed until each imported key was used once: then the key
 * is hashed as our own ones are.
 *
 * @example
 * const sha512: HashKind = {
 *   name: 'sha512',
 *   isSlow: false,
 *   lookupOf: (text) => new Bun.SHA512().update(text).digest('hex'),
 *   parse: (hash) => (/^[0-9a-f]{128}$/.test(hash) ? { hash, lookup: hash } : null),
 *   verify: (text, hash) => timingSafeEqual(new Bun.SHA512().update(text).digest(), Buffer.from(hash, 'hex')),
 * }
 */
export interface HashKind {
  /** Its name at import: lower-case letters, digits and `-`, a letter first, at most 32. Never changed later. */
  readonly name: string
  /** Whether verifying takes long on purpose (PBKDF2, bcrypt): then few run at once. */
  readonly isSlow: boolean
  /**
   * What a presented text is found by: its digest where the hash has no salt, else a part of it that is no secret.
   * Called for texts of unknown callers: quick, without throwing. Null for a text that cannot be of this kind.
   *
   * @param text 8 to 256 characters of visible ASCII
   */
  lookupOf(text: string): string | null
  /**
   * Reads a hash at import; null for what is none of this kind, or would take too long to verify.
   *
   * @param prefix the visible part of the key, where one was given with it
   */
  parse(hash: string, prefix: string | null): ParsedHash | null
  /** Whether a text is the one that was hashed. Compares in constant time. */
  verify(text: string, hash: string): boolean | Promise<boolean>
}

const NAME = /^[a-z][a-z0-9-]{0,31}$/

/** The name under which our own hashes are found. */
const RESERVED = 'hmac'

/** Whether a value has everything a kind of hash needs. */
export function isHashKind(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { name, isSlow, lookupOf, parse, verify } = value as Partial<Record<keyof HashKind, unknown>>
  if (typeof name !== 'string' || !NAME.test(name) || name === RESERVED || typeof isSlow !== 'boolean') return false
  return [lookupOf, parse, verify].every((member) => typeof member === 'function')
}
