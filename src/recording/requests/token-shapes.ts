/** Finds what looks like a credential, wherever it stands in a text. Every expression here takes linear time. */

/** What is written in place of a secret. */
export const REDACTED = '***REDACTED***'

/**
 * API keys from behind their prefix, opaque bearer tokens, refresh tokens. The end need not be whole: a checksum can be
 * computed by anybody.
 */
const OURS = /(?:_live|_test|mat|mar)_[0-9A-Za-z]{16}_[0-9A-Za-z_-]{20,}/g

/** Session cookies: 16 characters of id, 43 of secret. */
const SESSION = /(?<![0-9A-Za-z])[0-9A-Za-z]{59}(?![0-9A-Za-z])/g

/** Runs that are long enough to hold a JWT. */
const JWT_RUN = /[0-9A-Za-z_.-]{20,}/g

/** A scheme of `Authorization` and what comes with it. */
const PRESENTED = /\b(bearer|basic|apikey)[ \t]{1,4}[^\s,;"'<>\\]{8,}/gi

/** User and password in a URL. */
const USER_INFO = /(\/\/[^\s/@:]{0,64}:)[^\s/@]{1,256}@/g

/** Private keys as OpenSSL and others write them, also without their end. */
const PEM = /-----BEGIN [A-Z0-9 ]{0,64}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,64}-----|$)/g

/** From the first `eyJ` (base64url of `{"`) that two dots follow: there is no other place where a JWT could begin. */
function withoutJwt(run: string): string {
  const start = run.indexOf('eyJ')
  if (start === -1) return run
  const dot = run.indexOf('.', start)
  if (dot === -1 || run.indexOf('.', dot + 1) === -1) return run
  return run.slice(0, start) + REDACTED
}

/** A text without credentials. Shorter than 20 characters none can be recognized. */
export function redactShapes(text: string): string {
  if (text.length < 14) return text
  return text
    .replaceAll(PEM, REDACTED)
    .replaceAll(OURS, REDACTED)
    .replaceAll(JWT_RUN, withoutJwt)
    .replaceAll(SESSION, REDACTED)
    .replaceAll(PRESENTED, `$1 ${REDACTED}`)
    .replaceAll(USER_INFO, `$1${REDACTED}@`)
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
/** Of our own records, whose ids are no secrets: `key_7Yc1DgXf8Hq2LmVs`. */
const OWN_ID = /^[a-z]{2,12}_[0-9A-Za-z]{16}$/
const RANDOM_MIXED = /^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[0-9A-Za-z_~.-]{20,}$/
const RANDOM_PLAIN = /^[0-9a-z]{32,}$/i
const LETTERS = /^[A-Za-z_-]{20,}$/
/** Of a text, the part in upper case that no name has which was put together from words. */
const MANY_CAPITALS = 0.3

function isScrambled(segment: string): boolean {
  if (!LETTERS.test(segment) || !/[a-z]/.test(segment)) return false
  return (segment.match(/[A-Z]/g)?.length ?? 0) >= segment.length * MANY_CAPITALS
}

/** Whether a segment of a path is more likely a token than the name of something: `/reset/<token>`. */
export function isRandomSegment(segment: string): boolean {
  if (UUID.test(segment) || OWN_ID.test(segment)) return false
  return RANDOM_MIXED.test(segment) || RANDOM_PLAIN.test(segment) || isScrambled(segment)
}
