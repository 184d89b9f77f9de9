/** E-mail addresses in the one form in which they are stored and compared. */

/** RFC 5321 section 4.5.3.1: a path of 256 octets, its angle brackets included. */
export const MAX_EMAIL_LENGTH = 254
const MAX_LOCAL_LENGTH = 64
const MAX_LABEL_LENGTH = 63

/** Spaces, controls, what RFC 5322 wants quoted, and what draws nothing or turns the direction of writing. */
const FORBIDDEN = /[\s\p{Cc}\p{Cf}\p{Cs}"(),:;<>@[\\\]]/u
const LABEL = /^[\p{L}\p{N}\p{M}-]+$/u

function isLabel(label: string): boolean {
  return label.length <= MAX_LABEL_LENGTH && LABEL.test(label) && !label.startsWith('-') && !label.endsWith('-')
}

function isLocalPart(local: string): boolean {
  const hasEmptyAtom = local.startsWith('.') || local.endsWith('.') || local.includes('..')
  return local !== '' && local.length <= MAX_LOCAL_LENGTH && !hasEmptyAtom && !FORBIDDEN.test(local)
}

/**
 * Brings an address into its one form: trimmed, NFC, lower case.
 *
 * @returns null when it is not an address; quoted local parts, comments and address literals are not accepted
 * @see RFC 5321 section 4.1.2, RFC 6531 (international addresses)
 */
export function normalizeEmail(text: string): string | null {
  // Checked before anything walks over it.
  if (text.length > 4 * MAX_EMAIL_LENGTH) return null
  const email = text.trim().normalize('NFC').toLowerCase().normalize('NFC')
  if (Buffer.byteLength(email) > MAX_EMAIL_LENGTH) return null
  const at = email.lastIndexOf('@')
  if (at === -1 || !isLocalPart(email.slice(0, at))) return null
  return email
    .slice(at + 1)
    .split('.')
    .every(isLabel)
    ? email
    : null
}
