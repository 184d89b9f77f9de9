/** The grammar of role, module and permission names: lower-case segments joined by `.`. */

/** A segment is not a name that means something to JavaScript objects. */
const SEGMENT = '(?!(?:__proto__|constructor|prototype)(?:\\.|$))[a-z0-9_-]+'

/** One segment, at most 128 characters. */
export const SEGMENT_PATTERN = `^(?=.{1,128}$)${SEGMENT}$`
/** Segments joined by `.`, at most 128 characters. */
export const NAME_PATTERN = `^(?=.{1,128}$)${SEGMENT}(?:\\.${SEGMENT})*$`

const NAME = new RegExp(NAME_PATTERN)

/** Whether a text is a name of a role or module, or a permission in its stored form. */
export function isName(text: string): boolean {
  return NAME.test(text)
}

/**
 * Brings a permission into its one stored form (`:` becomes `.`); null when it is not a permission name.
 * Wildcards are not names: see `canonicalGrant`.
 */
export function canonicalPermission(text: string): string | null {
  const name = text.replaceAll(':', '.')
  return isName(name) ? name : null
}

/** As `canonicalPermission`, and accepts what grants several: `*` and `users.*`. */
export function canonicalGrant(text: string): string | null {
  if (text === '*') return text
  const name = text.replaceAll(':', '.')
  return isName(name.endsWith('.*') ? name.slice(0, -2) : name) ? name : null
}
