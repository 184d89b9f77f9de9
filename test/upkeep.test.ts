/** What is done from time to time, with a clock that is moved by hand. */
import { afterEach, beforeEach, expect, jest, test } from 'bun:test'
import { startUpkeep } from '../src/upkeep.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

/** Moves on, and lets what has begun come to its end. */
async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms)
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

function begin(tasks: Parameters<typeof startUpkeep>[0]) {
  const warnings: string[] = []
  const stop = startUpkeep(
    tasks,
    () => 7,
    (message) => warnings.push(message),
  )
  return { warnings, stop }
}

test('begins a minute after the start, then every hour, and ends when it is stopped', async () => {
  const times: number[] = []
  const { stop } = begin({ Counting: async (now) => times.push(now) })
  await pass(MINUTE - 1)
  expect(times).toEqual([])
  await pass(1)
  expect(times).toEqual([7])
  await pass(HOUR - 1)
  expect(times).toEqual([7])
  await pass(1)
  expect(times).toEqual([7, 7])
  await stop()
  await pass(3 * HOUR)
  expect(times).toEqual([7, 7])
})

test('the failure of one task is no other’s, and is told by its name', async () => {
  let done = 0
  const { warnings, stop } = begin({
    'The first': () => Promise.reject(new Error('no')),
    'The second': async () => {
      done += 1
    },
  })
  await pass(MINUTE)
  expect(done).toBe(1)
  expect(warnings).toEqual(['The first failed, and is tried again in an hour'])
  await stop()
})

test('stopping waits for the task under way, and begins no other', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const begun: string[] = []
  const task = (name: string) => async () => {
    begun.push(name)
    await promise
  }
  const { stop } = begin({ first: task('first'), second: task('second') })
  await pass(MINUTE)
  let isOver = false
  const stopping = stop().then(() => {
    isOver = true
  })
  await pass(0)
  expect(isOver).toBeFalse()
  resolve()
  await stopping
  expect(begun).toEqual(['first'])
})
