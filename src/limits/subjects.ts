/**
 * How the subjects of limits and blocks are named: a kind before each, so that a user called `203.0.113.5` is not that
 * address.
 */
import { limitKey, parseAddress, parseCidr } from '../lib/ip.ts'

export type SubjectKind = 'ip' | 'range' | 'apiKey' | 'user' | 'organization' | 'custom'

/** Longer texts are kept as their hash: what a request chose must not fill the memory. */
const MAX_TEXT = 128

/** Names a subject; the same text of two kinds is two subjects. */
export function subjectOf(kind: SubjectKind, id: string): string {
  // Marked, so that no short text is taken for a long one.
  return id.length <= MAX_TEXT ? `${kind}:${id}` : `${kind}#:${Bun.SHA256.hash(id, 'base64url')}`
}

/** Names an address: an IPv6 one by its /64, and all that is unknown by one name. */
export function addressSubject(address: string | null): string {
  return `ip:${address !== null && !address.includes(':') ? address : limitKey(address)}`
}

const OWN_IDS: readonly (readonly [start: string, kind: SubjectKind])[] = [
  ['key_', 'apiKey'],
  ['user_', 'user'],
  ['org_', 'organization'],
]

function parseRange(text: string): string | null {
  const range = parseCidr(text)
  if (range === null) return null
  const [address = ''] = range.text.split('/')
  // What addresses are counted by anyway is found by name, without going through all ranges.
  const isCounted = address.includes(':') ? range.bits === 64 : range.bits === 32
  return isCounted ? addressSubject(address) : `range:${range.text}`
}

/**
 * Reads a subject as people write it: an address, a range, the id of a key, user or organization, or with its kind
 * before it (`user:42` of an app's own, `custom:…`).
 *
 * @returns its name; null when it is none
 * @example parseSubject('2001:db8::1') // 'ip:2001:db8::/64'
 */
export function parseSubject(text: string): string | null {
  if (text === 'unknown') return addressSubject(null)
  const address = parseAddress(text)
  if (address !== null) return addressSubject(address)
  const range = parseRange(text)
  if (range !== null) return range
  const own = OWN_IDS.find(([start]) => text.startsWith(start) && text.length > start.length)
  if (own !== undefined) return subjectOf(own[1], text)
  // Shown of one that was too long.
  if (/^(?:apiKey|user|organization|custom)#:[A-Za-z0-9_-]{43}$/.test(text)) return text
  const [, kind, id = ''] = /^(apiKey|user|organization|custom):(.+)$/s.exec(text) ?? []
  return kind === undefined || text.length > 2 * MAX_TEXT ? null : subjectOf(kind as SubjectKind, id)
}

/** Writes a subject as people read it; `parseSubject` reads it back. */
export function formatSubject(subject: string): string {
  const colon = subject.indexOf(':')
  const kind = subject.slice(0, colon)
  const id = subject.slice(colon + 1)
  if (kind === 'ip' || kind === 'range') return id
  return OWN_IDS.some(([start, own]) => own === kind && id.startsWith(start)) ? id : subject
}
