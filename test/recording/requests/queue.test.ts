/** Batches that are written beside requests: in order, again after a failure, bounded, and to the end. */
import { describe, expect, jest, test } from 'bun:test'
import { BatchQueue } from '../../../src/recording/requests/queue.ts'

function createQueue(more: { readonly capacity?: number; readonly mostWeight?: number } = {}) {
  const written: number[][] = []
  const warnings: string[] = []
  const state = { isBroken: false, isStuck: false }
  const queue = new BatchQueue<number>({
    name: 'the numbers',
    warn: (message) => warnings.push(message),
    weigh: () => 10,
    batchSize: 3,
    interval: 1_000_000,
    random: () => 0,
    write(batch) {
      if (state.isStuck) return new Promise(() => undefined)
      if (state.isBroken) throw new Error('locked')
      return void written.push([...batch])
    },
    ...more,
  })
  const add = (...items: readonly number[]) => items.map((item) => queue.add(item))
  return { queue, written, warnings, state, add }
}

async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms)
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

test('what comes is written in batches, oldest first', async () => {
  const { queue, written, add } = createQueue()
  add(1, 2, 3, 4, 5, 6, 7)
  expect(await queue.flush()).toBe(true)
  expect(written).toEqual([[1, 2, 3], [4, 5, 6], [7]])
  expect(queue.figures).toEqual({ queued: 0, written: 7, dropped: 0, failures: 0, isFailing: false })
})

test('a batch that fails is kept, and given again', async () => {
  const { queue, written, state, add, warnings } = createQueue()
  state.isBroken = true
  add(1, 2)
  for (let round = 0; round < 4; round += 1) expect(await queue.flush()).toBe(false)
  expect(queue.figures).toEqual({ queued: 2, written: 0, dropped: 0, failures: 4, isFailing: true })
  expect(warnings).toEqual([expect.stringContaining('the numbers could not be written 3 times')])
  state.isBroken = false
  add(3, 4)
  expect(await queue.flush()).toBe(true)
  expect(written).toEqual([[1, 2, 3], [4]])
})

describe('what there is no room for', () => {
  test.each([{ capacity: 4 }, { mostWeight: 40 }])('is dropped, counted and told of once: %p', async (bounds) => {
    const { queue, written, add, warnings } = createQueue(bounds)
    expect(add(1, 2, 3, 4, 5, 6)).toEqual([true, true, true, true, false, false])
    expect(queue.figures).toMatchObject({ queued: 4, dropped: 2 })
    expect(warnings).toEqual([
      expect.stringContaining('entries are dropped. See that the database, or the sink, answers'),
    ])
    await queue.flush()
    expect(add(7)).toEqual([true])
    await queue.flush()
    expect(written.flat()).toEqual([1, 2, 3, 4, 7])
  })
})

test('stopping writes what is left, and takes nothing more', async () => {
  const { queue, written, add } = createQueue()
  add(1, 2, 3, 4)
  await queue.stop()
  expect(written.flat()).toEqual([1, 2, 3, 4])
  expect(add(5)).toEqual([false])
})

test('stopping waits two seconds at most, and says what is lost', async () => {
  const { queue, state, add, warnings } = createQueue()
  state.isStuck = true
  add(1, 2)
  jest.useFakeTimers()
  try {
    let isStopped = false
    const stopping = queue.stop().then(() => {
      isStopped = true
    })
    jest.advanceTimersByTime(1999)
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve()
    expect(isStopped).toBe(false)
    jest.advanceTimersByTime(1)
    await stopping
  } finally {
    jest.useRealTimers()
  }
  expect(queue.figures.dropped).toBe(2)
  expect(warnings).toEqual(['the numbers could not be written before the end: 2 entries are lost'])
})

test('stopping tries again while it fails, until it is written', async () => {
  const { queue, written, state, add, warnings } = createQueue()
  state.isBroken = true
  add(1, 2, 3, 4)
  jest.useFakeTimers()
  try {
    const stopping = queue.stop()
    for (let ms = 0; ms < 300; ms += 50) await pass(50)
    expect([written, queue.figures.isFailing]).toEqual([[], true])
    state.isBroken = false
    await pass(50)
    // Between two batches it lets others have their turn.
    jest.useRealTimers()
    await stopping
  } finally {
    jest.useRealTimers()
  }
  expect(written.flat()).toEqual([1, 2, 3, 4])
  expect(warnings).toEqual([])
  expect(queue.figures).toMatchObject({ queued: 0, written: 4, dropped: 0 })
})

test('stopping takes no longer than it may, and tells what is lost with what did not get here', async () => {
  const { queue, state, add, warnings } = createQueue()
  state.isBroken = true
  add(1, 2)
  jest.useFakeTimers()
  try {
    const stopping = queue.stop(100, 3)
    await pass(100)
    await stopping
  } finally {
    jest.useRealTimers()
  }
  expect(queue.figures).toMatchObject({ queued: 0, dropped: 5 })
  expect(warnings).toEqual(['the numbers could not be written before the end: 5 entries are lost'])
})

test('whoever waits for a round and flushes again at once loses nothing and writes nothing twice', async () => {
  const written: number[] = []
  const queue = new BatchQueue<number>({
    ...{ name: 'the numbers', warn: () => undefined, weigh: () => 1, interval: 1_000_000, batchSize: 10 },
    async write(batch) {
      if (written.length > 28) throw new Error('more than there is')
      const now = [...batch]
      await Promise.resolve()
      written.push(...now)
    },
  })
  const numbers = Array.from({ length: 28 }, (_, n) => n)
  for (const n of numbers.slice(0, 8)) queue.add(n)
  const first = queue.flush()
  for (const n of numbers.slice(8)) queue.add(n)
  const again = first.then(() => queue.flush())
  await Promise.all([first, queue.flush(), again])
  expect(written).toEqual(numbers)
  expect(queue.figures).toMatchObject({ queued: 0, written: 28 })
})
