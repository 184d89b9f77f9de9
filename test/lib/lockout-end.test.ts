import { describe, expect, test } from 'bun:test'
import { isLockout, isTimeZone, LOCKOUT_ACCEPTED, parseLockout } from '../../src/lib/lockout-end.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Midnight in UTC. */
const NOW = Date.UTC(2026, 4, 1)

describe('parseLockout', () => {
  test.each<[string | number, number]>([
    [86_400, 24 * HOUR],
    [1, 1000],
    ['24h', 24 * HOUR],
    ['1 hour', HOUR],
    ['2 days', 48 * HOUR],
    ['90s', 90_000],
    ['1ms', 1],
    ['4m', 4 * MINUTE],
  ])('%j lasts that long, wherever', (given, duration) => {
    expect(parseLockout(given)(NOW + 123)).toBe(NOW + 123 + duration)
    expect(parseLockout(given, 'Europe/Berlin')(NOW)).toBe(NOW + duration)
    expect(isLockout(given)).toBe(true)
  })

  test.each<[string, number, number]>([
    ['16:00', 16, 0],
    ['4:00 PM', 16, 0],
    ['4:00pm', 16, 0],
    ['04:00 PM', 16, 0],
    ['4 PM', 16, 0],
    ['4 pm', 16, 0],
    ['4pm', 16, 0],
    ['4 AM', 4, 0],
    ['9:05', 9, 5],
    ['09:05', 9, 5],
    ['12 PM', 12, 0],
    ['12:30 PM', 12, 30],
    ['12:30 AM', 0, 30],
    ['11:59 pm', 23, 59],
    ['23:59', 23, 59],
    ['12:00', 12, 0],
    ['0:01', 0, 1],
    // Now is midnight, so it is tomorrow's.
    ['00:00', 24, 0],
    ['0:00', 24, 0],
    ['12 AM', 24, 0],
  ])('%j is the next %d:%d', (given, hours, minutes) => {
    expect(parseLockout(given)(NOW)).toBe(NOW + hours * HOUR + minutes * MINUTE)
    expect(isLockout(given)).toBe(true)
  })

  test('a time of day is meant in the time zone, whichever half of the year it is', () => {
    const end = parseLockout('4 PM', 'Europe/Berlin')
    expect(new Date(end(Date.UTC(2026, 0, 1))).toISOString()).toBe('2026-01-01T15:00:00.000Z')
    expect(new Date(end(Date.UTC(2026, 6, 1))).toISOString()).toBe('2026-07-01T14:00:00.000Z')
    expect(new Date(end(Date.UTC(2026, 6, 1, 14))).toISOString()).toBe('2026-07-02T14:00:00.000Z')
  })

  test.each([
    ...[
      '',
      ' ',
      'soon',
      'PM',
      ':30',
      '4:',
      '16',
      '4',
      '016:00',
      '100:00',
      '-4:00',
      '+4 PM',
      '4.30 PM',
      '16h30',
      'noon',
    ],
    ...['25:99', '24:00', '23:60', '4:60 PM', '4:0 PM', '4:000', '4:0', '13:00 PM', '13 AM', '0 PM', '00:30 AM'],
    ...[' 16:00', '16:00 ', '16:00\n', '4  PM', '4\tPM', '4\u00a0PM', '4 P', '4 P.M.', '4 PMs', '16:00:00', '16:00Z'],
    ...['\uff11\uff16:\uff10\uff10', '\u0664 PM', '\uff14 PM', '4 \uff30\uff2d', '4:00 PM PM'],
    ...['0s', '0ms', '0 days', '-1h', '1.5h', '1 month', '36526 days', 'constructor', '1__proto__'],
    ...[0, -0, -5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 36_526 * 86_400],
  ])('refuses %j and says what is accepted', (given) => {
    expect(() => parseLockout(given)).toThrow(TypeError)
    expect(() => parseLockout(given)).toThrow(LOCKOUT_ACCEPTED)
    expect(isLockout(given)).toBe(false)
  })

  test.each([[null], [undefined], [{}], [[]], [['16:00']], [true], [5n], [Symbol('16:00')], [new Date(0)]])(
    'refuses %p',
    (given) => {
      // What plain JavaScript may give.
      expect(() => parseLockout(given as never)).toThrow(TypeError)
      expect(isLockout(given)).toBe(false)
    },
  )

  test.each(['9', '9:', ':', ' ', '4 PM ', '16:00', 'PM', '1h'])('1 MB of %j is refused at once', (unit) => {
    const text = unit.repeat(1_000_000 / unit.length)
    const start = performance.now()
    expect(() => parseLockout(text)).toThrow(/^.{0,400}$/)
    expect(performance.now() - start).toBeLessThan(100)
  })

  test.each(['Mars/Olympus', '', '+02:00', null])('refuses the time zone %j by name, also with a duration', (zone) => {
    for (const given of ['16:00', '1h']) {
      // What plain JavaScript may give.
      expect(() => parseLockout(given, zone as never)).toThrow(TypeError)
      expect(() => parseLockout(given, zone as never)).toThrow(`${JSON.stringify(zone)} is not a time zone`)
    }
    expect(isTimeZone(zone)).toBe(false)
  })
})
