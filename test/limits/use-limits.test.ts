import { describe, expect, test } from 'bun:test'
import { MachineAuthError } from '../../src/errors.ts'
import { FieldErrors } from '../../src/lib/field-errors.ts'
import {
  resolveMonthlyQuota,
  resolveRateLimit,
  resolveUseLimits,
  type UseLimitsInput,
} from '../../src/limits/use-limits.ts'

const NOW = Date.UTC(2030, 0, 1)
const NONE = {
  rateLimit: null,
  monthlyQuota: null,
  credits: null,
  creditsRefillAmount: null,
  creditsRefillEvery: null,
  creditsRefilledAt: null,
} as const

/** What is reported, by path. */
function mistakesIn(given: unknown): Readonly<Record<string, string>> {
  const errors = new FieldErrors()
  resolveUseLimits(given as UseLimitsInput, NOW, errors)
  try {
    errors.throwIfAny()
  } catch (error) {
    if (!(error instanceof MachineAuthError)) throw error
    return Object.fromEntries((error.extras.errors ?? []).map(({ path, message }) => [path, message]))
  }
  return {}
}

describe('limits of a new key', () => {
  test.each<{ name: string; given: UseLimitsInput; expected: object }>([
    { name: 'none', given: {}, expected: {} },
    { name: 'none that are named', given: { rateLimit: null, monthlyQuota: null, credits: null }, expected: {} },
    {
      name: 'a rate',
      given: { rateLimit: { limit: 60, window: '1m' } },
      expected: { rateLimit: { limit: 60, window: '1m' } },
    },
    {
      name: 'a rate in other words',
      given: { rateLimit: { limit: 1, window: '60 seconds' } },
      expected: { rateLimit: { limit: 1, window: '1m' } },
    },
    {
      name: 'the highest rate',
      given: { rateLimit: { limit: 1_000_000_000, window: '31d' } },
      expected: { rateLimit: { limit: 1_000_000_000, window: '31d' } },
    },
    {
      name: 'the shortest window',
      given: { rateLimit: { limit: 1, window: '1ms' } },
      expected: { rateLimit: { limit: 1, window: '1ms' } },
    },
    { name: 'a quota', given: { monthlyQuota: 1 }, expected: { monthlyQuota: 1 } },
    { name: 'the largest quota', given: { monthlyQuota: 1_000_000_000 }, expected: { monthlyQuota: 1_000_000_000 } },
    { name: 'credits', given: { credits: { remaining: 100 } }, expected: { credits: 100 } },
    { name: 'no credits', given: { credits: { remaining: 0 } }, expected: { credits: 0 } },
    {
      name: 'credits that come back',
      given: { credits: { remaining: 5, refill: { amount: 10, every: '1 day' } } },
      expected: { credits: 5, creditsRefillAmount: 10, creditsRefillEvery: 86_400_000, creditsRefilledAt: NOW },
    },
    {
      name: 'credits that come back every second',
      given: { credits: { remaining: 0, refill: { amount: 1, every: '1s' } } },
      expected: { credits: 0, creditsRefillAmount: 1, creditsRefillEvery: 1000, creditsRefilledAt: NOW },
    },
    {
      name: 'credits that say no refill',
      given: { credits: { remaining: 5, refill: undefined } },
      expected: { credits: 5 },
    },
  ])('$name', ({ given, expected }) => {
    const errors = new FieldErrors()
    expect(resolveUseLimits(given, NOW, errors)).toEqual({ ...NONE, ...expected })
    expect(errors.isEmpty).toBe(true)
  })
})

const RATE = "must be { limit, window } such as { limit: 60, window: '1m' }"
const WINDOW = "must be a duration text above zero and up to 31 days, such as '1m'"
const FROM_ONE = 'must be a whole number from 1 to 1000000000'
const FROM_ZERO = 'must be a whole number from 0 to 1000000000'
const REFILL = "must be { amount, every } such as { amount: 100, every: '1d' }"
const EVERY = "must be a duration text from '1s', such as '1d'"
const NOT_WHOLE = [-1, 0.5, 1_000_000_001, Number.NaN, Number.POSITIVE_INFINITY, '5', true, {}, []]

describe('mistakes', () => {
  const rate = { limit: 60, window: '1m' }
  const refill = { amount: 10, every: '1d' }
  const cases: readonly (readonly [given: unknown, mistakes: Readonly<Record<string, string>>])[] = [
    ...[60, '60/1m', { ...rate, by: 'ip' }].map((rateLimit) => [{ rateLimit }, { rateLimit: RATE }] as const),
    [{ rateLimit: {} }, { 'rateLimit.limit': FROM_ONE, 'rateLimit.window': WINDOW }],
    [{ rateLimit: [] }, { 'rateLimit.limit': FROM_ONE, 'rateLimit.window': WINDOW }],
    ...[0, ...NOT_WHOLE].map((limit) => [{ rateLimit: { ...rate, limit } }, { 'rateLimit.limit': FROM_ONE }] as const),
    ...['0s', '', 'soon', '1', 60, '31d1s', '32d', '745h', null].map(
      (window) => [{ rateLimit: { ...rate, window } }, { 'rateLimit.window': WINDOW }] as const,
    ),
    ...[0, ...NOT_WHOLE].map((monthlyQuota) => [{ monthlyQuota }, { monthlyQuota: FROM_ONE }] as const),
    ...[5, '5', { remaining: 5, more: 1 }].map(
      (credits) => [{ credits }, { credits: 'must be { remaining, refill? }' }] as const,
    ),
    ...NOT_WHOLE.map((remaining) => [{ credits: { remaining } }, { 'credits.remaining': FROM_ZERO }] as const),
    ...[5, '1d', { ...refill, more: 1 }].map(
      (each) => [{ credits: { remaining: 5, refill: each } }, { 'credits.refill': REFILL }] as const,
    ),
    ...[0, ...NOT_WHOLE].map(
      (amount) =>
        [{ credits: { remaining: 5, refill: { ...refill, amount } } }, { 'credits.refill.amount': FROM_ONE }] as const,
    ),
    ...['999ms', '0s', 'daily', 86_400, null].map(
      (every) =>
        [{ credits: { remaining: 5, refill: { ...refill, every } } }, { 'credits.refill.every': EVERY }] as const,
    ),
    [
      {
        rateLimit: { limit: 0, window: '' },
        monthlyQuota: 0,
        credits: { remaining: -1, refill: { amount: 0, every: '' } },
      },
      {
        'rateLimit.limit': FROM_ONE,
        'rateLimit.window': WINDOW,
        monthlyQuota: FROM_ONE,
        'credits.remaining': FROM_ZERO,
        'credits.refill.amount': FROM_ONE,
        'credits.refill.every': EVERY,
      },
    ],
  ]
  test.each(cases)('%j', (given, mistakes) => {
    expect(mistakesIn(given)).toEqual(mistakes)
  })
})

test('a rate and a quota are read the same for an organization', () => {
  const errors = new FieldErrors()
  expect(resolveRateLimit({ limit: 5, window: '3600s' }, errors)).toEqual({ limit: 5, window: '1h' })
  expect(resolveMonthlyQuota(7, errors)).toBe(7)
  expect(resolveRateLimit(undefined, errors)).toBeNull()
  expect(resolveMonthlyQuota(undefined, errors)).toBeNull()
  expect(errors.isEmpty).toBe(true)
})
