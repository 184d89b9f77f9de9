import { describe, expect, test } from 'bun:test'
import * as fc from 'fast-check'
import { MachineAuthError } from '../../../src/errors.ts'
import { toTimestamp } from '../../../src/lib/timestamp.ts'
import { resolveSpan, startsOf, type UsageInput } from '../../../src/recording/usage/periods.ts'

/** A quarter past eleven. */
const NOW = Date.UTC(2030, 0, 10, 11, 15)
const HOUR = 3_600_000
const DAY = 24 * HOUR

const at = (text: string) => Date.parse(text)

describe('a span', () => {
  test.each<[name: string, input: UsageInput, from: string, to: string]>([
    ['is the last 24 hours, the one under way included', {}, '2030-01-09T12:00Z', '2030-01-10T12:00Z'],
    ['is the last 30 days by the day', { bucket: 'day' }, '2029-12-12T00:00Z', '2030-01-11T00:00Z'],
    ['goes up to now', { from: '2030-01-10T09:30:00Z' }, '2030-01-10T09:00Z', '2030-01-10T12:00Z'],
    ['begins a day before its end', { to: '2030-01-05T00:00:00Z' }, '2030-01-04T00:00Z', '2030-01-05T00:00Z'],
    [
      'is rounded outward',
      { from: '2030-01-01T00:59:59.999Z', to: '2030-01-01T01:00:00.001Z' },
      '2030-01-01T00:00Z',
      '2030-01-01T02:00Z',
    ],
    [
      'is as it was asked for where it is whole',
      { from: '2030-01-01T00:00:00Z', to: '2030-01-01T01:00:00Z' },
      '2030-01-01T00:00Z',
      '2030-01-01T01:00Z',
    ],
    [
      'has days of UTC, whatever offset it is asked for in',
      { from: '2030-01-02T00:00:00+02:00', to: '2030-01-02T12:00:00+02:00', bucket: 'day' },
      '2030-01-01T00:00Z',
      '2030-01-03T00:00Z',
    ],
    [
      'begins with the hour that begins now',
      { from: '2030-01-10T11:15:00Z' },
      '2030-01-10T11:00Z',
      '2030-01-10T12:00Z',
    ],
    [
      'has 31 days of hours',
      { from: '2030-01-01T00:00:00Z', to: '2030-02-01T00:00:00Z' },
      '2030-01-01T00:00Z',
      '2030-02-01T00:00Z',
    ],
    [
      'has 731 days',
      { from: '2030-01-01T00:00:00Z', to: '2032-01-02T00:00:00Z', bucket: 'day' },
      '2030-01-01T00:00Z',
      '2032-01-02T00:00Z',
    ],
  ])('%s', (_, input, from, to) => {
    const span = resolveSpan(input, NOW)
    expect([toTimestamp(span.from), toTimestamp(span.to)]).toEqual([toTimestamp(at(from)), toTimestamp(at(to))])
  })

  const MOMENT = "must be a moment in RFC 3339, such as '2030-01-31T12:00:00Z'"
  const ORDER = "must be before 'to', which is now unless given"
  const [HOURS, DAYS] = [
    "must be at most 31 days before 'to', counted by the hour: bucket 'day' reaches further",
    "must be at most 731 days before 'to', counted by the day",
  ]

  test.each<[name: string, input: UsageInput, path: string, message: string]>([
    ['a moment that is none', { from: 'yesterday' }, 'from', MOMENT],
    ['a day without a time', { to: '2030-01-01' }, 'to', MOMENT],
    ['an end before its beginning', { from: '2030-01-02T00:00:00Z', to: '2030-01-01T00:00:00Z' }, 'from', ORDER],
    ['nothing at all', { from: '2030-01-02T00:00:00Z', to: '2030-01-02T00:00:00Z' }, 'from', ORDER],
    ['the future', { from: '2030-02-01T00:00:00Z' }, 'from', ORDER],
    ['more than 31 days of hours', { from: '2030-01-01T00:00:00Z', to: '2030-02-01T00:00:00.001Z' }, 'from', HOURS],
    ['more than 731 days', { from: '2030-01-01T00:00:00Z', to: '2032-01-03T00:00:00Z', bucket: 'day' }, 'from', DAYS],
    // What JavaScript may give.
    ['a bucket that is none', JSON.parse('{ "bucket": "toString" }'), 'bucket', "must be 'hour' or 'day'"],
  ])('is refused for %s', (_, input, path, message) => {
    const thrown: unknown = (() => {
      try {
        return resolveSpan(input, NOW)
      } catch (error) {
        return error
      }
    })()
    expect(thrown).toBeInstanceOf(MachineAuthError)
    expect(thrown).toMatchObject({ code: 'validation_failed', extras: { errors: [{ path, message }] } })
  })

  test('holds both moments, in whole buckets that follow one another', () => {
    const moment = fc.integer({ min: NOW - 400 * DAY, max: NOW })
    fc.assert(
      fc.property(
        moment,
        fc.integer({ min: 1, max: 31 * DAY }),
        fc.constantFrom('hour', 'day'),
        (from, length, bucket) => {
          const to = from + length
          const span = resolveSpan({ from: toTimestamp(from), to: toTimestamp(to), bucket }, NOW)
          const starts = startsOf(span)
          expect(span.from <= from && from < span.from + span.size).toBe(true)
          expect(span.to >= to && to > span.to - span.size).toBe(true)
          expect(span.size).toBe(bucket === 'hour' ? HOUR : DAY)
          expect([starts[0], starts.at(-1)]).toEqual([span.from, span.to - span.size])
          expect(starts.every((start, index) => start === span.from + index * span.size)).toBe(true)
        },
      ),
    )
  })
})

test.each(['9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z'])(
  'a span never ends or begins where no timestamp can be written: %s',
  (to) => {
    for (const bucket of ['hour', 'day'] as const) {
      expect(() => resolveSpan({ to, bucket }, NOW)).toThrow(MachineAuthError)
    }
  },
)
