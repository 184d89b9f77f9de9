import { afterEach, expect, test } from 'bun:test'
import fc from 'fast-check'
import { endOfMonth, monthOf } from '../../src/limits/month.ts'

const ZONE = process.env.TZ
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ
  else process.env.TZ = ZONE
})

test.each([
  { at: '2030-01-01T00:00:00.000Z', month: '2030-01', end: '2030-02-01T00:00:00.000Z' },
  { at: '2030-01-31T23:59:59.999Z', month: '2030-01', end: '2030-02-01T00:00:00.000Z' },
  { at: '2030-02-01T00:00:00.000Z', month: '2030-02', end: '2030-03-01T00:00:00.000Z' },
  { at: '2028-02-29T12:00:00.000Z', month: '2028-02', end: '2028-03-01T00:00:00.000Z' },
  { at: '2030-12-31T23:59:59.999Z', month: '2030-12', end: '2031-01-01T00:00:00.000Z' },
  { at: '1999-12-31T23:59:59.999Z', month: '1999-12', end: '2000-01-01T00:00:00.000Z' },
  // Where clocks of other zones already show the next month, or are moved for daylight saving.
  { at: '2030-03-31T23:30:00.000+00:00', month: '2030-03', end: '2030-04-01T00:00:00.000Z' },
  { at: '2030-04-01T01:30:00.000+02:00', month: '2030-03', end: '2030-04-01T00:00:00.000Z' },
])('$at is in $month, which ends at $end', ({ at, month, end }) => {
  const now = Date.parse(at)
  expect(monthOf(now)).toBe(month)
  expect(new Date(endOfMonth(now)).toISOString()).toBe(end)
})

test('a month ends where the next one begins, and their names sort as they follow each other', () => {
  const moments = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2100, 0, 1) })
  fc.assert(
    fc.property(moments, (now) => {
      const end = endOfMonth(now)
      expect(end).toBeGreaterThan(now)
      expect(monthOf(end - 1)).toBe(monthOf(now))
      expect(monthOf(end) > monthOf(now)).toBe(true)
    }),
  )
})

test.each(['America/Los_Angeles', 'Pacific/Kiritimati'])(
  'is the same where the clock on the wall is that of %s',
  (zone) => {
    process.env.TZ = zone
    for (const at of ['2030-01-01T00:00:00.000Z', '2030-12-31T23:59:59.999Z']) {
      expect(monthOf(Date.parse(at))).toBe(at.slice(0, 7))
      expect(new Date(endOfMonth(Date.parse(at))).toISOString()).toBe(
        at < '2030-06' ? '2030-02-01T00:00:00.000Z' : '2031-01-01T00:00:00.000Z',
      )
    }
  },
)
