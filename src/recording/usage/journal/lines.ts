/**
 * The text of a journal. It begins with a header; each line after it says one thing:
 *
 *     {"usage":1,"database":"…","at":1893456000000,"owner":"…"}
 *     {"c":[0,"key_1","org_1","GET","/users/:id",200]}     requests with these labels are number 0 from now on
 *     0 12345 850                                          one of them, 12345 ms after the header's time, took 850 µs
 *     {"t":1893450000000}                                  times count from here on: the clock was set back
 *     .                                                    nothing follows
 *
 * The file is longer than its text and filled with zeros: a line is there when its newline is, and no zero is in it.
 */
import type { Labels } from '../labels.ts'

const VERSION = 1

/** Bytes. */
export const NEWLINE = 10
const SPACE = 32
const DOT = 46
const ZERO = 48
const NINE = 57
const BRACE = 123

export interface Header {
  /** Names the database that it is counted into; see `database-id.ts`. */
  readonly database: string
  /** Epoch ms from which times count. */
  readonly at: number
  /** Names the process; see `owner.ts`. */
  readonly owner: string
}

export type Line =
  | { readonly kind: 'header'; readonly header: Header }
  | { readonly kind: 'labels'; readonly number: number; readonly labels: Labels }
  | { readonly kind: 'time'; readonly at: number }
  | { readonly kind: 'request'; readonly number: number; readonly after: number; readonly duration: number }
  | { readonly kind: 'end' }
  /** Not written by us, or damaged: says nothing. */
  | { readonly kind: 'unknown' }

export const END_LINE = '.\n'

/** Bytes that the line of a request takes at most. */
export const LONGEST_REQUEST = 52

export function headerLine({ database, at, owner }: Header): string {
  return `${JSON.stringify({ usage: VERSION, database, at, owner })}\n`
}

export function labelsLine(number: number, { keyId, organizationId, method, route, status }: Labels): string {
  return `${JSON.stringify({ c: [number, keyId, organizationId, method, route, status] })}\n`
}

/** @param at epoch ms */
export function timeLine(at: number): string {
  return `${JSON.stringify({ t: at })}\n`
}

/** Numbers below are divided as 32-bit integers, which is much faster. */
const SMALL = 0x8000_0000

/** Writes a whole number, not negative; answers the offset after it. */
function writeNumber(bytes: Uint8Array, offset: number, value: number): number {
  let digits = 1
  for (let limit = 10; value >= limit; limit *= 10) digits += 1
  let place = offset + digits
  let large = value
  while (large >= SMALL) {
    const shorter = Math.floor(large / 10)
    place -= 1
    bytes[place] = ZERO + (large - shorter * 10)
    large = shorter
  }
  let rest = large | 0
  while (place > offset) {
    const shorter = (rest / 10) | 0
    place -= 1
    bytes[place] = ZERO + (rest - shorter * 10)
    rest = shorter
  }
  return offset + digits
}

/**
 * Writes the line of a request without making anything; there must be room for `LONGEST_REQUEST`.
 *
 * @param after ms
 * @param duration µs
 * @returns the offset after it
 */
export function writeRequest(
  bytes: Uint8Array,
  offset: number,
  number: number,
  after: number,
  duration: number,
): number {
  let end = writeNumber(bytes, offset, number)
  bytes[end] = SPACE
  end = writeNumber(bytes, end + 1, after)
  bytes[end] = SPACE
  end = writeNumber(bytes, end + 1, duration)
  // Last: with it the line is there.
  bytes[end] = NEWLINE
  return end + 1
}

const UNKNOWN: Line = { kind: 'unknown' }
const END: Line = { kind: 'end' }

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
const isText = (value: unknown): value is string => typeof value === 'string'

function toObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}

function parseObject(text: string): Line {
  const { usage, database, at, owner, t, c } = toObject(text)
  if (usage === VERSION && isText(database) && isWhole(at) && isText(owner)) {
    return { kind: 'header', header: { database, at, owner } }
  }
  if (isWhole(t)) return { kind: 'time', at: t }
  if (!Array.isArray(c) || c.length !== 6) return UNKNOWN
  const [number, keyId, organizationId, method, route, status]: unknown[] = c
  if (!(isWhole(number) && isText(keyId) && isText(organizationId) && isText(method))) return UNKNOWN
  if (!(isText(route) && isWhole(status))) return UNKNOWN
  return { kind: 'labels', number, labels: { keyId, organizationId, method, route, status } }
}

/** Three whole numbers with one space between them. */
function parseRequest(bytes: Uint8Array, start: number, end: number): Line {
  const numbers = [0, 0, 0]
  let which = 0
  let digits = 0
  for (let place = start; place < end; place += 1) {
    const byte = bytes[place] ?? 0
    if (byte >= ZERO && byte <= NINE) {
      numbers[which] = (numbers[which] ?? 0) * 10 + (byte - ZERO)
      digits += 1
    } else if (byte === SPACE && digits > 0 && which < 2) {
      which += 1
      digits = 0
    } else return UNKNOWN
  }
  const [number = 0, after = 0, duration = 0] = numbers
  if (which < 2 || digits === 0 || !numbers.every(Number.isSafeInteger)) return UNKNOWN
  return { kind: 'request', number, after, duration }
}

const decoder = new TextDecoder()

/**
 * Reads the line that begins at `start`.
 *
 * @param end the offset of its newline
 */
export function parseLine(bytes: Uint8Array, start: number, end: number): Line {
  const first = bytes[start]
  if (first === BRACE) return parseObject(decoder.decode(bytes.subarray(start, end)))
  if (first === DOT && end === start + 1) return END
  return parseRequest(bytes, start, end)
}

/**
 * Where the line that begins at `start` ends: the offset of its newline, or -1 when it is not there as a whole.
 *
 * @param end of what may be read
 */
export function endOfLine(bytes: Uint8Array, start: number, end: number): number {
  for (let place = start; place < end; place += 1) {
    const byte = bytes[place]
    if (byte === NEWLINE) return place
    // On some machines another process sees the newline before what was written before it.
    if (byte === 0) return -1
  }
  return -1
}
