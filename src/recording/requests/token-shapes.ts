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
const USER_INFO = /(:\/\/[^\s/@:]{0,64}:)[^\s/@]{1,256}@/g

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
    .replaceAll(OURS, REDACTED)
    .replaceAll(JWT_RUN, withoutJwt)
    .replaceAll(SESSION, REDACTED)
    .replaceAll(PRESENTED, `$1 ${REDACTED}`)
    .replaceAll(USER_INFO, `$1${REDACTED}@`)
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i
const RANDOM_MIXED = /^(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[0-9A-Za-z_~.-]{24,}$/
const RANDOM_PLAIN = /^(?=.*[a-z])(?=.*[0-9])[0-9a-z]{32,}$/i

/** Whether a segment of a path is more likely a token than the name of something: `/reset/<token>`. */
export function isRandomSegment(segment: string): boolean {
  return (RANDOM_MIXED.test(segment) || RANDOM_PLAIN.test(segment)) && !UUID.test(segment)
}
