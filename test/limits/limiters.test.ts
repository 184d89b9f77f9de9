import { describe, expect, test } from 'bun:test'
import { Limiters } from '../../src/limits/limiters.ts'
import { createRate } from '../../src/limits/rate.ts'
import { START } from './schedules.ts'

const RATE = createRate({ limit: 2, window: 1000 })

describe('limiters', () => {
  test('of one place are one, and of two places two', () => {
    const limiters = new Limiters(10)
    expect(limiters.declared('a', RATE)).toBe(limiters.declared('a', RATE))
    expect(limiters.declared('b', RATE)).not.toBe(limiters.declared('a', RATE))
    expect(limiters.occasional('c', RATE, START)).toBe(limiters.occasional('c', RATE, START))
    expect(limiters.occasional('d', RATE, START)).not.toBe(limiters.occasional('c', RATE, START))
  })

  test('of one place are one, whether a route or a handler asks first', () => {
    const limiters = new Limiters(10)
    expect(limiters.occasional('a', RATE, START)).toBe(limiters.declared('a', RATE))
    limiters.occasional('b', RATE, START).hit('x', START, 2)
    expect(limiters.declared('b', RATE).hit('x', START).isAllowed).toBe(false)
    expect(limiters.occasional('b', RATE, START)).toBe(limiters.declared('b', RATE))
  })

  test.each(['', '__proto__', 'constructor', 'a\nb', '["rate"]'])(
    'a place called %j is a place like others',
    (place) => {
      for (const kind of ['declared', 'occasional'] as const) {
        const limiters = new Limiters(10)
        const hit = (at: string) => limiters[kind](at, RATE, START).hit('x', START).isAllowed
        expect([hit(place), hit(place), hit(place), hit(`${place} `)]).toEqual([true, true, false, true])
      }
    },
  )

  test('remember as many subjects as they are told', () => {
    const limiters = new Limiters(3)
    for (const limiter of [limiters.declared('a', RATE), limiters.occasional('b', RATE, START)]) {
      for (let subject = 0; subject < 10; subject++) limiter.hit(`subject ${subject}`, START)
      expect(limiter.size).toBe(3)
    }
  })

  test('let a subject start anew everywhere, and no other', () => {
    const limiters = new Limiters(10)
    const all = [limiters.declared('a', RATE), limiters.declared('b', RATE), limiters.occasional('c', RATE, START)]
    for (const limiter of all) for (const subject of ['x', 'y']) limiter.hit(subject, START, 2)
    limiters.forget('x')
    for (const limiter of all) {
      expect([limiter.read('x', START).remaining, limiter.read('y', START).remaining]).toEqual([2, 0])
    }
  })
})

describe('limits that only requests bring up', () => {
  /** Uses as many of them as is said. */
  function useMany(limiters: Limiters, from: number, to: number, now = START): void {
    for (let place = from; place < to; place++) limiters.occasional(`${place}`, RATE, now).hit('x', now, 2)
  }

  test('are thrown away when there are many and they are idle, and those in use are not', () => {
    const limiters = new Limiters(10)
    useMany(limiters, 0, 999)
    const later = START + RATE.window
    const used = limiters.occasional('used', RATE, later - 1)
    used.hit('x', later - 1, 2)
    const idle = limiters.occasional('0', RATE, later)
    useMany(limiters, 1000, 1001, later)
    expect(limiters.occasional('used', RATE, later)).toBe(used)
    expect(limiters.occasional('used', RATE, later).hit('x', later).isAllowed).toBe(false)
    expect(limiters.occasional('0', RATE, later)).not.toBe(idle)
    expect([used.isRetired, idle.isRetired]).toEqual([false, true])
    expect(limiters.occasional('0', RATE, later).hit('x', later).isAllowed).toBe(true)
  })

  test('never more than 10,000 in use at once: the next one is a mistake, known ones go on', () => {
    const limiters = new Limiters(10)
    useMany(limiters, 0, 10_000)
    expect(() => limiters.occasional('one more', RATE, START)).toThrow(RangeError)
    expect(limiters.occasional('0', RATE, START).hit('x', START).isAllowed).toBe(false)
    const later = START + RATE.window
    expect(limiters.occasional('one more', RATE, later).hit('x', later).isAllowed).toBe(true)
  })

  test('those that routes declare are held, whatever else is in use', () => {
    const limiters = new Limiters(10)
    const declared = limiters.declared('a', RATE)
    useMany(limiters, 0, 1001)
    useMany(limiters, 1001, 2002, START + RATE.window)
    expect(limiters.declared('a', RATE)).toBe(declared)
  })
})
