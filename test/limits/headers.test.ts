import { describe, expect, test } from 'bun:test'
import { type LimitHeaders, labelOf, type Standing, waitOf, writeLimitHeaders } from '../../src/limits/headers.ts'
import { Limiter } from '../../src/limits/limiter.ts'
import { createRate } from '../../src/limits/rate.ts'

/** Whole seconds and some ms: resets are rounded up. */
const NOW = Date.UTC(2030, 0, 1) + 250
const EPOCH = Date.UTC(2030, 0, 1) / 1000 + 1

type Written = Record<string, string | number | undefined>

function write(standings: readonly Standing[], mode: LimitHeaders = 'both', now = NOW): Written {
  const headers: Written = {}
  writeLimitHeaders(headers, standings, mode, now)
  return headers
}

interface GivenStanding {
  readonly name?: string
  readonly limit?: number
  readonly window?: number
  readonly isAllowed?: boolean
  readonly remaining?: number
  readonly resetAfter?: number
  readonly retryAfter?: number
}

function standing(given: GivenStanding = {}): Standing {
  const { name = 'a', limit = 60, window = 60_000, isAllowed = true, remaining = 59 } = given
  const { resetAfter = isAllowed ? window : 0, retryAfter = 0 } = given
  const rate = createRate({ limit, window })
  return { label: labelOf(name, rate), reading: { rate, isAllowed, remaining, resetAfter, retryAfter } }
}

