/** Metadata that an app attaches to a key. */
import { isPlainObject } from '../lib/plain-object.ts'
import { UNSAFE_MEMBERS } from '../lib/unsafe-members.ts'

export type Metadata = Readonly<Record<string, unknown>>

const MAX_BYTES = 4096
const MAX_DEPTH = 16

const ACCEPTED = `must be a JSON object of at most ${MAX_BYTES} bytes, ${MAX_DEPTH} levels deep`

/** Why a value cannot be stored, or null. */
function mistakeIn(value: unknown, depth: number): string | null {
  if (depth > MAX_DEPTH) return ACCEPTED
  switch (typeof value) {
    case 'boolean':
      return null
    case 'string':
      // PostgreSQL stores neither in JSON.
      return value.isWellFormed() && !value.includes('\0') ? null : 'must hold well-formed text without NUL'
    case 'number':
      return Number.isFinite(value) ? null : ACCEPTED
    case 'object':
      return value === null ? null : mistakeInMembers(value, depth)
    default:
      return ACCEPTED
  }
}

function mistakeInMembers(value: object, depth: number): string | null {
  if (!Array.isArray(value) && !isPlainObject(value)) return ACCEPTED
  for (const [name, member] of Object.entries(value)) {
    if (UNSAFE_MEMBERS.has(name)) return 'must not have members named __proto__, constructor or prototype'
    const mistake = mistakeIn(name, depth) ?? mistakeIn(member, depth + 1)
    if (mistake !== null) return mistake
  }
  return null
}

/** What is wrong with a key's metadata, or null. */
export function metadataMistake(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return ACCEPTED
  const mistake = mistakeIn(value, 0)
  if (mistake !== null) return mistake
  return Buffer.byteLength(JSON.stringify(value)) > MAX_BYTES ? ACCEPTED : null
}
