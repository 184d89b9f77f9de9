/** When rounds begin, with a clock that is moved by hand. */
import { afterEach, beforeEach, expect, jest, test } from 'bun:test'
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
  [5, 0, 16_000],
  [6, 0, 30_000],
  [60, 0, 30_000],
  [2000, 0, 30_000],
  [1, 1, 500],
  [6, 1, 15_000],
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
