/** The names under which limits are in Redis: whoever has no key of ours can neither read a subject nor try one out. */
import type { Rate } from '../rate.ts'
import { letterOf } from './strategy.ts'

/** Characters of base64url: 162 bits. */
const LENGTH = 27

/** What must be equal for two rates to be counted in one state: processes of two versions of an app may differ in it. */
function formOf(rate: Rate): string {
  const letter = letterOf(rate)
  return letter === 'b' ? `b${rate.window}/${rate.limit}/${rate.burst}` : `${letter}${rate.window}`
}

export class LimitKeys {
  readonly #name: string
  /** Copied for each name: a fourth of what making one costs. */
  readonly #hasher: Bun.CryptoHasher

  /**
   * @param name the app's own in Redis, which can be read in each name
   * @param nameKey the same in all processes of the app, and no others'
   */
  constructor(name: string, nameKey: Uint8Array) {
    this.#name = name
    this.#hasher = new Bun.CryptoHasher('sha256', nameKey)
  }

  rate(place: string, rate: Rate, subject: string): string {
    return `${this.#name}:l:${this.#hashOf(formOf(rate), place, subject)}`
  }

  concurrency(place: string, subject: string): string {
    return `${this.#name}:c:${this.#hashOf('', place, subject)}`
  }

  #hashOf(form: string, place: string, subject: string): string {
    // With its length before it, no place and subject read like another two.
    const text = `${form} ${place.length}:${place}${subject}`
    return this.#hasher.copy().update(text).digest('base64url').slice(0, LENGTH)
  }
}
