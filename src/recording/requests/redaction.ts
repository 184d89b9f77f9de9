/** What is left of a request's texts when everything secret is taken out. Pure; never throws; linear in its input. */
import { decode } from '../../lib/path.ts'
import { redactJson } from './json-text.ts'
import { redactNamed } from './named-values.ts'
import { createSecretNames, type IsSecretName, isSecretParameter } from './secret-names.ts'
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

/** URLs in URLs in URLs that are taken apart; names are found at any depth. */
const MOST_NESTED = 3

/** What may be a URL, or a part of one. */
const RUN = /[^\s"'`<>]{4,}/g
const OF_URL = /[/?#%]/

/** A URL, or a path, with its query and fragment. */
function redactUrl(url: string, isSecret: IsSecretName, depth: number): string {
  const end = url.search(/[?#]/)
  const path = end === -1 ? url : url.slice(0, end)
  const left = path.includes('/') ? redactPath(path, isSecret, depth) : path
  if (end === -1) return left
  const parts = url.slice(end).split(/([?#])/)
  return left + parts.map((part) => (part.length > 1 ? redactPairs(part, isSecret, depth) : part)).join('')
}

/** First as it is encoded, then as it is meant. */
function redactRun(run: string, isSecret: IsSecretName, depth: number): string {
  const left = OF_URL.test(run) ? redactUrl(run, isSecret, depth) : run
  if (!left.includes('%')) return left
  const meant = decodeText(left)
  const redacted = redactDecoded(meant, isSecret, depth)
  return redacted === meant && meant !== REDACTED ? left : redacted.replaceAll(/[\s"'`<>\\%]/g, encodeURIComponent)
}

/** A value ends at spaces; one that was encoded goes on behind them. */
function decodeText(text: string): string {
  return decode(text)?.replaceAll(/\s/g, '+') ?? REDACTED
}

function redactDecoded(text: string, isSecret: IsSecretName, depth: number): string {
  const shapeless = redactShapes(unescapeLetters(text))
  const urlless =
    depth < MOST_NESTED && OF_URL.test(shapeless)
      ? shapeless.replaceAll(RUN, (run) => redactRun(run, isSecret, depth + 1))
      : shapeless
  return redactNamed(urlless, isSecret)
}

/** Any text: values of secret names, whatever looks like a credential, and tokens in URLs. */
export function redactText(text: string, isSecret: IsSecretName): string {
  return redactDecoded(text, isSecret, 0)
}

function decodeParameter(text: string): string {
  return decodeText(text.replaceAll('+', ' '))
}

function redactParameter(pair: string, isSecret: IsSecretName, depth: number): string {
  const equals = pair.indexOf('=')
  const given = equals === -1 ? pair : pair.slice(0, equals)
  const decoded = decodeParameter(given)
  const redacted = redactDecoded(decoded, isSecret, depth)
  const name = redacted === decoded && decoded !== REDACTED ? given : encodeURIComponent(redacted)
  if (equals === -1) return name
  const value = pair.slice(equals + 1)
  if (value !== '' && (isSecret(decoded) || isSecretParameter(decoded))) return `${name}=${REDACTED}`
  const meant = decodeParameter(value)
  const left = redactDecoded(meant, isSecret, depth)
  return left === meant && meant !== REDACTED ? `${name}=${value}` : `${name}=${encodeURIComponent(left)}`
}

function redactPairs(query: string, isSecret: IsSecretName, depth: number): string {
  return query
    .split('&')
    .map((pair) => redactParameter(pair, isSecret, depth))
    .join('&')
}

/** A query without its `?`, or a body of `application/x-www-form-urlencoded`. */
export function redactQuery(query: string, isSecret: IsSecretName): string {
  return redactPairs(query, isSecret, 0)
}

/** Characters: no token is shorter. */
const SHORTEST_TOKEN = 20

function redactToken(segment: string): string {
  if (segment.length < SHORTEST_TOKEN && !segment.includes('%')) return segment
  const decoded = decode(segment)
  if (decoded === null) return REDACTED
  if (isRandomSegment(decoded)) return REDACTED
  const redacted = redactShapes(decoded)
  return redacted === decoded ? segment : redacted.split('/').map(encodeURIComponent).join('/')
}

/** `/x;password=…` is a path, too. */
function redactSegment(segment: string, isSecret: IsSecretName, depth: number): string {
  return segment
    .split(';')
    .map((part) => (part.includes('=') ? redactParameter(part, isSecret, depth) : redactToken(part)))
    .join(';')
}

/** What is secret in a path, whatever a mode keeps. */
const { credentials } = createSecretNames([], [])

/** A path without what looks like a token: those of password resets and invitations are there. */
export function redactPath(path: string, isSecret: IsSecretName = credentials, depth = 0): string {
  return path
    .split('/')
    .map((segment) => redactSegment(segment, isSecret, depth))
    .join('/')
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
