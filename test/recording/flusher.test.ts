/** When rounds begin, with a clock that is moved by hand. */
import { afterEach, beforeEach, describe, expect, jest, test } from 'bun:test'
import { Flusher, pauseAfter } from '../../src/recording/flusher.ts'

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

function begin(answers: boolean[] = [], interval = 100) {
  let rounds = 0
  const outages: number[] = []
  const flusher = new Flusher({
    interval,
    random: () => 0,
    onOutage: (failures) => outages.push(failures),
    async round() {
      rounds += 1
      if (answers.shift() === false) throw new Error('locked')
    },
  })
  flusher.start()
  return { flusher, outages, rounds: () => rounds }
}

test.each([
  [1, 0, 1000],
  [2, 0, 2000],
  [3, 0, 4000],
  [4, 0, 5000],
  [60, 0, 5000],
  [2000, 0, 5000],
  [1, 1, 500],
  [6, 1, 2500],
  [2, 0.5, 1500],
])('after %p failures, with %p at random, it waits %p ms', (failures, random, pause) => {
  expect(pauseAfter(failures, () => random)).toBe(pause)
})

test('begins a round at each interval, until it is stopped', async () => {
  const { flusher, rounds } = begin()
  await pass(99)
  expect(rounds()).toBe(0)
  await pass(1)
  expect(rounds()).toBe(1)
  await pass(100)
  expect(rounds()).toBe(2)
  flusher.stop()
  await pass(1000)
  expect(rounds()).toBe(2)
})

test('waits longer while rounds fail, and not at all when it is asked to', async () => {
  const { flusher, rounds, outages } = begin([false, false, false, false, true])
  await pass(100)
  expect(rounds()).toBe(1)
  await pass(999)
  expect(rounds()).toBe(1)
  await pass(1)
  expect(rounds()).toBe(2)
  flusher.hurry()
  await pass(1999)
  expect(rounds()).toBe(2)
  expect(outages).toEqual([])
  await pass(1)
  expect([rounds(), outages]).toEqual([3, [3]])
  expect(await flusher.flush()).toBe(false)
  expect([rounds(), outages]).toEqual([4, [3]])
  expect(await flusher.flush()).toBe(true)
  await pass(100)
  expect(rounds()).toBe(6)
  flusher.stop()
})

test('an interval that is longer than the pause is kept', async () => {
  const { flusher, rounds } = begin([false], 5000)
  await pass(5000)
  await pass(4999)
  expect(rounds()).toBe(1)
  await pass(1)
  expect(rounds()).toBe(2)
  flusher.stop()
})

test('begins at once when it is to hurry', async () => {
  const { flusher, rounds } = begin()
  flusher.hurry()
  flusher.hurry()
  await pass(0)
  expect(rounds()).toBe(1)
  flusher.stop()
})

test('asking for a round during an outage neither puts the next one off nor makes it wait longer', async () => {
  const { flusher, rounds } = begin(new Array<boolean>(12).fill(false))
  await pass(100)
  for (let asked = 0; asked < 10; asked += 1) expect(await flusher.flush()).toBe(false)
  expect(rounds()).toBe(11)
  await pass(999)
  expect(rounds()).toBe(11)
  await pass(1)
  expect(rounds()).toBe(12)
  await pass(2000)
  expect(rounds()).toBe(13)
  await pass(100)
  expect(rounds()).toBe(14)
  flusher.stop()
})

test('a round that was asked for and wrote all ends the outage', async () => {
  const { flusher, rounds } = begin([false, false, false])
  await pass(3100)
  expect([rounds(), flusher.isFailing]).toEqual([3, true])
  expect(await flusher.flush()).toBe(true)
  expect(flusher.isFailing).toBe(false)
  await pass(100)
  expect(rounds()).toBe(5)
  flusher.stop()
})

describe('while a round is under way', () => {
  function beginSlow() {
    const ends: PromiseWithResolvers<void>[] = []
    const flusher = new Flusher({
      ...{ interval: 100, random: () => 0, onOutage: () => undefined },
      round() {
        const end = Promise.withResolvers<void>()
        ends.push(end)
        return end.promise
      },
    })
    return { flusher, ends }
  }

  test('all who ask share one after it, and its failure', async () => {
    const { flusher, ends } = beginSlow()
    const first = flusher.flush()
    const others = [flusher.flush(), flusher.flush(), flusher.flush()]
    expect(ends).toHaveLength(1)
    ends[0]?.resolve()
    expect(await first).toBe(true)
    await pass(0)
    expect(ends).toHaveLength(2)
    ends[1]?.reject(new Error('locked'))
    expect(await Promise.all(others)).toEqual([false, false, false])
    expect([flusher.flushes, flusher.failures]).toEqual([2, 1])
    flusher.stop()
  })

  test('whoever asks at the moment it ends begins no second one beside the one that waits', async () => {
    const { flusher, ends } = beginSlow()
    const again = flusher.flush().then(() => flusher.flush())
    const next = flusher.flush()
    ends[0]?.resolve()
    await pass(0)
    expect(ends).toHaveLength(2)
    ends[1]?.resolve()
    expect(await next).toBe(true)
    for (const end of ends.slice(2)) end.resolve()
    expect(await again).toBe(true)
    flusher.stop()
  })
})
