/** Texts of keys that were made elsewhere: which ones may be, and what they are found by. */
import { hasApiKeyPrefix } from '../../credentials/api-key-format.ts'
import type { HashKind } from '../../options/hash-kind.ts'
import type { SecretHasher } from '../hasher.ts'

/** Visible ASCII without comma and quote, as headers carry it. */
const TEXT = /^[\x21\x23-\x2b\x2d-\x7e]{8,256}$/

const IMPORTED = 'import:'

/** What stands in place of a pepper's fingerprint while a key has the hash it came with. */
export function importPepper(kind: string): string {
  return IMPORTED + kind
}

/** The kind of a key that has the hash it came with; null for one that is hashed as ours are. */
export function kindOfPepper(pepper: string): string | null {
  return pepper.startsWith(IMPORTED) ? pepper.slice(IMPORTED.length) : null
}

/** What an imported key is found by until it is hashed as ours are. */
export function importLookup(kind: string, lookup: string): string {
  return `${kind}:${lookup}`
}

/** What it is found by afterwards. */
export function adoptedLookup(hash: string): string {
  return `hmac:${hash}`
}

export interface ForeignTextsOptions {
  /** The first part of our own keys. */
  readonly prefix: string
  readonly kinds: readonly HashKind[]
  readonly hasher: SecretHasher
}

export class ForeignTexts {
  readonly #options: ForeignTextsOptions
  #isOpen: boolean
  #isSecretDoubted = false

  constructor(options: ForeignTextsOptions) {
    this.#options = options
    this.#isOpen = options.kinds.length > 0
  }

  /** Has foreign texts looked up from now on: some key of one is stored. Its kind is not needed any more. */
  open(): void {
    this.#isOpen = true
  }

  /** Hears that no imported key that was used is of a secret that is given: almost surely a wrong one was given. */
  doubtSecret(): void {
    this.#isSecretDoubted = true
  }

  /** Then a text that is not found cannot be called wrong, and no key is hashed under a secret that others lack. */
  get isSecretDoubted(): boolean {
    return this.#isSecretDoubted
  }

  /** Whether a text may be a key made elsewhere. One that claims to be ours is not: a typo in it costs no look-up. */
  claims(text: string): boolean {
    if (!this.#isOpen || !TEXT.test(text)) return false
    const { prefix } = this.#options
    if (!hasApiKeyPrefix(prefix, text)) return true
    return !text.startsWith('live_', prefix.length + 1) && !text.startsWith('test_', prefix.length + 1)
  }

  /** What a text is found by, the likeliest first; empty for a text that is not claimed. */
  lookupsOf(text: string): readonly string[] {
    if (!this.claims(text)) return []
    const { hasher, kinds } = this.#options
    const lookups = hasher.hashes(text).map(({ hash }) => adoptedLookup(hash))
    for (const kind of kinds) {
      const lookup = kind.lookupOf(text)
      if (lookup !== null) lookups.push(importLookup(kind.name, lookup))
    }
    return lookups
  }
}
