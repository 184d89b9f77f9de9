/** Looks for many credentials at once, in one pass over any bytes. */

export type CredentialKind =
  | 'API key'
  | 'opaque bearer token'
  | 'refresh token'
  | 'access token'
  | 'session'
  | 'root secret'
  | 'master key'
  | 'password'
  | 'private key'

/** A credential where none may be. What it says is nowhere in here. */
export interface Leak {
  readonly kind: CredentialKind
  /** Of its first byte that was found, from the beginning of what was looked through. */
  readonly offset: number
}

interface Known {
  readonly kind: CredentialKind
  /** What must be there as a whole; null where a part of it tells too much already. */
  readonly whole: Buffer | null
}

/** As long as chance will not make it: twelve random characters are 71 bits. */
const BLOCK = 12

/** One bit for each value of 24 bits. */
const FILTER_BYTES = 2 ** 21

/** The place of four bytes in a filter. */
function slotOf(window: number): number {
  return Math.imul(window, 0x9e3779b1) >>> 8
}

function add(filter: Uint8Array, window: number): void {
  const slot = slotOf(window)
  filter[slot >>> 3] = (filter[slot >>> 3] ?? 0) | (1 << (slot & 7))
}

function has(filter: Uint8Array, window: number): boolean {
  const slot = slotOf(window)
  return ((filter[slot >>> 3] ?? 0) & (1 << (slot & 7))) !== 0
}

/**
 * The credentials that are looked for.
 *
 * Of a random secret each block of twelve characters is known, so that any part of 23 characters is found. Four bytes
 * at a time go through a filter of bits, and the four after them through a second one; what passes both is looked up.
 */
export class CredentialSearch {
  readonly #filter = new Uint8Array(FILTER_BYTES)
  readonly #second = new Uint8Array(FILTER_BYTES)
  /** Texts of people may begin alike. */
  readonly #blocks = new Map<string, Known[]>()
  readonly #texts = new Set<string>()

  /** How many are known. */
  get size(): number {
    return this.#texts.size
  }

  /**
   * Makes a credential known. Does not take one of less than 12 bytes: other texts hold such words as well.
   *
   * @param secret the part of its text that is secret
   * @param isWords whether people thought of it: its parts are words, and it is found as a whole only
   */
  note(kind: CredentialKind, secret: string, isWords = false): void {
    if (this.#texts.has(secret)) return
    const bytes = Buffer.from(secret)
    if (bytes.length < BLOCK) return
    this.#texts.add(secret)
    const known: Known = { kind, whole: isWords ? bytes : null }
    const last = isWords ? 0 : bytes.length - BLOCK
    for (let start = 0; start <= last; start += BLOCK) this.#index(bytes, start, known)
  }

  #index(bytes: Buffer, start: number, known: Known): void {
    const block = bytes.toString('latin1', start, start + BLOCK)
    const others = this.#blocks.get(block)
    if (others === undefined) this.#blocks.set(block, [known])
    else others.push(known)
    add(this.#filter, bytes.readInt32BE(start))
    add(this.#second, bytes.readInt32BE(start + 4))
  }

  /** Finds what is known, each part of each credential. */
  find(bytes: Uint8Array): readonly Leak[] {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const leaks: Leak[] = []
    const [filter, second] = [this.#filter, this.#second]
    let window = 0
    // Where less than a block is left, nothing is found any more.
    const last = text.length - BLOCK + 3
    for (let end = 0; end <= last; end += 1) {
      window = (window << 8) | (text[end] ?? 0)
      if (!has(filter, window) || !has(second, text.readInt32BE(end + 1))) continue
      const leak = this.#leakAt(text, end - 3)
      if (leak !== null) leaks.push(leak)
    }
    return leaks
  }

  #leakAt(text: Buffer, offset: number): Leak | null {
    if (offset < 0) return null
    const known = this.#blocks
      .get(text.toString('latin1', offset, offset + BLOCK))
      ?.find(({ whole }) => whole === null || whole.equals(text.subarray(offset, offset + whole.length)))
    return known === undefined ? null : { kind: known.kind, offset }
  }
}
