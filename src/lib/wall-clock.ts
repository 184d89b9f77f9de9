/** When a wall clock of a time zone shows a time of day, daylight saving included. */
import { DAY } from './time-units.ts'

/** IANA names only: an offset such as `+02:00` is right for half of the year. */
const NAME = /^[A-Za-z][\w+/-]{0,63}$/

/** How far the wall clock of a zone is ahead of UTC at an instant (epoch ms), in ms. */
type Offset = (instant: number) => number

/** Making a formatter takes a thousand times as long as using it, and the first one 12 ms: UTC does without. */
const offsets = new Map<string, Offset>([['utc', () => 0]])

/** Null for an unknown zone, which is not kept: the map grows no larger than the zones that exist. */
function offsetOf(timeZone: string): Offset | null {
  if (!NAME.test(timeZone)) return null
  const key = timeZone.toLowerCase()
  const known = offsets.get(key)
  if (known !== undefined) return known
  try {
    const formatter = new Intl.DateTimeFormat('en-US', {
      timeZone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    const offset: Offset = (instant) => shownBy(formatter, instant)
    offsets.set(key, offset)
    return offset
  } catch {
    return null
  }
}

/** Whether a value names a time zone of the IANA database that this runtime knows. */
export function isTimeZone(value: unknown): value is string {
  return typeof value === 'string' && offsetOf(value) !== null
}

function shownBy(formatter: Intl.DateTimeFormat, instant: number): number {
  // The clock shows no milliseconds.
  const rounded = Math.floor(instant / 1000) * 1000
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {}
  for (const { type, value } of formatter.formatToParts(rounded)) shown[type] = Number(value)
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0 } = shown
  return Date.UTC(year, month - 1, day, hour, minute, second) - rounded
}

/**
 * The instants at which a clock shows `local`, a wall clock's date and time written as if it were UTC: one, or two when
 * it is set back. When it is set forward past `local`, the one at which it has moved on by the length of the gap.
 */
function instantsOf(offset: Offset, local: number): readonly number[] {
  // No clock is a day or more from UTC, so these two lie around the instant; no zone changes twice between them.
  const before = offset(local - DAY)
  const after = offset(local + DAY)
  const instants = [...new Set([before, after])]
    .map((ahead) => local - ahead)
    .filter((instant) => instant + offset(instant) === local)
  return instants.length > 0 ? instants : [local - before]
}

/**
 * Finds the next instant, strictly after `now`, at which a wall clock shows a time of day. A time that the clock skips
 * that day comes later by what it is set forward (02:30 at 03:30); a time that comes twice counts each time.
 *
 * @param timeOfDay ms since midnight as the clock shows it, below 24 hours
 * @param timeZone IANA name
 * @param now epoch ms
 * @returns epoch ms
 * @throws TypeError when the time zone is unknown; it names it
 * @example nextTimeOfDay(16 * 3_600_000, 'Europe/Berlin', Date.UTC(2030, 0, 1)) // 15:00 UTC of that day
 */
export function nextTimeOfDay(timeOfDay: number, timeZone: string, now: number): number {
  const offset = offsetOf(timeZone)
  if (offset === null) throw unknownTimeZone(timeZone)
  const midnight = Math.floor((now + offset(now)) / DAY) * DAY
  // Yesterday too: a clock that is set back shortly after midnight shows yesterday's last hour again.
  const instants = [midnight - DAY, midnight, midnight + DAY].flatMap((day) => instantsOf(offset, day + timeOfDay))
  return Math.min(...instants.filter((instant) => instant > now))
}

/** The error for what `isTimeZone` refuses. */
export function unknownTimeZone(given: unknown): TypeError {
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 64)) : String(given)
  return new TypeError(`${shown} is not a time zone: give an IANA name such as 'Europe/Berlin' or 'UTC'`)
}
