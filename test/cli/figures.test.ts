import { expect, test } from 'bun:test'
import { formatCount, formatLatency, formatShare } from '../../src/cli/terminal/figures.ts'

test.each([
  [formatCount(0), '0'],
  [formatCount(1_234_567), '1,234,567'],
  [formatShare(0, 0), '0 %'],
  [formatShare(0, 7), '0 %'],
  [formatShare(1, 3), '33.3 %'],
  [formatShare(7, 7), '100.0 %'],
  [formatShare(0.0125, 1), '1.3 %'],
  [formatShare(1, 1_000_000), '< 0.1 %'],
  [formatLatency(null), '-'],
  [formatLatency(0), '0 ms'],
  [formatLatency(0.0123), '0.012 ms'],
  [formatLatency(1.25), '1.3 ms'],
  [formatLatency(44.91), '45 ms'],
  [formatLatency(1000), '1,000 ms'],
])('%s', (text, expected) => {
  expect(text).toBe(expected)
})
