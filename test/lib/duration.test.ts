import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { formatDuration, isDuration, parseDuration } from '../../src/lib/duration.ts'

const DAY = 86_400_000

describe('parseDuration', () => {
  test.each<[string | number, number]>([
    ['0s', 0],
    ['0ms', 0],
    [0, 0],
    [-0, 0],
    [90, 90_000],
    ['250ms', 250],
    ['1 second', 1000],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1 minute', 60_000],
    ['1 hour', 3_600_000],
    ['2hours', 7_200_000],
    ['1 day', DAY],
    ['30 days', 30 * DAY],
    ['90d', 90 * DAY],
    ['2 weeks', 14 * DAY],
    ['1w', 7 * DAY],
    ['36525 days', 36_525 * DAY],
  ])('reads %j', (input, milliseconds) => {
    expect(parseDuration(input)).toBe(milliseconds)
    expect(Object.is(parseDuration(input), -0)).toBe(false)
  })

  test.each<[string | number]>([
    [''],
    [' '],
    ['s'],
    ['15'],
    ['15 '],
    [' 15m'],
    ['15m '],
    ['15  m'],
    ['15\tm'],
    ['15\u00a0m'],
    ['1.5h'],
    ['1,5h'],
    ['-1s'],
    ['+1s'],
    ['1e3s'],
    ['0x10s'],
    ['１５m'],
    ['15M'],
    ['15 Minutes'],
    ['1 month'],
    ['1y'],
    ['1h30m'],
    ['15m\n'],
    ['25:99'],
    ['16:00'],
    ['soon'],
    ['constructor'],
    ['1constructor'],
    ['1__proto__'],
    ['36526 days'],
    ['99999999999999999999ms'],
    [-1],
    [0.5],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [36_526 * 86_400],
  ])('refuses %j and says what is accepted', (input) => {
    expect(() => parseDuration(input)).toThrow(TypeError)
    expect(() => parseDuration(input)).toThrow("'15m'")
    expect(isDuration(input)).toBe(false)
  })

  test('does not repeat a long text in its message', () => {
    expect(() => parseDuration('x'.repeat(50_000))).toThrow(/^.{0,300}$/)
  })

  test.each([[null], [undefined], [{}], [[]], [true], [5n]])('isDuration refuses %p', (value) => {
    expect(isDuration(value)).toBe(false)
  })
})

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [250, '250ms'],
    [1500, '1500ms'],
    [1000, '1s'],
    [90_000, '90s'],
    [900_000, '15m'],
    [3_600_000, '1h'],
    [DAY, '1d'],
    [7 * DAY, '1w'],
    [30 * DAY, '30d'],
  ])('writes %p as %p', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })

  test('is read back as the same duration', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 36_525 }), fc.constantFrom(1, 1000, 60_000, 3_600_000, DAY), (n, unit) => {
        expect(parseDuration(formatDuration(n * unit))).toBe(n * unit)
      }),
    )
  })
})
