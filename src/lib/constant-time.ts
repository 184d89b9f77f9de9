import { timingSafeEqual } from 'node:crypto'

/** UTF-16, so that texts differing only in a lone surrogate stay different. */
function digest(text: string): NodeJS.TypedArray {
  return Bun.SHA256.hash(Buffer.from(text, 'utf16le'))
}

/**
 * Compares two texts in a time that depends on neither content nor on where they differ. Both are hashed first,
 * so that their lengths need not agree and do not show.
 */
export function equalsConstantTime(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b))
}
