/** What a cached credential is recognized by the next time, without being kept. */

const bytes = new Uint8Array(32)
const view = new DataView(bytes.buffer)

/** 53 bits each, as numbers in place: an array of its own would take four times as much. */
interface Digest {
  readonly first: number
  readonly second: number
  readonly third: number
  readonly fourth: number
}

/**
 * What a presented text must equal: 212 bits of its SHA-256, so that the cache holds no credential. A secret of 256
 * random bits needs no pepper in memory.
 *
 * A text is kept as it is where the kind says so: a JWT is long, dies within minutes, and whoever gets as far as its
 * slot already has its signature.
 */
export type Proof = Digest | string

/** Six bytes and five bits, from every eight. */
function partAt(offset: number): number {
  return view.getUint32(offset) * 0x20_00_00 + (view.getUint32(offset + 4) >>> 11)
}

export function proofOf(text: string): Digest {
  Bun.SHA256.hash(text, bytes)
  return { first: partAt(0), second: partAt(8), third: partAt(16), fourth: partAt(24) }
}

/**
 * Whether a text is the one that was proven. All parts are compared whatever the first ones say; and what time could
 * tell all the same is of a digest, which nobody can choose a text for.
 */
export function isProven(proof: Proof, text: string): boolean {
  if (typeof proof === 'string') return proof === text
  Bun.SHA256.hash(text, bytes)
  const difference =
    Math.abs(partAt(0) - proof.first) +
    Math.abs(partAt(8) - proof.second) +
    Math.abs(partAt(16) - proof.third) +
    Math.abs(partAt(24) - proof.fourth)
  return difference === 0
}
