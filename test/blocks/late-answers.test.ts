/** Answers of storage that overtake one another: what was removed stays removed, and what was prolonged stays so. */
import { describe, expect, test } from 'bun:test'
import { BlockReader } from '../../src/blocks/block-reader.ts'
import { Removals } from '../../src/blocks/removals.ts'
import { BlockService } from '../../src/blocks/service.ts'
import { createAddressMatcher } from '../../src/lib/ip.ts'
import { BlockIndex } from '../../src/limits/block-index.ts'
import type { BlockStore } from '../../src/storage/ports/blocks.ts'
import type { BlockRecord } from '../../src/storage/records.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { until } from '../support/until.ts'
import { ABUSE, ADDRESS, HOUR, NOW } from './support.ts'

const BLOCK: BlockRecord = { ...ABUSE, id: 'blk_1', createdBy: 'system', createdAt: NOW }

/** A process whose answers are held back where a test says so. */
function withProcess() {
  const storage = createMemoryStorage(() => NOW)
  const index = new BlockIndex(createAddressMatcher([]))
  const held: (() => void)[] = []
  const late = new Set<string>()
  /** Acts at once, and answers when the test lets it. */
  async function answer<T>(verb: string, acted: Promise<T>): Promise<T> {
    const result = await acted
    if (late.has(verb)) await new Promise<void>((resolve) => held.push(resolve))
    return result
  }
  const store: BlockStore = {
    ...storage.blocks,
    put: (block) => answer('put', storage.blocks.put(block)),
    find: (id) => answer('find', storage.blocks.find(id)),
    delete: (id) => answer('delete', storage.blocks.delete(id)),
    listActive: (now) => answer('listActive', storage.blocks.listActive(now)),
  }
  const forgotten: string[] = []
  const blocks = new BlockService({
    store,
    index,
    clock: () => NOW,
    audit: { record: async () => undefined, recordDenied: async () => undefined },
    forget: (subject) => void forgotten.push(subject),
    warn: () => undefined,
  })
  /** Runs something whose answer is late, and goes on with the next only when that is. */
  async function overtake(verb: string, slow: () => Promise<unknown>, fast: () => Promise<unknown>): Promise<void> {
    late.add(verb)
    const ended = slow()
    while (held.length === 0) await null
    late.clear()
    await fast()
    for (const release of held.splice(0)) release()
    await ended
  }
  const endsAt = () => index.findForAddress(ADDRESS, null, NOW)?.expiresAt ?? null
  return { storage, blocks, forgotten, overtake, endsAt }
}

describe('a block that was removed elsewhere', () => {
  test.each<[name: string, verb: string, slow: (blocks: BlockService) => Promise<unknown>]>([
    ['a reading of it', 'find', (blocks) => blocks.refresh('blk_1')],
    ['a reading of all', 'listActive', (blocks) => blocks.load()],
    ['the answer to one of the same place', 'put', (blocks) => blocks.add({ subject: ADDRESS, duration: '1h' })],
  ])('is not brought back by %s that is late', async (_name, verb, slow) => {
    const { storage, blocks, overtake, endsAt } = withProcess()
    await storage.blocks.put(BLOCK)
    await overtake(
      verb,
      () => slow(blocks),
      async () => {
        await storage.blocks.delete('blk_1')
        await blocks.refresh('blk_1')
      },
    )
    expect(endsAt()).toBe(null)
    await storage.blocks.put({ ...BLOCK, id: 'blk_2' })
    await blocks.refresh('blk_2')
    expect(endsAt()).toBe(BLOCK.expiresAt)
  })

  test('frees its subject at all limits, once it was known here', async () => {
    const { storage, blocks, forgotten } = withProcess()
    await storage.blocks.put(BLOCK)
    await blocks.refresh('blk_1')
    await storage.blocks.delete('blk_1')
    await blocks.refresh('blk_1')
    await blocks.refresh('blk_1')
    expect(forgotten).toEqual([BLOCK.subject])
  })
})

test('a block that is lifted here is forgotten everywhere, also when that is heard of before it is done', async () => {
  const { storage, blocks, forgotten, overtake, endsAt } = withProcess()
  await storage.blocks.put(BLOCK)
  await blocks.refresh('blk_1')
  await overtake(
    'delete',
    () => blocks.remove('blk_1'),
    () => blocks.refresh('blk_1'),
  )
  expect([endsAt(), new Set(forgotten)]).toEqual([null, new Set([BLOCK.subject])])
})

