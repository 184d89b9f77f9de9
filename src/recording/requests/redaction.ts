/** What is left of a request's texts when everything secret is taken out. Pure; never throws; linear in its input. */
import { decode } from '../../lib/path.ts'
import { redactJson } from './json-text.ts'
import { redactNamed } from './named-values.ts'
import type { IsSecretName } from './secret-names.ts'
import { isRandomSegment, REDACTED, redactShapes } from './token-shapes.ts'

/** How a body is to be read. */
export type BodyForm = 'json' | 'form' | 'text'

/** Letters and digits that JSON wrote as `\u0061`: names in broken JSON are read as they are meant. */
const ESCAPED = /\\u00([2-7][0-9a-f])/gi

function unescapeLetters(text: string): string {
  if (!text.includes('\\u00')) return text
  return text.replaceAll(ESCAPED, (escaped, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16))
    return /[A-Za-z0-9_.-]/.test(character) ? character : escaped
  })
}

/** Any text: values of secret names, and whatever looks like a credential. */
export function redactText(text: string, isSecret: IsSecretName): string {
  return redactNamed(redactShapes(unescapeLetters(text)), isSecret)
}

function decodeParameter(text: string): string {
  return decode(text.replaceAll('+', ' ')) ?? REDACTED
}

function redactParameter(pair: string, isSecret: IsSecretName): string {
  const equals = pair.indexOf('=')
  const given = equals === -1 ? pair : pair.slice(0, equals)
  const decoded = decodeParameter(given)
  const redacted = redactText(decoded, isSecret)
  const name = redacted === decoded && decoded !== REDACTED ? given : encodeURIComponent(redacted)
  if (equals === -1) return name
  const value = pair.slice(equals + 1)
  if (value !== '' && isSecret(decoded)) return `${name}=${REDACTED}`
  const meant = decodeParameter(value)
  const left = redactText(meant, isSecret)
  return left === meant && meant !== REDACTED ? `${name}=${value}` : `${name}=${encodeURIComponent(left)}`
}

/** A query without its `?`, or a body of `application/x-www-form-urlencoded`. */
export function redactQuery(query: string, isSecret: IsSecretName): string {
  return query
    .split('&')
    .map((pair) => redactParameter(pair, isSecret))
    .join('&')
}

/** Characters: no token is shorter. */
const SHORTEST_TOKEN = 20

function redactSegment(segment: string): string {
  if (segment.length < SHORTEST_TOKEN && !segment.includes('%')) return segment
  const decoded = decode(segment)
  if (decoded === null) return REDACTED
  if (isRandomSegment(decoded)) return REDACTED
  const redacted = redactShapes(decoded)
  return redacted === decoded ? segment : redacted.split('/').map(encodeURIComponent).join('/')
}

/** A path without what looks like a token: those of password resets and invitations are there. */
export function redactPath(path: string): string {
  return path.split('/').map(redactSegment).join('/')
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** A whole body: what is cut before has secrets that nobody recognizes. */
export function redactBody(form: BodyForm, text: string, isSecret: IsSecretName): string {
  if (form === 'form') return redactQuery(text, isSecret)
  if (form === 'json' && isJson(text)) return redactJson(text, isSecret, (part) => redactText(part, isSecret))
  return redactText(text, isSecret)
}
