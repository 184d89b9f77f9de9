/** Texts that were wrong a moment ago: whoever repeats one has storage asked no more than once a second. */
import { dropOldest } from '../lib/drop-oldest.ts'
import type { Refusal } from './principal.ts'
import { isProven, type Proof, proofOf } from './proof.ts'

/** ms. A wrong text becomes a right one only when a row is put into storage by other hands: so long that goes unseen. */
const TTL = 1000
/** So many, however many are tried. */
const MOST = 1000

interface Refused {
  readonly proof: Proof
  readonly refused: Refusal
  /** ms */
  readonly at: number
  readonly generation: number
}

export class RefusedTexts {
  /** By a part of the digest; the one refused longest ago comes first. */
  readonly #texts = new Map<number, Refused>()

  /** @param generation of the cache: a refusal counts only until anything is changed */
  note(text: string, refused: Refusal, at: number, generation: number): void {
    const proof = proofOf(text)
    this.#texts.delete(proof.first)
    this.#texts.set(proof.first, { proof, refused, at, generation })
    if (this.#texts.size > MOST) dropOldest(this.#texts)
  }

  /** What a text was refused with, if that was just now. @param now ms */
  recall(text: string, now: number, generation: number): Refusal | undefined {
    if (this.#texts.size === 0) return undefined
    const known = this.#texts.get(proofOf(text).first)
    if (known === undefined || known.generation !== generation) return undefined
    // A clock that was set back makes nothing wrong for longer.
    if (now < known.at || now >= known.at + TTL) return undefined
    return isProven(known.proof, text) ? known.refused : undefined
  }
}