test('a block that was prolonged is not shortened by an answer from before', async () => {
  const { storage, blocks, overtake, endsAt } = withProcess()
  await storage.blocks.put(BLOCK)
  await overtake(
    'find',
    () => blocks.refresh('blk_1'),
    async () => {
      await storage.blocks.put({ ...BLOCK, expiresAt: BLOCK.expiresAt + HOUR })
      await blocks.refresh('blk_1')
    },
  )
  expect(endsAt()).toBe(BLOCK.expiresAt + HOUR)
})

test('removals are remembered only while an answer is under way', () => {
  const removals = new Removals()
  removals.note('blk_0')
  const [first, second] = [removals.begin(), removals.begin()]
  removals.note('blk_1')
  const third = removals.begin()
  expect([first, second, third].map((pending) => pending.isRemoved('blk_1'))).toEqual([true, true, false])
  expect(first.isRemoved('blk_0')).toBe(false)
  first.end()
  second.end()
  expect(removals.size).toBe(1)
  third.end()
  expect(removals.size).toBe(0)
})

describe('a reader of blocks', () => {
  function withReader(failures: number) {
    const done: string[] = []
    const warnings: string[] = []
    let left = failures
    const act = async (what: string) => {
      left -= 1
      done.push(what)
      if (left >= 0) throw new Error('storage is away')
    }
    const blocks = { load: () => act('load'), refresh: (id: string) => act(`refresh ${id}`) }
    return { done, warnings, reader: new BlockReader(blocks, (message) => void warnings.push(message)) }
  }
  test.each([
    [0, ['refresh blk_1'], 0],
    [1, ['refresh blk_1', 'load'], 0],
    [3, ['refresh blk_1', 'load', 'load', 'load'], 1],
  ])('goes on until they are read, after %p failures', async (failures, expected, warned) => {
    const { done, warnings, reader } = withReader(failures)
    await reader.hear('blk_1')
    expect(done).toEqual(expected)
    expect(warnings).toHaveLength(warned)
    await reader.hear('blk_2')
    expect(done.at(-1)).toBe('refresh blk_2')
    reader.stop()
  })

  test('reads once more what changed while it was reading, and once for whatever was told before', async () => {
    const { done, reader } = withReader(0)
    const reading = Promise.all([reader.readAll(), reader.readAll(), reader.hear('blk_1')])
    await until(() => done.length > 0)
    await Promise.all([reading, reader.readAll(), reader.hear('blk_2')])
    expect(done).toEqual(['load', 'load'])
    await reader.hear('blk_1')
    expect(done).toEqual(['load', 'load', 'refresh blk_1'])
  })

  test('ends when it is stopped', async () => {
    const { done, reader } = withReader(100)
    const reading = reader.readAll()
    await until(() => done.length > 0)
    reader.stop()
    await reading
    await reader.readAll()
    expect(done).toEqual(['load'])
  })

  test('that is stopped before it read does not read', async () => {
    const { done, reader } = withReader(0)
    const reading = reader.hear('blk_1')
    reader.stop()
    await reading
    expect(done).toEqual([])
  })
})

describe('of many blocks that are told at once', () => {
  /** Every reading takes a moment, and says how many were under way with it. */
  function withCounted() {
    const done: string[] = []
    let running = 0
    const most = { running: 0 }
    const act = async (what: string) => {
      running += 1
      most.running = Math.max(most.running, running)
      await Bun.sleep(1)
      running -= 1
      done.push(what)
    }
    const blocks = { load: () => act('load'), refresh: (id: string) => act(`refresh ${id}`) }
    return { done, most, reader: new BlockReader(blocks, () => undefined) }
  }
  const ids = (count: number) => Array.from({ length: count }, (_, number) => `blk_${number}`)

  test.each<[count: number, expected: readonly string[]]>([
    [1, ['refresh blk_0']],
    [8, ids(8).map((id) => `refresh ${id}`)],
    [9, ['load']],
    [30_000, ['load']],
  ])('%p cost as little as they can, and one query at a time', async (count, expected) => {
    const { done, most, reader } = withCounted()
    await Promise.all(ids(count).map((id) => reader.hear(id)))
    expect([done, most.running]).toEqual([[...expected], 1])
  })

  test('one that is told twice is read once', async () => {
    const { done, reader } = withCounted()
    await Promise.all([...ids(8), ...ids(8)].map((id) => reader.hear(id)))
    expect(done).toHaveLength(8)
  })

  test('those that come while others are read are read next', async () => {
    const { done, most, reader } = withCounted()
    const reading = reader.hear('blk_0')
    await until(() => most.running === 1)
    await Promise.all([reading, ...ids(20).map((id) => reader.hear(id))])
    expect([done, most.running]).toEqual([['refresh blk_0', 'load'], 1])
  })
})
