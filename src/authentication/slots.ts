/** Where a cache looks for a credential: a number, since a part cut out of a text keeps the whole text in memory. */

/** Of a text's characters, six bits each: as many as a number holds. */
const CHARACTERS = 4

function bitsAt(text: string, at: number): number {
  let bits = 0
  for (let index = at; index < at + CHARACTERS; index += 1) bits = (bits << 6) | (text.charCodeAt(index) & 63)
  return bits
}

/**
 * The slot that eight characters name. Two credentials may share one, and then take turns in it: what is in a slot is
 * believed only when the whole text is right.
 *
 * @param at where they begin; any text may come
 */
export function slotAt(text: string, at: number): number {
  return bitsAt(text, at) * 0x1_00_00_00 + bitsAt(text, at + CHARACTERS)
}

/** The slot of a text of which no part is known to be no secret. */
export function slotOfDigest(text: string): number {
  return Number.parseInt(Bun.SHA256.hash(text, 'hex').slice(0, 13), 16)
}
