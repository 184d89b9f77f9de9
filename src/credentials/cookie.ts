/** One cookie out of a `Cookie` header, without building a jar. */

export type CookieValue =
  | { readonly kind: 'absent' }
  | { readonly kind: 'present'; readonly value: string }
  /** Two different values under one name: nobody can say which is meant. */
  | { readonly kind: 'ambiguous' }

const ABSENT: CookieValue = Object.freeze({ kind: 'absent' })
const AMBIGUOUS: CookieValue = Object.freeze({ kind: 'ambiguous' })

/**
 * Finds a cookie by its exact name.
 *
 * The value is returned as sent (RFC 6265 gives percent signs no meaning); surrounding quotes are not removed,
 * since no value of ours has any.
 */
export function findCookie(header: string, name: string): CookieValue {
  let found: string | null = null
  let start = 0
  while (start < header.length) {
    let end = header.indexOf(';', start)
    if (end === -1) end = header.length
    while (header.charCodeAt(start) === 32) start++
    if (header.startsWith(name, start) && header.charCodeAt(start + name.length) === 61) {
      const value = header.slice(start + name.length + 1, end).trimEnd()
      if (found !== null && found !== value) return AMBIGUOUS
      found = value
    }
    start = end + 1
  }
  return found === null ? ABSENT : { kind: 'present', value: found }
}

/**
 * A `Cookie` header without the cookies of one name, however they are spaced; the others stay as they were sent.
 *
 * @returns the same text when there is none of that name, an empty one when there is no other
 */
export function withoutCookie(header: string, name: string): string {
  const pairs = header.split(';')
  const kept = pairs.filter((pair) => pair.split('=', 1)[0]?.trim() !== name)
  return kept.length === pairs.length ? header : kept.join(';').trim()
}
