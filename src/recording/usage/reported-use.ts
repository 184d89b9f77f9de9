/** Reads uses of keys that another service reports: each is judged by itself, and its reason never repeats a value. */
import { MOMENT_ACCEPTED } from '../../lib/moment.ts'
import { isPlainObject, type PlainObject } from '../../lib/plain-object.ts'
import { isSingleLine } from '../../lib/text.ts'
import { DAY, MINUTE } from '../../lib/time-units.ts'
import { parseTimestamp } from '../../lib/timestamp.ts'
import { redactShapes } from '../requests/token-shapes.ts'

/** A use of a key elsewhere. */
export interface ReportedUse {
  /** As the reporter names it: with `keyId` it counts once. 1 to 128 characters. */
  readonly id: string
  readonly keyId: string
  /** The route's pattern, such as `/posts/:id`, and no path with an id; 1 to 256 characters, the first a `/`. A query is left out. */
  readonly endpoint: string
  readonly method: string
  /** 100 to 599. */
  readonly status: number
  /** ms, 0 to 86,400,000. */
  readonly latencyMs: number
  /** RFC 3339: of the last 30 days, at most 5 minutes ahead. */
  readonly at: string
}

/** A use in the form that is counted. */
export interface ReadUse extends Omit<ReportedUse, 'at' | 'latencyMs'> {
  /** Epoch ms. */
  readonly at: number
  /** µs, a whole number. */
  readonly duration: number
}

/** A use, or a sentence on why it is none. */
export type ReadOutcome = { readonly kind: 'use'; readonly use: ReadUse } | Refused
type Refused = { readonly kind: 'refused'; readonly reason: string }

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']
const MAX_LATENCY = DAY
const OLDEST = 30 * DAY
const MOST_AHEAD = 5 * MINUTE

/** What somebody who reports paths should do. */
export const PATTERN_WANTED = "report the route's pattern, such as /orders/:id, and no path with an id"

/** Numbers, UUIDs, hashes and what else is made to be unlike all others. Names of routes are none of them. */
const ID = /^(?:\d{5,}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}|(?=.*\d)[\da-f]{16,}|(?=.*\d)(?=.*[a-z])[\da-z]{20,})$/i

function hasId(path: string): boolean {
  return path.split('/').some((segment) => ID.test(segment))
}

/** What follows the path: its values could be secrets, and are many. The `?` of an optional parameter is no query. */
const QUERY = /(?:(?<!\/:[\w-]+)\?|\?(?!\/|$)|#).*$/s

function withoutQuery(path: string): string {
  return path.replace(QUERY, '')
}

/** Also of percent-encoded text. */
function hasCredential(text: string): boolean {
  const decoded = text.replace(/(?:%[\da-f]{2})+/gi, (encoded) =>
    Buffer.from(encoded.replaceAll('%', ''), 'hex').toString(),
  )
  return redactShapes(text) !== text || redactShapes(decoded) !== decoded
}

interface Rule {
  readonly accepts: (value: unknown) => boolean
  readonly accepted: string
}

const text = (most: number): Rule => ({
  accepts: (value) => typeof value === 'string' && value !== '' && value.length <= most && isSingleLine(value),
  accepted: `must be 1 to ${most} characters without control characters`,
})

const RULES: Readonly<Record<keyof ReportedUse, Rule>> = {
  id: text(128),
  keyId: text(128),
  endpoint: {
    accepts: (value) => text(256).accepts(value) && String(value).startsWith('/'),
    accepted: 'must begin with / and be 1 to 256 characters without control characters',
  },
  method: {
    accepts: (value) => typeof value === 'string' && METHODS.includes(value.toUpperCase()),
    accepted: `must be one of ${METHODS.join(', ')}`,
  },
  status: {
    accepts: (value) => Number.isInteger(value) && Number(value) >= 100 && Number(value) <= 599,
    accepted: 'must be a whole number from 100 to 599',
  },
  latencyMs: {
    accepts: (value) => typeof value === 'number' && value >= 0 && value <= MAX_LATENCY,
    accepted: `must be a number from 0 to ${MAX_LATENCY}`,
  },
  at: {
    accepts: (value) => typeof value === 'string' && parseTimestamp(value) !== null,
    accepted: MOMENT_ACCEPTED,
  },
}

/** A member's name may be as long as the body; a name of no identifier is not repeated. */
function unknownMember(name: string): string {
  return /^\w{1,64}$/.test(name) ? `${name} is no member of a use` : 'a member is none of a use'
}

function mistakeIn(given: PlainObject): string | null {
  for (const name of Object.keys(given)) if (!Object.hasOwn(RULES, name)) return unknownMember(name)
  for (const [name, { accepts, accepted }] of Object.entries(RULES)) {
    if (!Object.hasOwn(given, name)) return `${name} is missing`
    if (!accepts(given[name])) return `${name} ${accepted}`
  }
  return null
}

function refused(mistake: string): Refused {
  return { kind: 'refused', reason: `${mistake}.` }
}

/**
 * Reads one of a list.
 *
 * @param given whatever was sent
 * @param now epoch ms
 */
export function readReportedUse(given: unknown, now: number): ReadOutcome {
  if (!isPlainObject(given)) return refused('a use must be an object')
  const mistake = mistakeIn(given)
  if (mistake !== null) return refused(mistake)
  // Each member was looked at.
  const { endpoint, method, latencyMs, at: moment, ...same } = given as unknown as ReportedUse
  const path = withoutQuery(endpoint)
  // It would be kept in the database, and shown of endpoints.
  if (hasCredential(same.id)) return refused('id has what looks like a credential: report an id of the request')
  if (hasCredential(path)) return refused(`endpoint has what looks like a credential: ${PATTERN_WANTED}`)
  if (hasId(path)) return refused(`endpoint has what looks like an id: ${PATTERN_WANTED}`)
  const at = parseTimestamp(moment) ?? Number.NaN
  if (!(at >= now - OLDEST)) return refused('at must be of the last 30 days')
  if (at > now + MOST_AHEAD) return refused('at must be at most 5 minutes ahead')
  const duration = Math.round(latencyMs * 1000)
  return {
    kind: 'use',
    use: { ...same, endpoint: path, method: method.toUpperCase(), duration, at },
  }
}
