import { describe, expect, test } from 'bun:test'
import { decideRefresh } from '../../src/tokens/refresh-decision.ts'

const NOW = 1_000_000
const WINDOW = 10_000
const FAMILY = { sequence: 5, rotatedAt: NOW, expiresAt: NOW + 100_000, revokedAt: null }

describe('decideRefresh', () => {
  test.each([
    { name: 'the newest token is spent', given: {}, sequence: 5, at: 0, expected: 'rotate' },
    { name: 'the predecessor at the moment of rotation', given: {}, sequence: 4, at: 0, expected: 'replay' },
    { name: 'the predecessor 1 ms before the window ends', given: {}, sequence: 4, at: WINDOW - 1, expected: 'replay' },
    { name: 'the predecessor when the window ends', given: {}, sequence: 4, at: WINDOW, expected: 'reused' },
    { name: 'one before the predecessor, inside the window', given: {}, sequence: 3, at: 0, expected: 'reused' },
    { name: 'a number never given out', given: {}, sequence: 6, at: 0, expected: 'unissued' },
    { name: 'the newest 1 ms before it expires', given: {}, sequence: 5, at: 99_999, expected: 'rotate' },
    { name: 'the newest when it expires', given: {}, sequence: 5, at: 100_000, expected: 'expired' },
    { name: 'a spent one of an expired family', given: {}, sequence: 1, at: 100_000, expected: 'expired' },
    { name: 'the newest of a revoked family', given: { revokedAt: 1 }, sequence: 5, at: 0, expected: 'revoked' },
    { name: 'a spent one of a revoked family', given: { revokedAt: 1 }, sequence: 1, at: 0, expected: 'revoked' },
    { name: 'a clock that went back', given: {}, sequence: 4, at: -5, expected: 'replay' },
  ] as const)('$name: $expected', ({ given, sequence, at, expected }) => {
    expect(decideRefresh({ ...FAMILY, ...given }, sequence, NOW + at, WINDOW)).toBe(expected)
  })

  test.each([0, -5])('a window of 0 replays nothing, %d ms after the rotation', (at) => {
    expect(decideRefresh(FAMILY, 4, NOW + at, 0)).toBe('reused')
  })
})
