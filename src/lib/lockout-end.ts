/** When a lockout ends: after a duration, or at the next time of day. */
import { DURATION_ACCEPTED, isDuration, parseDuration } from './duration.ts'
import { HOUR, MINUTE } from './time-units.ts'
import { isTimeZone, nextTimeOfDay, unknownTimeZone } from './wall-clock.ts'

// Who checks a lockout checks its time zone too.
export { isTimeZone }

/** Compiled: when a lockout that begins at `now` ends, epoch ms. */
export type LockoutEnd = (now: number) => number

const TIME_OF_DAY = /^([0-9]{1,2})(?::([0-9]{2}))?(?: ?([AP])M)?$/i

const TIME_OF_DAY_ACCEPTED = "a time of day at which it ends, such as '16:00', '4 PM' or '4:30 PM'"

/** What `parseLockout` accepts, for messages. */
export const LOCKOUT_ACCEPTED = `a duration above zero (${DURATION_ACCEPTED}), or ${TIME_OF_DAY_ACCEPTED}`

/** Milliseconds since midnight, or null for what is no time of day. */
function parseTimeOfDay(text: string): number | null {
  const match = TIME_OF_DAY.exec(text)
  if (match === null) return null
  const [, hours, minutes, half] = match
  // A bare number could be an hour as well as seconds.
  if (minutes === undefined && half === undefined) return null
  const hour = Number(hours)
  const minute = Number(minutes ?? 0)
  const isHour = half === undefined ? hour <= 23 : hour >= 1 && hour <= 12
  if (!isHour || minute > 59) return null
  // 12 AM is midnight and 12 PM is noon.
  const hourOfDay = half === undefined ? hour : (hour % 12) + (half.toUpperCase() === 'P' ? 12 : 0)
  return hourOfDay * HOUR + minute * MINUTE
}

/** Null for what `parseLockout` refuses. */
function compile(given: unknown, timeZone: string): LockoutEnd | null {
  const timeOfDay = typeof given === 'string' ? parseTimeOfDay(given) : null
  if (timeOfDay !== null) return (now) => nextTimeOfDay(timeOfDay, timeZone, now)
  const duration = isDuration(given) ? parseDuration(given) : 0
  return duration > 0 ? (now) => now + duration : null
}

/**
 * Reads when a lockout ends: a duration after it begins, or the next time a wall clock shows a time of day. A lockout
 * that begins at exactly that time lasts until the next day's.
 *
 * @param given a duration above zero, as `parseDuration` takes it, or a time of day: `'16:00'`, `'4 PM'`, `'4:30 pm'`
 * @param timeZone IANA name of the zone a time of day is meant in; a duration is the same in all
 * @returns takes the beginning and returns the end, both epoch ms
 * @throws TypeError when `given` is anything else (it says what is accepted) or the time zone is unknown (it names it)
 * @example parseLockout('4 PM', 'Europe/Berlin')(Date.UTC(2030, 0, 1)) // 15:00 UTC of that day
 */
export function parseLockout(given: string | number, timeZone = 'UTC'): LockoutEnd {
  if (!isTimeZone(timeZone)) throw unknownTimeZone(timeZone)
  const end = compile(given, timeZone)
  if (end !== null) return end
  const shown = typeof given === 'string' ? JSON.stringify(given.slice(0, 40)) : String(given)
  throw new TypeError(`${shown} is not a lockout: give ${LOCKOUT_ACCEPTED}`)
}

/** Whether `parseLockout` accepts a value. */
export function isLockout(value: unknown): value is string | number {
  return compile(value, 'UTC') !== null
}
