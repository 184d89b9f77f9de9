import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseTimestamp, toTimestamp, toTimestampOrNull } from '../../src/lib/timestamp.ts'

describe('parseTimestamp', () => {
  test.each([
    ['2030-01-31T12:00:00Z', Date.UTC(2030, 0, 31, 12)],
    ['2030-01-31T12:00:00.5Z', Date.UTC(2030, 0, 31, 12, 0, 0, 500)],
    ['2030-01-31T12:00:00.123456789Z', Date.UTC(2030, 0, 31, 12, 0, 0, 123)],
    ['2030-01-31T12:00:00+02:00', Date.UTC(2030, 0, 31, 10)],
    ['2030-01-31T23:30:00-05:30', Date.UTC(2030, 1, 1, 5)],
    ['2032-02-29T00:00:00Z', Date.UTC(2032, 1, 29)],
    ['0099-01-01T00:00:00Z', new Date('0099-01-01T00:00:00Z').getTime()],
  ])('%p', (text, expected) => {
    expect(parseTimestamp(text)).toBe(expected)
  })

  test.each([
    '',
    '2030-01-31',
    '2030-01-31T12:00Z',
    '2030-01-31T12:00:00',
    '2030-01-31 12:00:00Z',
    '2030-01-31t12:00:00z',
    '2030-1-31T12:00:00Z',
    '2030-02-30T00:00:00Z',
    '2031-02-29T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-00-01T00:00:00Z',
    '2030-01-00T00:00:00Z',
    '2030-01-31T24:00:00Z',
    '2030-01-31T12:60:00Z',
    '2030-12-31T23:59:60Z',
    '2030-01-31T12:00:00+24:00',
    '2030-01-31T12:00:00.Z',
    '+02030-01-31T12:00:00Z',
    '2030-01-31T12:00:00Z\n',
    ' 2030-01-31T12:00:00Z',
    '1900000000',
  ])('%p is refused', (text) => {
    expect(parseTimestamp(text)).toBeNull()
  })

  test('reads what toISOString writes', () => {
    const dates = fc.date({ min: new Date(0), max: new Date(Date.UTC(9999, 0)), noInvalidDate: true })
    fc.assert(fc.property(dates, (date) => expect(parseTimestamp(date.toISOString())).toBe(date.getTime())))
  })
})

test.each([
  [0, '1970-01-01T00:00:00.000Z'],
  [1_735_689_599_999, '2024-12-31T23:59:59.999Z'],
])('%p is written %s', (ms, text) => {
  expect([toTimestamp(ms), toTimestampOrNull(ms)]).toEqual([text, text])
  expect(parseTimestamp(text)).toBe(ms)
})

test('no moment is written as none', () => {
  expect(toTimestampOrNull(null)).toBeNull()
})
