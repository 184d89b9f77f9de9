/** Base62 text: `0-9A-Za-z`, safe in headers, URLs, file names and double clicks. */

export const BASE62_ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The largest multiple of 62 in a byte; bytes from here on would make the first characters likelier. */
const FAIR_BYTES = 248

function fillRandom(bytes: Uint8Array): void {
  crypto.getRandomValues(bytes)
}

/**
 * Makes random base62 characters, each of the 62 exactly as likely (bytes that would bias it are drawn again).
 *
 * @param length number of characters; 43 carry 256 bits
 * @param random fills a buffer with random bytes; the platform's CSPRNG unless a test says otherwise
 * @example randomBase62(43)
 */
export function randomBase62(length: number, random: (bytes: Uint8Array) => void = fillRandom): string {
  const bytes = new Uint8Array(length + 8)
  let text = ''
  while (text.length < length) {
    random(bytes)
    for (const byte of bytes) {
      if (byte >= FAIR_BYTES) continue
      text += BASE62_ALPHABET[byte % 62]
      if (text.length === length) break
    }
  }
  return text
}

/**
 * Writes a number in base62 at a fixed width, with leading zeros.
 *
 * @param value a whole number from 0 to `Number.MAX_SAFE_INTEGER`
 * @param length number of characters
 * @throws RangeError when the value is not such a number or needs more characters
 * @example encodeBase62(61, 2) // '0z'
 */
export function encodeBase62(value: number, length: number): string {
  let rest = Number.isSafeInteger(value) && value >= 0 ? value : Number.NaN
  let text = ''
  for (let position = 0; position < length; position += 1) {
    text = BASE62_ALPHABET.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  if (rest !== 0) throw new RangeError(`${value} does not fit in ${length} base62 characters`)
  return text
}

/** 1 at the code of each character of the alphabet. */
const IN_ALPHABET = new Uint8Array(128)
for (const character of BASE62_ALPHABET) IN_ALPHABET[character.charCodeAt(0)] = 1

/** Whether a text, or its part from `start` to before `end`, is at least one base62 character and nothing else. */
export function isBase62(text: string, start = 0, end = text.length): boolean {
  if (start >= end || end > text.length) return false
  for (let index = start; index < end; index += 1) {
    if (IN_ALPHABET[text.charCodeAt(index)] !== 1) return false
  }
  return true
}
