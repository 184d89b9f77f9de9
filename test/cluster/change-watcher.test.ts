import { describe, expect, jest, test } from 'bun:test'
import type { Change, ChangeBell } from '../../src/cluster/change-bell.ts'
import { ChangeWatcher } from '../../src/cluster/change-watcher.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'

const START = Date.UTC(2030, 0, 1)

/** A bell that is rung by hand. */
function createBell() {
  const state = { onChange: (_change: Change) => {}, isStopped: false }
  const bell: ChangeBell = {
    start(onChange) {
      state.onChange = onChange
    },
    ring: () => undefined,
    isHeard: true,
    async stop() {
      state.isStopped = true
    },
  }
  return { bell, state }
}

async function createWatched(bell: ChangeBell | null) {
  const storage = createMemoryStorage(() => START)
  const heard: string[] = []
  const looks = { count: 0, gaps: 0, fails: false }
  /** What the listener fails at. */
  const broken = new Set<string>()
  const changes = {
    ...storage.changes,
    // As on PostgreSQL, which cannot say whether anybody wrote.
    version: () => null,
    async since(sequence: number) {
      looks.count += 1
      if (looks.fails) throw new Error('away')
      return storage.changes.since(sequence)
    },
  }
  const listener = {
    onChange({ kind, subject }: Change) {
      if (broken.has(subject)) throw new Error('a fault')
      heard.push(`${kind} ${subject}`)
    },
    onGap() {
      if (broken.has('gap')) throw new Error('a fault')
      looks.gaps += 1
    },
  }
  const watcher = new ChangeWatcher(changes, () => START, listener, bell)
  await watcher.start()
  looks.count = 0
  const write = (name: string) => storage.roles.put({ name, permissions: [], inherits: [] }, START)
  return { watcher, heard, looks, write, broken }
}

describe('watching for changes', () => {
  test('hears by the bell at once, without a look', async () => {
    const { bell, state } = createBell()
    const { watcher, heard, looks } = await createWatched(bell)
    state.onChange({ kind: 'key', subject: 'k1' })
    expect([heard, looks.count]).toEqual([['key k1'], 0])
    await watcher.stop()
    expect(state.isStopped).toBeTrue()
  })

  test('tells what was heard and read both times, and what was read once', async () => {
    const { bell, state } = createBell()
    const { watcher, heard, looks, write } = await createWatched(bell)
    await write('r')
    state.onChange({ kind: 'role', subject: 'r' })
    await watcher.look()
    await watcher.look()
    expect([heard, looks.gaps, watcher.isCurrent]).toEqual([['role r', 'role r'], 0, true])
    await watcher.stop()
  })

  test('reads what no bell told', async () => {
    const { bell } = createBell()
    const { watcher, heard, write } = await createWatched(bell)
    await write('r')
    await watcher.look()
    expect(heard).toEqual(['role r'])
    await watcher.stop()
  })

  test('hears by the bell while the database is away, and does not call itself current for it', async () => {
    const { bell, state } = createBell()
    const { watcher, heard, looks, write } = await createWatched(bell)
    looks.fails = true
    await watcher.look()
    state.onChange({ kind: 'key', subject: 'k1' })
    expect([heard, watcher.isCurrent]).toEqual([['key k1'], false])
    looks.fails = false
    await write('r')
    await watcher.look()
    expect([heard, watcher.isCurrent]).toEqual([['key k1', 'role r'], true])
    await watcher.stop()
  })

  test('a listener that fails at the bell reads the change in the log', async () => {
    const { bell, state } = createBell()
    const { watcher, heard, looks, write, broken } = await createWatched(bell)
    await write('r')
    broken.add('r')
    expect(() => state.onChange({ kind: 'role', subject: 'r' })).not.toThrow()
    broken.clear()
    await watcher.look()
    expect([heard, looks.gaps]).toEqual([['role r'], 0])
    await watcher.stop()
  })

  test.each([
    { name: 'four times in a second without a bell', bell: null, looksInThree: 12 },
    { name: 'every three quarters of a second beside one', bell: createBell().bell, looksInThree: 4 },
  ])('looks $name', async ({ bell, looksInThree }) => {
    jest.useFakeTimers()
    try {
      const { watcher, looks } = await createWatched(bell)
      for (let elapsed = 0; elapsed < 3000; elapsed += 50) {
        jest.advanceTimersByTime(50)
        // Lets the look under way come to its end.
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
      }
      expect(looks.count).toBe(looksInThree)
      await watcher.stop()
      jest.advanceTimersByTime(3000)
      expect(looks.count).toBe(looksInThree)
    } finally {
      jest.useRealTimers()
    }
  })
})

describe('a change that the listener fails at', () => {
  test('keeps no later one from being told, and counts as missed, once', async () => {
    const { watcher, heard, looks, write, broken } = await createWatched(null)
    broken.add('bad')
    for (const name of ['a', 'bad', 'b']) await write(name)
    await watcher.look()
    expect([heard, looks.gaps, watcher.isCurrent]).toEqual([['role a', 'role b'], 1, true])
    await write('c')
    await watcher.look()
    expect([heard, looks.gaps, watcher.isCurrent]).toEqual([['role a', 'role b', 'role c'], 1, true])
    await watcher.stop()
  })

  test('is not forgotten where that cannot be told either: each look tells it until it is heard', async () => {
    const { watcher, heard, looks, write, broken } = await createWatched(null)
    broken.add('bad').add('gap')
    await write('bad')
    await watcher.look()
    await write('a')
    await watcher.look()
    expect([heard, looks.gaps, watcher.isCurrent]).toEqual([['role a'], 0, false])
    broken.clear()
    await watcher.look()
    await watcher.look()
    expect([heard, looks.gaps, watcher.isCurrent]).toEqual([['role a'], 1, true])
    await watcher.stop()
  })
})
