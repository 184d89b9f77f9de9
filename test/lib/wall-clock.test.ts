import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isTimeZone, nextTimeOfDay, unknownTimeZone } from '../../src/lib/wall-clock.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE

/** `HH:MM` in ms. */
function timeOfDay(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number)
  return (hours * 60 + minutes) * MINUTE
}

/** What a clock in a zone shows, as `HH:MM`: another way to ask `Intl` than the code's. */
function showingIn(timeZone: string): (instant: number) => string {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' })
  return (instant) => format.format(instant)
}

/** The first full minute after `now` at which the clock shows the time: the slow way. */
function stepTo(time: string, timeZone: string, now: number): number {
  const show = showingIn(timeZone)
  let instant = Math.floor(now / MINUTE) * MINUTE + MINUTE
  while (show(instant) !== time) instant += MINUTE
  return instant
}

describe('nextTimeOfDay', () => {
  test.each<[string, string, string, string]>([
    ['UTC', '16:00', '2026-05-01T15:59:59.999Z', '2026-05-01T16:00Z'],
    ['UTC', '16:00', '2026-05-01T16:00:00.000Z', '2026-05-02T16:00Z'],
    ['UTC', '16:00', '2026-05-01T16:00:00.001Z', '2026-05-02T16:00Z'],
    ['UTC', '00:00', '2026-12-31T23:59:59.500Z', '2027-01-01T00:00Z'],
    ['UTC', '00:00', '2028-02-28T00:00Z', '2028-02-29T00:00Z'],
    ['UTC', '23:59', '1969-12-31T12:00Z', '1969-12-31T23:59Z'],
    ['Asia/Kolkata', '16:00', '2026-05-01T10:29Z', '2026-05-01T10:30Z'],
    ['Asia/Kolkata', '16:00', '2026-05-01T10:30Z', '2026-05-02T10:30Z'],
    ['Asia/Kolkata', '00:00', '2026-05-01T18:29Z', '2026-05-01T18:30Z'],
    ['Asia/Kathmandu', '00:00', '2026-05-01T18:15Z', '2026-05-02T18:15Z'],
    ['Asia/Kathmandu', '05:45', '2026-05-01T23:59Z', '2026-05-02T00:00Z'],
    ['Pacific/Apia', '16:00', '2026-05-01T02:59Z', '2026-05-01T03:00Z'],
    ['america/new_york', '16:00', '2026-01-15T12:00Z', '2026-01-15T21:00Z'],
    ['America/New_York', '16:00', '2026-07-15T12:00Z', '2026-07-15T20:00Z'],
    ['America/New_York', '16:00', '2026-07-15T20:00Z', '2026-07-16T20:00Z'],
  ])('%s %s after %s', (timeZone, time, now, end) => {
    expect(nextTimeOfDay(timeOfDay(time), timeZone, Date.parse(now))).toBe(Date.parse(end))
  })

  test.each<[string, string, string, string]>([
    // Berlin: 2026-03-29, 02:00 becomes 03:00.
    ['Europe/Berlin', '02:30', '2026-03-28T01:29Z', '2026-03-28T01:30Z'],
    ['Europe/Berlin', '02:30', '2026-03-28T01:30Z', '2026-03-29T01:30Z'],
    ['Europe/Berlin', '02:00', '2026-03-29T00:30Z', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '02:30', '2026-03-29T00:59Z', '2026-03-29T01:30Z'],
    ['Europe/Berlin', '02:30', '2026-03-29T01:10Z', '2026-03-29T01:30Z'],
    ['Europe/Berlin', '02:30', '2026-03-29T01:30Z', '2026-03-30T00:30Z'],
    ['Europe/Berlin', '03:00', '2026-03-29T00:59Z', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '03:30', '2026-03-29T00:59Z', '2026-03-29T01:30Z'],
    ['Europe/Berlin', '01:59', '2026-03-29T00:00Z', '2026-03-29T00:59Z'],
    ['Europe/Berlin', '16:00', '2026-03-28T16:00Z', '2026-03-29T14:00Z'],
    ['America/New_York', '02:15', '2026-03-08T06:00Z', '2026-03-08T07:15Z'],
    ['America/New_York', '02:15', '2026-03-08T07:15Z', '2026-03-09T06:15Z'],
    ['America/New_York', '16:00', '2026-03-07T21:00Z', '2026-03-08T20:00Z'],
    // Half an hour: 2026-10-04, 02:00 becomes 02:30.
    ['Australia/Lord_Howe', '02:15', '2026-10-03T15:00Z', '2026-10-03T15:45Z'],
    ['Australia/Lord_Howe', '02:15', '2026-10-03T15:45Z', '2026-10-04T15:15Z'],
    ['Australia/Lord_Howe', '02:30', '2026-10-03T15:00Z', '2026-10-03T15:30Z'],
    // At midnight: 2018-11-04, 00:00 becomes 01:00.
    ['America/Sao_Paulo', '00:00', '2018-11-04T02:00Z', '2018-11-04T03:00Z'],
    ['America/Sao_Paulo', '00:30', '2018-11-04T02:59Z', '2018-11-04T03:30Z'],
    // All of 2011-12-30.
    ['Pacific/Apia', '16:00', '2011-12-30T02:00Z', '2011-12-31T02:00Z'],
    ['Pacific/Apia', '00:00', '2011-12-30T09:00Z', '2011-12-30T10:00Z'],
    ['Pacific/Apia', '16:00', '2011-12-31T02:00Z', '2012-01-01T02:00Z'],
  ])('clocks set forward: %s %s after %s', (timeZone, time, now, end) => {
    expect(nextTimeOfDay(timeOfDay(time), timeZone, Date.parse(now))).toBe(Date.parse(end))
  })

  test.each<[string, string, string, string]>([
    // Berlin: 2026-10-25, 03:00 becomes 02:00.
    ['Europe/Berlin', '02:30', '2026-10-24T00:30Z', '2026-10-25T00:30Z'],
    ['Europe/Berlin', '02:30', '2026-10-25T00:29Z', '2026-10-25T00:30Z'],
    ['Europe/Berlin', '02:30', '2026-10-25T00:30Z', '2026-10-25T01:30Z'],
    ['Europe/Berlin', '02:30', '2026-10-25T01:15Z', '2026-10-25T01:30Z'],
    ['Europe/Berlin', '02:30', '2026-10-25T01:30Z', '2026-10-26T01:30Z'],
    ['Europe/Berlin', '02:00', '2026-10-25T00:00Z', '2026-10-25T01:00Z'],
    ['Europe/Berlin', '03:00', '2026-10-25T00:59Z', '2026-10-25T02:00Z'],
    ['Europe/Berlin', '16:00', '2026-10-24T14:00Z', '2026-10-25T15:00Z'],
    ['America/New_York', '01:30', '2026-11-01T05:30Z', '2026-11-01T06:30Z'],
    ['America/New_York', '01:30', '2026-11-01T06:30Z', '2026-11-02T06:30Z'],
    ['Australia/Lord_Howe', '01:45', '2026-04-04T14:45Z', '2026-04-04T15:15Z'],
    ['Australia/Lord_Howe', '01:45', '2026-04-04T15:15Z', '2026-04-05T15:15Z'],
    ['Australia/Lord_Howe', '02:00', '2026-04-04T14:59Z', '2026-04-04T15:30Z'],
    // One minute past midnight, back to 23:01 of the day before.
    ['America/St_Johns', '23:30', '2006-10-29T02:30Z', '2006-10-29T03:00Z'],
    ['America/St_Johns', '00:00', '2006-10-29T02:30Z', '2006-10-29T03:30Z'],
  ])('clocks set back: %s %s after %s', (timeZone, time, now, end) => {
    expect(nextTimeOfDay(timeOfDay(time), timeZone, Date.parse(now))).toBe(Date.parse(end))
  })

  const CHANGES = [
    ...['2026-03-29T01:00Z', '2026-10-25T01:00Z', '2026-03-08T07:00Z', '2026-11-01T06:00Z', '2026-10-03T15:30Z'],
    ...['2026-04-04T15:00Z', '2011-12-30T10:00Z', '2018-11-04T03:00Z', '2018-02-18T02:00Z', '2006-10-29T02:31Z'],
  ].map((text) => Date.parse(text))
  const ZONES = [
    ...['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia'],
    ...['Asia/Kathmandu', 'America/Sao_Paulo', 'America/St_Johns', 'Pacific/Chatham', 'Africa/Casablanca'],
  ]
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2037, 0) }),
    fc.tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -2 * DAY, max: 2 * DAY })).map(([at, by]) => at + by),
  )

  test('is the first minute, stepping through them, whose clock shows the time', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), fc.integer({ min: 0, max: 1439 }), instant, (timeZone, minute, now) => {
        const time = new Date(minute * MINUTE).toISOString().slice(11, 16)
        const end = nextTimeOfDay(minute * MINUTE, timeZone, now)
        const stepped = stepTo(time, timeZone, now)
        // A time that the day skips comes earlier than the next day's, and shows another.
        const isSkipped = showingIn(timeZone)(end) !== time
        if (!isSkipped) expect(end).toBe(stepped)
        else expect([end > now, end < stepped, stepped - now > DAY - 3600_000]).toEqual([true, true, true])
      }),
      { numRuns: 150 },
    )
  })
})

describe('isTimeZone', () => {
  test.each(['UTC', 'Europe/Berlin', 'europe/berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5', 'Asia/Katmandu'])(
    'knows %s',
    (name) => {
      expect(isTimeZone(name)).toBe(true)
    },
  )

  test.each([
    ...['', ' UTC', 'UTC ', 'UTC\n', 'Mars/Olympus', 'undefined', 'local', 'Europe/Berl\u0131n', 'x'.repeat(1_000_000)],
    // Right for half of the year.
    ...['+02:00', '-0500', '+01'],
    ...[null, undefined, 0, {}, [['UTC']], true],
  ])('refuses %p', (value) => {
    expect(isTimeZone(value)).toBe(false)
  })

  test.each([
    ['Mars/Olympus', '"Mars/Olympus" is not a time zone'],
    ['x'.repeat(100), `"${'x'.repeat(64)}" is`],
    [null, 'null is not a time zone'],
  ])('%p is named', (given, message) => {
    expect(unknownTimeZone(given).message).toContain(message)
  })

  test('nextTimeOfDay refuses an unknown zone', () => {
    expect(() => nextTimeOfDay(0, 'Mars/Olympus', 0)).toThrow(unknownTimeZone('Mars/Olympus'))
  })
})
