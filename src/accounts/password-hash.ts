/**
 * The password hashes that are understood, in their standard text forms.
 *
 * @see RFC 9106 (Argon2), and "A Future-Adaptable Password Scheme" (bcrypt)
 */

/** OWASP's minimum for argon2id: 19 MiB and two passes. */
export const ARGON2_MEMORY_KIB = 19_456
export const ARGON2_PASSES = 2

/** bcrypt reads no more: what comes after is refused instead of ignored. */
export const BCRYPT_MAX_BYTES = 72

export type PasswordHash =
  | { readonly kind: 'argon2id'; readonly memory: number; readonly passes: number }
  | { readonly kind: 'bcrypt'; readonly cost: number }

const ARGON2ID =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,6}),t=([1-9]\d?),p=([1-9]\d?)\$[A-Za-z0-9+/]{11,88}\$[A-Za-z0-9+/]{22,88}$/
const BCRYPT = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$/

/** Dearer ones would let a stored hash stall the server. */
const MAX_MEMORY_KIB = 262_144
const MAX_PASSES = 10
const MAX_BCRYPT_COST = 15

/** Reads a hash's parameters; null for what is not a hash that can be checked at a bearable cost. */
export function parsePasswordHash(text: string): PasswordHash | null {
  const argon2 = ARGON2ID.exec(text)
  if (argon2 !== null) {
    const [memory = 0, passes = 0] = argon2.slice(1).map(Number)
    return memory <= MAX_MEMORY_KIB && passes <= MAX_PASSES ? { kind: 'argon2id', memory, passes } : null
  }
  const bcrypt = BCRYPT.exec(text)
  if (bcrypt === null) return null
  const cost = Number(bcrypt[1])
  return cost >= 4 && cost <= MAX_BCRYPT_COST ? { kind: 'bcrypt', cost } : null
}

/** Whether a hash is weaker than the ones made now. */
export function isOutdated(hash: PasswordHash): boolean {
  return hash.kind === 'bcrypt' || hash.memory < ARGON2_MEMORY_KIB || hash.passes < ARGON2_PASSES
}
