import { describe, expect, test } from 'bun:test'
import { Limiter } from '../../src/limits/limiter.ts'
import { createRate } from '../../src/limits/rate.ts'
import { START } from './schedules.ts'

const RATE = createRate({ limit: 3, window: 1000 })

describe('a limiter', () => {
  test('says after each hit how it stands', () => {
    const limiter = new Limiter(RATE, 10)
    const expected = { rate: RATE, isAllowed: true, retryAfter: 0 }
    expect(limiter.hit('a', START)).toEqual({ ...expected, remaining: 2, resetAfter: 1000 })
    expect(limiter.hit('a', START + 100)).toEqual({ ...expected, remaining: 1, resetAfter: 1000 })
    expect(limiter.hit('a', START + 200)).toEqual({ ...expected, remaining: 0, resetAfter: 1000 })
    const refused = { rate: RATE, isAllowed: false, remaining: 0, resetAfter: 700, retryAfter: 700 }
    expect(limiter.hit('a', START + 300)).toEqual(refused)
    expect(limiter.hit('a', START + 1000)).toEqual({ ...expected, remaining: 0, resetAfter: 1000 })
  })

  test('reading takes nothing and remembers nobody', () => {
    const limiter = new Limiter(RATE, 10)
    const fresh = { rate: RATE, isAllowed: true, remaining: 3, resetAfter: 0, retryAfter: 0 }
    for (let times = 0; times < 5; times++) expect(limiter.read('a', START)).toEqual(fresh)
    expect(limiter.size).toBe(0)
    limiter.hit('a', START, 2)
    for (let times = 0; times < 5; times++) {
      expect(limiter.read('a', START)).toMatchObject({ isAllowed: true, remaining: 1, retryAfter: 0 })
      expect(limiter.read('a', START, 2)).toMatchObject({ isAllowed: false, remaining: 1, retryAfter: 1000 })
    }
    expect(limiter.hit('a', START)).toMatchObject({ isAllowed: true, remaining: 0 })
  })

  test('a cost takes that many units, or none', () => {
    const limiter = new Limiter(RATE, 10)
    expect(limiter.hit('a', START, 2)).toMatchObject({ isAllowed: true, remaining: 1 })
    expect(limiter.hit('a', START, 2)).toMatchObject({ isAllowed: false, remaining: 1 })
    expect(limiter.hit('a', START, 1)).toMatchObject({ isAllowed: true, remaining: 0 })
  })

  test('a cost of 0 is always allowed, takes nothing and remembers nobody', () => {
    const limiter = new Limiter(RATE, 10)
    expect(limiter.hit('a', START, 0)).toMatchObject({ isAllowed: true, remaining: 3 })
    expect(limiter.size).toBe(0)
    limiter.hit('a', START, 3)
    expect(limiter.hit('a', START + 500, 0)).toMatchObject({ isAllowed: true, remaining: 0, resetAfter: 500 })
  })

  test.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a cost of %p as a mistake', (cost) => {
    const limiter = new Limiter(RATE, 10)
    expect(() => limiter.hit('a', START, cost)).toThrow(RangeError)
    expect(() => limiter.read('a', START, cost)).toThrow(RangeError)
    expect(limiter.read('a', START).remaining).toBe(3)
  })

  test('forgetting lets a subject start anew', () => {
    const limiter = new Limiter(RATE, 10)
    limiter.hit('a', START, 3)
    limiter.hit('b', START, 3)
    limiter.forget('a')
    expect(limiter.hit('a', START)).toMatchObject({ isAllowed: true, remaining: 2 })
    expect(limiter.hit('b', START).isAllowed).toBe(false)
  })

  test('forgets also who has not come since the generation turned', () => {
    const limiter = new Limiter(RATE, 10)
    limiter.hit('other', START)
    limiter.hit('a', START + 900, 3)
    limiter.hit('other', START + 1000)
    limiter.forget('a')
    expect(limiter.hit('a', START + 1001)).toMatchObject({ isAllowed: true, remaining: 2 })
  })

  test('two limiters share nothing', () => {
    const [one, other] = [new Limiter(RATE, 10), new Limiter(RATE, 10)]
    one.hit('a', START, 3)
    expect(other.hit('a', START)).toMatchObject({ isAllowed: true, remaining: 2 })
    expect(one.hit('a', START).isAllowed).toBe(false)
  })

  test('is idle a window after the last hit', () => {
    const limiter = new Limiter(RATE, 10)
    expect(limiter.isIdle(START)).toBe(true)
    limiter.hit('a', START)
    expect(limiter.isIdle(START + 999)).toBe(false)
    expect(limiter.isIdle(START + 1000)).toBe(true)
  })
})

describe('subjects', () => {
  const long = 'x'.repeat(100_000)
  const names = [
    ...['', ' ', '\n', '\0', 'a', 'a\n', '\na', 'a\nb', 'a b', 'A', 'á', 'a\u0301', '0', '00', '-0', 'NaN', 'null'],
    ...['undefined', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'size', '\ud800', '😀'],
    ...[long, `${long}x`, `${long}y`],
  ]

  test('are told apart whatever their text', () => {
    const limiter = new Limiter(RATE, 1000)
    for (const [index, name] of names.entries()) limiter.hit(name, START, (index % 3) + 1)
    expect(limiter.size).toBe(names.length)
    for (const [index, name] of names.entries()) {
      expect(limiter.read(name, START).remaining).toBe(2 - (index % 3))
      // The same text, put together anew.
      expect(limiter.read([...name].join(''), START).remaining).toBe(2 - (index % 3))
    }
  })

  test('at their limit stay refused while newcomers flood a full memory', () => {
    const limiter = new Limiter(createRate({ limit: 3, window: 1_000_000 }), 1000)
    limiter.hit('active', START, 3)
    let admitted = 0
    for (let index = 0; index < 200_000; index++) {
      if (limiter.hit(`newcomer ${index}`, START + index).isAllowed) admitted += 1
      if (index % 1000 === 0) expect(limiter.hit('active', START + index).isAllowed).toBe(false)
    }
    expect(limiter.hit('active', START + 200_000).isAllowed).toBe(false)
    expect(limiter.size).toBe(1000)
    // One each for those that found room, and what one subject gets for all the others.
    expect(admitted).toBe(999 + 3)
  })

  test('without room of their own are limited together, and alone again after a window', () => {
    const limiter = new Limiter(RATE, 2)
    for (const subject of ['a', 'b']) limiter.hit(subject, START)
    const outcomes = ['c', 'd', 'e', 'f'].map((subject) => limiter.hit(subject, START + 1).isAllowed)
    expect(outcomes).toEqual([true, true, true, false])
    expect(limiter.read('g', START + 1)).toMatchObject({ isAllowed: false, remaining: 0 })
    expect(limiter.hit('a', START + 1)).toMatchObject({ isAllowed: true, remaining: 1 })
    expect(limiter.hit('f', START + 2001)).toMatchObject({ isAllowed: true, remaining: 2 })
    expect(limiter.hit('g', START + 2001)).toMatchObject({ isAllowed: true, remaining: 2 })
  })
})