const IETF = { 'ratelimit-policy': '"a";q=60;w=60', ratelimit: '"a";r=59;t=60' }
const X = { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': 59, 'x-ratelimit-reset': EPOCH + 60 }

describe('the modes', () => {
  test.each<{ mode: LimitHeaders; expected: Written }>([
    { mode: 'both', expected: { ...IETF, ...X } },
    { mode: 'ietf', expected: IETF },
    { mode: 'x', expected: X },
    { mode: false, expected: {} },
  ])('$mode', ({ mode, expected }) => {
    expect(write([standing()], mode)).toEqual(expected)
    expect(write([], mode)).toEqual({})
  })

  test('other headers of the answer stay, old ones of limits are replaced', () => {
    const headers: Written = { vary: 'Cookie', ratelimit: 'old', 'x-ratelimit-limit': '1' }
    writeLimitHeaders(headers, [standing()], 'both', NOW)
    expect(headers).toEqual({ vary: 'Cookie', ...IETF, ...X })
  })
})

describe('times', () => {
  test.each([
    { name: 'nothing was taken', resetAfter: 0, t: 0 },
    { name: 'a ms is left', resetAfter: 1, t: 1 },
    { name: 'a second is left', resetAfter: 1000, t: 1 },
    { name: 'a bit more than a second is left', resetAfter: 1001, t: 2 },
  ])('$name: $t s from now', ({ resetAfter, t }) => {
    const headers = write([standing({ resetAfter })])
    expect(headers).toMatchObject({ ratelimit: `"a";r=59;t=${t}`, 'x-ratelimit-reset': EPOCH + t })
  })

  test('the moment of the reset is no earlier than the reset', () => {
    for (const ms of [0, 1, 499, 999]) {
      const now = Date.UTC(2030, 0, 1) + ms
      const reset = Number(write([standing({ resetAfter: 1500 })], 'x', now)['x-ratelimit-reset'])
      expect(reset * 1000).toBeGreaterThanOrEqual(now + 1500)
      expect(reset * 1000).toBeLessThan(now + 1500 + 2000)
    }
  })

  test.each([
    [1, '"a";q=60;w=1'],
    [1000, '"a";q=60;w=1'],
    [1001, '"a";q=60;w=2'],
    [31 * 86_400_000, '"a";q=60;w=2678400'],
  ])('a window of %p ms is told as %s', (window, policy) => {
    expect(write([standing({ window })])['ratelimit-policy']).toBe(policy)
  })
})

describe('who is refused', () => {
  test('hears of the time until the same may be tried again, not until all is there', () => {
    const refused = standing({ isAllowed: false, remaining: 0, resetAfter: 50_000, retryAfter: 12_345 })
    expect(waitOf(refused.reading)).toBe(12_345)
    expect(write([refused])).toEqual({
      'ratelimit-policy': '"a";q=60;w=60',
      ratelimit: '"a";r=0;t=13',
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': 0,
      'x-ratelimit-reset': EPOCH + 13,
    })
  })

  test('for what costs more than there ever is waits a window, since no header can say never', () => {
    const never = { isAllowed: false, remaining: 3, resetAfter: Infinity, retryAfter: Infinity }
    const refused = standing(never)
    expect(waitOf(refused.reading)).toBe(60_000)
    expect(write([refused])).toMatchObject({ ratelimit: '"a";r=3;t=60', 'x-ratelimit-reset': EPOCH + 60 })
  })

  test('hears the same of a real limiter', () => {
    const rate = createRate({ limit: 2, window: 10_000 })
    const limiter = new Limiter(rate, 10)
    const label = labelOf('a', rate)
    const states = [0, 1000, 2000, 9999, 10_000].map((ms) => {
      const reading = limiter.hit('x', NOW + ms)
      return write([{ label, reading }], 'ietf').ratelimit
    })
    expect(states).toEqual(['"a";r=1;t=10', '"a";r=0;t=10', '"a";r=0;t=8', '"a";r=0;t=1', '"a";r=0;t=10'])
    expect(write([{ label, reading: limiter.hit('x', NOW, 3) }], 'ietf').ratelimit).toBe('"a";r=0;t=10')
  })
})

describe('several limits', () => {
  const second = standing({ name: 'second', limit: 10, window: 1000, remaining: 9 })
  const hour = standing({ name: 'hour', limit: 1000, window: 3_600_000, remaining: 4, resetAfter: 1_800_000 })

  test('are all told in the order they were counted, and the tightest in the headers that hold one', () => {
    const expected = {
      'ratelimit-policy': '"second";q=10;w=1, "hour";q=1000;w=3600',
      ratelimit: '"second";r=9;t=1, "hour";r=4;t=1800',
      'x-ratelimit-limit': '1000',
      'x-ratelimit-remaining': 4,
      'x-ratelimit-reset': EPOCH + 1800,
    }
    expect(write([second, hour])).toEqual(expected)
    expect(write([hour, second])).toMatchObject({ 'x-ratelimit-limit': '1000' })
    const { 'ratelimit-policy': _, ratelimit: __, ...x } = expected
    expect(write([second, hour], 'x')).toEqual(x)
  })

  const refused = (name: string, limit: number, retryAfter: number) =>
    standing({ name, limit, isAllowed: false, remaining: 5, resetAfter: retryAfter, retryAfter })
  test.each<{ name: string; standings: readonly Standing[]; limit: string }>([
    {
      name: 'the one with least left',
      standings: [standing({ limit: 1, remaining: 1 }), standing({ limit: 2, remaining: 0 })],
      limit: '2',
    },
    {
      name: 'the first of equals',
      standings: [standing({ limit: 1, remaining: 0 }), standing({ limit: 2, remaining: 0 })],
      limit: '1',
    },
    {
      name: 'a refused one, though others have less left',
      standings: [standing({ limit: 1, remaining: 0 }), refused('b', 2, 1)],
      limit: '2',
    },
    {
      name: 'a refused one that comes first',
      standings: [refused('b', 2, 1), standing({ limit: 1, remaining: 0 })],
      limit: '2',
    },
    {
      name: 'the refused one that waits longest',
      standings: [refused('b', 2, 1), refused('c', 3, 2), refused('d', 4, 1)],
      limit: '3',
    },
    {
      name: 'a window, of one that never fits',
      standings: [refused('b', 2, 60_001), refused('c', 3, Infinity)],
      limit: '2',
    },
  ])('the tightest is $name', ({ standings, limit }) => {
    expect(write(standings, 'x')['x-ratelimit-limit']).toBe(limit)
  })
})
