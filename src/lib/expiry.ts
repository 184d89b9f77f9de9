import type { FieldErrors } from './field-errors.ts'
import { DAY } from './time-units.ts'
import { parseTimestamp } from './timestamp.ts'

export interface ExpiryInput {
  /** RFC 3339 text, or a `Date`. */
  readonly expiresAt?: string | Date | null | undefined
  /** Whole days from now. */
  readonly expiresInDays?: number | null | undefined
}

const MAX_DAYS = 36_525
/** Beyond it a timestamp no longer has four digits of year. */
const MAX_TIME = Date.UTC(9999, 11, 31)

function toTime(value: string | Date): number | null {
  const time = typeof value === 'string' ? parseTimestamp(value) : value.getTime()
  return time === null || Number.isNaN(time) ? null : time
}

/**
 * Decides when something expires; mistakes go to `errors`.
 *
 * @param now epoch ms
 * @returns epoch ms, or null for never
 */
export function resolveExpiry(
  { expiresAt, expiresInDays }: ExpiryInput,
  now: number,
  errors: FieldErrors,
): number | null {
  const hasDays = expiresInDays !== undefined && expiresInDays !== null
  if (expiresAt === undefined || expiresAt === null) {
    if (!hasDays) return null
    if (Number.isInteger(expiresInDays) && expiresInDays >= 1 && expiresInDays <= MAX_DAYS) {
      return now + expiresInDays * DAY
    }
    errors.add('expiresInDays', `must be a whole number from 1 to ${MAX_DAYS}`)
    return null
  }
  if (hasDays) errors.add('expiresInDays', 'must not be given together with expiresAt')
  const time = toTime(expiresAt)
  if (time === null || time > MAX_TIME) errors.add('expiresAt', 'must be an RFC 3339 time such as 2030-01-31T12:00:00Z')
  else if (time <= now) errors.add('expiresAt', 'must be in the future')
  return time
}

/** The first of some moments; null for never. */
export function earliest(...moments: readonly (number | null)[]): number | null {
  const first = Math.min(...moments.map((moment) => moment ?? Number.POSITIVE_INFINITY))
  return first === Number.POSITIVE_INFINITY ? null : first
}
