/** Work that waits beside requests: in order, bounded, each item once, and to the end. */
import { describe, expect, test } from 'bun:test'
import { Backlog } from '../../../src/recording/requests/backlog.ts'

function createBacklog(more: { readonly capacity?: number; readonly mostBytes?: number } = {}) {
  const done: number[] = []
  const dropped: number[] = []
  const state = { isStuck: false }
  const backlog = new Backlog<number>({
    interval: 1_000_000,
    enough: 3,
    async work(item) {
      if (state.isStuck) await new Promise(() => undefined)
      done.push(item)
    },
    onDropped: (item) => dropped.push(item),
    ...more,
  })
  const add = (...items: readonly number[]) => {
    for (const item of items) backlog.add(item, 10)
  }
  return { backlog, done, dropped, state, add }
}

test('items are worked on in the order in which they came, and what comes meanwhile by the next round', async () => {
  const { backlog, done, add } = createBacklog()
  add(1, 2, 3, 4)
  const first = backlog.flush()
  add(5)
  expect(backlog.count).toBe(5)
  await first
  expect([done, backlog.count]).toEqual([[1, 2, 3, 4], 1])
  await backlog.flush()
  expect([done, backlog.count]).toEqual([[1, 2, 3, 4, 5], 0])
})

describe('what there is no room for', () => {
  test.each([{ capacity: 2 }, { mostBytes: 29 }])('is dropped, until there is room: %p', async (bounds) => {
    const { backlog, done, dropped, add } = createBacklog(bounds)
    add(1, 2, 3)
    const working = backlog.flush()
    add(4)
    await working
    add(5)
    await backlog.flush()
    expect([done, dropped]).toEqual([
      [1, 2, 5],
      [3, 4],
    ])
  })
})

test('stopping ends the work, takes nothing more, and drops what a second is too short for', async () => {
  const { backlog, done, dropped, add } = createBacklog()
  add(1, 2)
  await backlog.stop()
  add(3)
  expect([done, dropped]).toEqual([[1, 2], [3]])

  const stuck = createBacklog()
  stuck.state.isStuck = true
  stuck.add(1, 2, 3, 4, 5, 6)
  await stuck.backlog.stop(1)
  // One was being worked on: nobody waits for it.
  expect(stuck.backlog.count).toBe(1)
  expect([stuck.done, stuck.dropped]).toEqual([[], [2, 3, 4, 5, 6]])
})
