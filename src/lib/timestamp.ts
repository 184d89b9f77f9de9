/** Moments as RFC 3339 writes them. */
import { MINUTE } from './time-units.ts'

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:Z|([+-])(\d{2}):(\d{2}))$/

/**
 * Reads a moment strictly: date, time with seconds, and an offset. Fractions finer than a millisecond are cut off.
 *
 * @returns epoch ms; null for anything else, days that do not exist and leap seconds included
 * @see RFC 3339 section 5.6
 * @example parseTimestamp('2030-01-31T12:00:00+02:00')
 */
export function parseTimestamp(text: string): number | null {
  if (text.length > 40) return null
  const match = RFC3339.exec(text)
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number)
  const [fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match.slice(7)
  if (hour > 23 || minute > 59 || second > 59 || Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // A day that does not exist rolls over into another month.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  date.setUTCHours(hour, minute, second, Number(fraction.slice(0, 3).padEnd(3, '0')))
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * MINUTE
  return date.getTime() - (sign === '-' ? -offset : offset)
}

/** Writes epoch ms as RFC 3339 UTC. */
export function toTimestamp(ms: number): string {
  return new Date(ms).toISOString()
}

/** As `toTimestamp`; null stays null. */
export function toTimestampOrNull(ms: number | null): string | null {
  return ms === null ? null : toTimestamp(ms)
}
