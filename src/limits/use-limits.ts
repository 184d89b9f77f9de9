/** How often a new key may be used: its rate, its monthly quota, its credits. */

import { formatDuration, isDuration, parseDuration } from '../lib/duration.ts'
import type { FieldErrors } from '../lib/field-errors.ts'
import type { ApiKeyRecord, RateLimitSetting } from '../storage/records.ts'

/** Uses left, and how they come back: up to `amount` again after every `every`. */
export interface Credits {
  readonly remaining: number
  readonly refill?: { readonly amount: number /** Such as `'1d'`. */; readonly every: string } | undefined
}

export interface UseLimitsInput {
  /** Requests within a window such as `'1m'`; the organization's, or the option `defaultRateLimit`, when left out. */
  readonly rateLimit?: RateLimitSetting | null | undefined
  /** Requests in a calendar month (UTC). */
  readonly monthlyQuota?: number | null | undefined
  readonly credits?: Credits | null | undefined
}

export type UseLimits = Pick<
  ApiKeyRecord,
  'rateLimit' | 'monthlyQuota' | 'credits' | 'creditsRefillAmount' | 'creditsRefillEvery' | 'creditsRefilledAt'
>

const MOST = 1_000_000_000
/** ms. A rate is remembered for as long as its window. */
const LONGEST_WINDOW = 31 * 86_400_000
const SHORTEST_REFILL = 1000

function isWhole(value: unknown, least: number): boolean {
  return Number.isInteger(value) && Number(value) >= least && Number(value) <= MOST
}

function hasOnly(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.keys(value).every((name) => names.includes(name))
}

function isWindow(value: unknown): value is string {
  if (typeof value !== 'string' || !isDuration(value)) return false
  const window = parseDuration(value)
  return window > 0 && window <= LONGEST_WINDOW
}

/** A rate in its stored form, for keys and organizations; null for none. */
export function resolveRateLimit(given: unknown, errors: FieldErrors): RateLimitSetting | null {
  if (given === undefined || given === null) return null
  if (!hasOnly(given, ['limit', 'window'])) {
    errors.add('rateLimit', "must be { limit, window } such as { limit: 60, window: '1m' }")
    return null
  }
  const { limit, window } = given
  if (!isWhole(limit, 1)) errors.add('rateLimit.limit', `must be a whole number from 1 to ${MOST}`)
  if (!isWindow(window)) {
    errors.add('rateLimit.window', "must be a duration text above zero and up to 31 days, such as '1m'")
    return null
  }
  return { limit: Number(limit), window: formatDuration(parseDuration(window)) }
}

export function resolveMonthlyQuota(given: unknown, errors: FieldErrors): number | null {
  if (given === undefined || given === null) return null
  if (!isWhole(given, 1)) errors.add('monthlyQuota', `must be a whole number from 1 to ${MOST}`)
  return Number(given)
}

const NO_CREDITS = { credits: null, creditsRefillAmount: null, creditsRefillEvery: null, creditsRefilledAt: null }

/**
 * Credits in their stored form, for keys.
 *
 * @param now epoch ms, when the first refill period begins
 */
export function resolveCredits(
  given: unknown,
  now: number,
  errors: FieldErrors,
): Omit<UseLimits, 'rateLimit' | 'monthlyQuota'> {
  if (given === undefined || given === null) return NO_CREDITS
  if (!hasOnly(given, ['remaining', 'refill'])) {
    errors.add('credits', 'must be { remaining, refill? }')
    return NO_CREDITS
  }
  const { remaining, refill } = given
  if (!isWhole(remaining, 0)) errors.add('credits.remaining', `must be a whole number from 0 to ${MOST}`)
  const credits = Number(remaining)
  if (refill === undefined || refill === null) return { ...NO_CREDITS, credits }
  if (!hasOnly(refill, ['amount', 'every'])) {
    errors.add('credits.refill', "must be { amount, every } such as { amount: 100, every: '1d' }")
    return NO_CREDITS
  }
  if (!isWhole(refill.amount, 1)) errors.add('credits.refill.amount', `must be a whole number from 1 to ${MOST}`)
  const every = typeof refill.every === 'string' && isDuration(refill.every) ? parseDuration(refill.every) : 0
  if (every < SHORTEST_REFILL) errors.add('credits.refill.every', "must be a duration text from '1s', such as '1d'")
  return { credits, creditsRefillAmount: Number(refill.amount), creditsRefillEvery: every, creditsRefilledAt: now }
}

/**
 * Checks the limits of a new key; mistakes go to `errors`.
 *
 * @param now epoch ms, when the first refill period begins
 */
export function resolveUseLimits(input: UseLimitsInput, now: number, errors: FieldErrors): UseLimits {
  return {
    rateLimit: resolveRateLimit(input.rateLimit, errors),
    monthlyQuota: resolveMonthlyQuota(input.monthlyQuota, errors),
    ...resolveCredits(input.credits, now, errors),
  }
}
