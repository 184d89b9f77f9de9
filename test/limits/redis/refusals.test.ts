import { describe, expect, test } from 'bun:test'
import type { Reading } from '../../../src/limits/limiter.ts'
import { createRate } from '../../../src/limits/rate.ts'
import { Places } from '../../../src/limits/redis/places.ts'
import { Refusals } from '../../../src/limits/redis/refusals.ts'
import { START } from '../schedules.ts'

const rate = createRate({ limit: 10, window: 1000 })

function refused(retryAfter: number): Reading {
  return { rate, isAllowed: false, remaining: 3, resetAfter: retryAfter, retryAfter }
}

/** Of one who was refused 4 units for 500 ms. */
function remembering(): Refusals {
  const refusals = new Refusals(10)
  refusals.remember('a', 4, refused(500), START, refusals.generation)
  return refusals
}

describe('what is remembered of a refusal', () => {
  test.each([
    { name: 'at once', cost: 4, later: 0, left: 500 },
    { name: 'a ms before the end', cost: 4, later: 499, left: 1 },
    { name: 'for more', cost: 10, later: 100, left: 400 },
    { name: 'for more than can ever be', cost: 11, later: 100, left: Number.POSITIVE_INFINITY },
  ])('holds $name', ({ cost, later, left }) => {
    const known = { rate, isAllowed: false, remaining: 3, resetAfter: left, retryAfter: left }
    expect(remembering().find('a', cost, START + later)).toEqual(known)
  })

  test.each([
    { name: 'for less', key: 'a', cost: 3, later: 0 },
    { name: 'for nothing', key: 'a', cost: 0, later: 0 },
    { name: 'for somebody else', key: 'b', cost: 4, later: 0 },
    { name: 'at the end', key: 'a', cost: 4, later: 500 },
    { name: 'when the clock was set back', key: 'a', cost: 4, later: -1 },
  ])('does not hold $name', ({ key, cost, later }) => {
    expect(remembering().find(key, cost, START + later)).toBeUndefined()
  })

  test('of what can never be allowed holds for a window', () => {
    const refusals = new Refusals(10)
    refusals.remember('a', 11, refused(Number.POSITIVE_INFINITY), START, refusals.generation)
    expect(refusals.find('a', 11, START + 999)?.retryAfter).toBe(Number.POSITIVE_INFINITY)
    expect(refusals.find('a', 11, START + 1000)).toBeUndefined()
  })

  test('is replaced by a later one', () => {
    const refusals = remembering()
    refusals.remember('a', 1, refused(100), START, refusals.generation)
    expect(refusals.find('a', 1, START)?.retryAfter).toBe(100)
    expect(refusals.size).toBe(1)
  })

  test('takes bounded room: the oldest leaves first', () => {
    const refusals = new Refusals(3)
    for (const key of ['a', 'b', 'a', 'c', 'd']) refusals.remember(key, 1, refused(500), START, refusals.generation)
    expect(refusals.size).toBe(3)
    expect(['a', 'b', 'c', 'd'].filter((key) => refusals.find(key, 1, START) !== undefined)).toEqual(['a', 'c', 'd'])
  })

  test('takes none once it has ended', () => {
    const refusals = remembering()
    refusals.find('a', 4, START + 500)
    expect(refusals.size).toBe(0)
  })

  test('is not what was asked before something was forgotten', () => {
    const refusals = remembering()
    const { generation } = refusals
    refusals.forget(['a'])
    refusals.remember('a', 4, refused(500), START, generation)
    expect(refusals.size).toBe(0)
  })
})

test('the places of limits are remembered up to a thousand', () => {
  const places = new Places()
  for (let place = 0; place < 1500; place++) places.add(String(place), rate)
  const names = Array.from(places.entriesOf('ip:a'), ([place]) => place)
  expect([names.length, names[0], names.at(-1)]).toEqual([1000, '500', '1499'])
})
