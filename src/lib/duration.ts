/** Durations as people write them, and in milliseconds. */
import { DAY, HOUR, MINUTE, SECOND } from './time-units.ts'

const WEEK = 7 * DAY

/** A duration: text such as `'15m'`, `'30 days'`, `'0s'`, or a number of seconds. */
export type DurationInput = string | number

/** Longer is a mistake, not a wish (100 years). */
const MAX_DURATION = 36_525 * DAY

/** Months and years are missing on purpose: their length depends on when they start. */
const UNITS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ms: 1,
    millisecond: 1,
    milliseconds: 1,
    s: SECOND,
    sec: SECOND,
    secs: SECOND,
    second: SECOND,
    seconds: SECOND,
    m: MINUTE,
    min: MINUTE,
    mins: MINUTE,
    minute: MINUTE,
    minutes: MINUTE,
    h: HOUR,
    hr: HOUR,
    hrs: HOUR,
    hour: HOUR,
    hours: HOUR,
    d: DAY,
    day: DAY,
    days: DAY,
    w: WEEK,
    week: WEEK,
    weeks: WEEK,
  }),
)

/** What `parseDuration` accepts, for messages. */
export const DURATION_ACCEPTED =
  "a whole number of seconds, or text such as '250ms', '30s', '15m', '1 hour', '30 days', '2 weeks', up to 100 years"

function textToMilliseconds(text: string): number {
  let digits = 0
  while (digits < text.length && text.charCodeAt(digits) >= 48 && text.charCodeAt(digits) <= 57) digits += 1
  if (digits === 0) return Number.NaN
  const unit = UNITS.get(text.slice(text[digits] === ' ' ? digits + 1 : digits))
  return unit === undefined ? Number.NaN : Number(text.slice(0, digits)) * unit
}

/**
 * Reads a duration strictly: one whole number, at most one space, one unit.
 *
 * @param input seconds as a number, or text with a unit
 * @returns milliseconds
 * @throws TypeError when the text is anything else, negative or over 100 years; it says what is accepted
 * @example parseDuration('15m') // 900_000
 */
export function parseDuration(input: DurationInput): number {
  const whole = typeof input === 'number' && Number.isInteger(input)
  // Adding zero turns -0 into 0.
  const milliseconds = typeof input === 'string' ? textToMilliseconds(input) : whole ? input * SECOND + 0 : Number.NaN
  if (milliseconds >= 0 && milliseconds <= MAX_DURATION) return milliseconds
  const given = typeof input === 'string' ? JSON.stringify(input.slice(0, 40)) : String(input)
  throw new TypeError(`${given} is not a duration: give ${DURATION_ACCEPTED}`)
}

/** Whether `parseDuration` accepts a value. */
export function isDuration(value: unknown): value is DurationInput {
  if (typeof value !== 'string' && typeof value !== 'number') return false
  try {
    parseDuration(value)
    return true
  } catch {
    return false
  }
}

const SHORT_UNITS = [
  ['w', WEEK],
  ['d', DAY],
  ['h', HOUR],
  ['m', MINUTE],
  ['s', SECOND],
] as const

/**
 * Writes milliseconds with the largest unit that needs no fraction; `parseDuration` reads it back.
 *
 * @param milliseconds a whole number, not negative
 * @example formatDuration(900_000) // '15m'
 */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0s'
  for (const [unit, size] of SHORT_UNITS) {
    if (milliseconds % size === 0) return `${milliseconds / size}${unit}`
  }
  return `${milliseconds}ms`
}
