import { describe, expect, test } from 'bun:test'
import { exactLog } from '../../src/limits/exact-log.ts'
import { createRate } from '../../src/limits/rate.ts'
import { slidingWindowCounter } from '../../src/limits/sliding-window-counter.ts'
import { subWindows } from '../../src/limits/sub-windows.ts'
import { SubjectStore } from '../../src/limits/subject-store.ts'
import { tokenBucket } from '../../src/limits/token-bucket.ts'
import { START } from './schedules.ts'

const WINDOW = 1000
const RATE = createRate({ limit: 5, window: WINDOW })

function createStore(capacity: number) {
  return new SubjectStore(exactLog, RATE, capacity)
}

/** Touches a subject as a limiter does, and takes one unit. */
function touch(store: ReturnType<typeof createStore>, subject: string, now: number) {
  const state = store.get(subject, now) ?? store.create(subject, now)
  if (exactLog.available(state, RATE, now) > 0) exactLog.take(state, RATE, now, 1)
  return state
}

describe('the store of subjects', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses a capacity of %p', (capacity) => {
    expect(() => createStore(capacity)).toThrow(RangeError)
  })

  test('knows whom it has met, and nobody else', () => {
    const store = createStore(10)
    const state = touch(store, 'a', START)
    expect(store.get('a', START + 1)).toBe(state)
    expect(store.get('b', START + 1)).toBeUndefined()
    expect(store.size).toBe(1)
  })

  test('looking keeps nothing of a newcomer', () => {
    const store = createStore(10)
    expect(exactLog.available(store.peek('a', START), RATE, START)).toBe(5)
    expect(store.size).toBe(0)
  })

  test('keeps whoever comes within every window, and drops whoever stays away for two', () => {
    const store = createStore(10)
    const [regular] = [touch(store, 'regular', START), touch(store, 'once', START)]
    for (let now = START; now < START + 20 * WINDOW; now += WINDOW - 1)
      expect(touch(store, 'regular', now)).toBe(regular)
    expect(store.size).toBe(1)
    expect(store.get('regular', START + 30 * WINDOW)).toBeUndefined()
    expect(store.size).toBe(0)
  })

  test.each([
    { after: WINDOW - 1, isKnown: true },
    { after: 2 * WINDOW - 1, isKnown: true },
    { after: 2 * WINDOW, isKnown: false },
    { after: 3 * WINDOW, isKnown: false },
  ])('after $after ms in which nobody came, somebody is known: $isKnown', ({ after, isKnown }) => {
    const store = createStore(10)
    touch(store, 'a', START)
    expect(store.get('a', START + after) !== undefined).toBe(isKnown)
    expect(store.size).toBe(isKnown ? 1 : 0)
  })

  test.each([0, 1, WINDOW / 2, WINDOW - 1])(
    'forgets nobody within a window, however the generations turn (%p)',
    (offset) => {
      const store = createStore(10)
      touch(store, 'clockwork', START)
      const state = touch(store, 'a', START + offset)
      // Others make the generations turn at every moment that could be too early.
      for (const now of [WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + offset - 1]) {
        if (now >= offset) touch(store, 'clockwork', START + now)
      }
      expect(store.get('a', START + offset + WINDOW - 1)).toBe(state)
    },
  )

  test.each([
    {
      name: 'a counter',
      algorithm: slidingWindowCounter,
      rate: createRate({ limit: 5, window: WINDOW, strategy: 'sliding-window-counter' }),
      memory: 2 * WINDOW,
    },
    {
      name: 'a bucket of eight windows',
      algorithm: tokenBucket,
      rate: createRate({ limit: 5, window: WINDOW, strategy: 'token-bucket', burst: 40 }),
      memory: 8 * WINDOW,
    },
    { name: 'sub-windows', algorithm: subWindows, rate: createRate({ limit: 5000, window: WINDOW }), memory: 1016 },
  ])('remembers for as long as $name can matter, which is more than a window', ({ algorithm, rate, memory }) => {
    const store = new SubjectStore<object>(algorithm, rate, 10)
    store.get('a', START)
    const state = store.create('a', START)
    for (let now = START; now < START + memory; now += 100) store.get('other', now)
    expect(store.get('a', START + memory - 1)).toBe(state)
  })

  test('stays bounded under a flood of 200,000 subjects', () => {
    const store = createStore(1000)
    for (let index = 0; index < 200_000; index++) {
      touch(store, `subject ${index}`, START + Math.floor(index / 100))
      if (store.size > 1000) throw new Error(`${store.size} subjects`)
    }
    expect(store.size).toBeLessThanOrEqual(1000)
  })

  test('newcomers share one state while everybody is active', () => {
    const store = createStore(2)
    const own = [touch(store, 'a', START), touch(store, 'b', START)]
    const shared = touch(store, 'c', START + 1)
    expect(own).not.toContain(shared)
    expect(touch(store, 'd', START + 2)).toBe(shared)
    expect(store.peek('e', START + 2)).toBe(shared)
    expect(store.get('c', START + 2)).toBeUndefined()
    expect(store.size).toBe(2)
    expect([touch(store, 'a', START + 3), touch(store, 'b', START + 3)]).toEqual(own)
  })

  test('one who leaves makes room for one newcomer', () => {
    const store = createStore(2)
    for (const subject of ['a', 'b', 'c']) touch(store, subject, START)
    const shared = store.peek('c', START)
    store.delete('a')
    expect(touch(store, 'c', START)).not.toBe(shared)
    expect(touch(store, 'd', START)).toBe(shared)
  })

  test('nobody has the limit twice by moving from the shared state to one of his own', () => {
    const store = createStore(1)
    touch(store, 'a', START)
    for (let unit = 0; unit < 3; unit++) touch(store, 'b', START + 1)
    store.delete('a')
    const own = touch(store, 'b', START + 2)
    expect(exactLog.available(own, RATE, START + 2)).toBe(1)
    expect(exactLog.available(store.peek('c', START + 2), RATE, START + 2)).toBe(5 - 3)
    expect(exactLog.available(own, RATE, START + 2 + WINDOW)).toBe(5)
    store.delete('b')
    expect(exactLog.available(store.peek('c', START + 1 + WINDOW), RATE, START + 1 + WINDOW)).toBe(5)
  })

  test('room comes back after a window', () => {
    const store = createStore(100)
    for (let index = 0; index < 150; index++) touch(store, `early ${index}`, START)
    const shared = store.peek('late', START)
    for (let index = 0; index < 100; index++) expect(touch(store, `late ${index}`, START + WINDOW)).not.toBe(shared)
    expect(store.size).toBe(100)
  })

  test('idle subjects leave first, also in the middle of a generation', () => {
    const store = createStore(100)
    for (let index = 0; index < 50; index++) touch(store, `early ${index}`, START)
    for (let index = 0; index < 50; index++) touch(store, `active ${index}`, START + 600)
    const active = Array.from({ length: 50 }, (_, index) => store.get(`active ${index}`, START + 1000))
    for (let index = 0; index < 50; index++) touch(store, `active ${index}`, START + 1100)
    for (let index = 0; index < 50; index++) {
      expect(touch(store, `new ${index}`, START + 1100)).toBe(store.get(`new ${index}`, START + 1100) as never)
    }
    expect(Array.from({ length: 50 }, (_, index) => store.get(`active ${index}`, START + 1100))).toEqual(active)
    expect(store.size).toBe(100)
    expect(store.get('new 50', START + 1100)).toBeUndefined()
    expect(touch(store, 'new 50', START + 1100)).toBe(store.peek('new 51', START + 1100))
  })

  test('finds who became idle after it has looked at everybody once', () => {
    const store = createStore(20)
    store.get('nobody', START)
    for (let index = 0; index < 20; index++) touch(store, `early ${index}`, START + 900)
    for (let index = 0; index < 100; index++) touch(store, `too many ${index}`, START + 1000 + index)
    expect(store.size).toBe(20)
    touch(store, 'newcomer', START + 1900)
    expect(store.get('newcomer', START + 1900)).toBeDefined()
  })

  test('looks at the old of the next generation at once, wherever it stood in those of the last', () => {
    const store = createStore(100)
    store.get('nobody', START)
    for (let index = 0; index < 100; index++) touch(store, `early ${index}`, START + 900)
    touch(store, 'too many', START + 1000)
    for (let index = 0; index < 100; index++) touch(store, `early ${index}`, START + 1100)
    touch(store, 'newcomer', START + 2100)
    expect(store.get('newcomer', START + 2100)).toBeDefined()
  })

  test('a clock that jumps back drops nobody early and blocks no turn for the length of the jump', () => {
    const store = createStore(10)
    const state = touch(store, 'a', START)
    const back = START - 1e9
    expect(store.get('a', back)).toBe(state)
    expect(store.get('a', back + WINDOW)).toBe(state)
    touch(store, 'once', back + WINDOW)
    for (let now = back + WINDOW; now < back + 5 * WINDOW; now += 500) touch(store, 'a', now)
    expect(store.size).toBe(1)
  })

  test.each([
    { name: 'nobody came yet', now: START, expected: true, given: () => createStore(1) },
    { name: 'somebody just came', now: START, expected: false, given: touched },
    { name: 'somebody came within the window', now: START + WINDOW - 1, expected: false, given: touched },
    { name: 'nobody came for a window', now: START + WINDOW, expected: true, given: touched },
    { name: 'the clock jumped back', now: START - 1e9, expected: false, given: touched },
    { name: 'the only one was deleted', now: START, expected: true, given: () => deleted(['a'], 1) },
    { name: 'somebody shares', now: START, expected: false, given: () => deleted(['a', 'b'], 1) },
  ])('is idle when $name: $expected', ({ now, expected, given }) => {
    expect(given().isIdle(now)).toBe(expected)
  })
})

test('after a jump back the store is idle when nobody has come for a window since', () => {
  const store = touched()
  const back = START - 1e9
  expect([0, WINDOW - 1, WINDOW].map((ms) => store.isIdle(back + ms))).toEqual([false, false, true])
})

function touched() {
  const store = createStore(1)
  touch(store, 'a', START)
  return store
}

/** A store that has met these subjects and forgotten them one by one. */
function deleted(subjects: readonly string[], capacity: number) {
  const store = createStore(capacity)
  for (const subject of subjects) touch(store, subject, START)
  for (const subject of subjects) store.delete(subject)
  return store
}
