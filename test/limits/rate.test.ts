import { describe, expect, test } from 'bun:test'
import { createRate, type Rate, type Strategy } from '../../src/limits/rate.ts'

describe('createRate', () => {
  test.each<[Parameters<typeof createRate>[0], Rate]>([
    [
      { limit: 60, window: 60_000 },
      { strategy: 'sliding-window', limit: 60, window: 60_000, burst: 60 },
    ],
    [
      { limit: 1e9, window: 1, strategy: 'sliding-window-counter' },
      { strategy: 'sliding-window-counter', limit: 1e9, window: 1, burst: 1e9 },
    ],
    [
      { limit: 5, window: 1000, strategy: 'token-bucket' },
      { strategy: 'token-bucket', limit: 5, window: 1000, burst: 5 },
    ],
    [
      { limit: 5, window: 1000, strategy: 'token-bucket', burst: 100 },
      { strategy: 'token-bucket', limit: 5, window: 1000, burst: 100 },
    ],
  ])('compiles %j', (given, expected) => {
    const rate = createRate(given)
    expect(rate).toEqual(expected)
    expect(Object.isFrozen(rate)).toBe(true)
  })

  test.each<[Parameters<typeof createRate>[0], string]>([
    [{ limit: 0, window: 1000 }, 'limit'],
    [{ limit: -1, window: 1000 }, 'limit'],
    [{ limit: 1.5, window: 1000 }, 'limit'],
    [{ limit: 1e9 + 1, window: 1000 }, 'limit'],
    [{ limit: Number.NaN, window: 1000 }, 'limit'],
    [{ limit: Number.POSITIVE_INFINITY, window: 1000 }, 'limit'],
    [{ limit: 5, window: 0 }, 'window'],
    [{ limit: 5, window: -1000 }, 'window'],
    [{ limit: 5, window: 0.5 }, 'window'],
    [{ limit: 5, window: Number.NaN }, 'window'],
    [{ limit: 5, window: 36_525 * 86_400_000 + 1 }, 'window'],
    [{ limit: 5, window: 1000, burst: 0, strategy: 'token-bucket' }, 'burst'],
    [{ limit: 5, window: 1000, burst: 2e9, strategy: 'token-bucket' }, 'burst'],
    [{ limit: 5, window: 1000, burst: 5 }, 'burst'],
    [{ limit: 5, window: 1000, strategy: 'toString' as Strategy }, 'strategy'],
    [{ limit: '5' as unknown as number, window: 1000 }, 'limit'],
  ])('refuses %j for its %s', (given, says) => {
    expect(() => createRate(given)).toThrow(RangeError)
    expect(() => createRate(given)).toThrow(says)
  })
})
