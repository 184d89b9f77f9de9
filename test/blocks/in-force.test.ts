import { describe, expect, test } from 'bun:test'
import type { AutomaticBlock } from '../../src/blocks/service.ts'
import type { BlockRecord } from '../../src/storage/records.ts'
import { ABUSE, ADDRESS, HOUR, NOW, withBlocks } from './support.ts'

const OTHER = '203.0.113.6'
const LOCKOUT: AutomaticBlock = {
  ...ABUSE,
  kind: 'lockout',
  scope: 'path',
  path: '/withdraw',
  reason: null,
  expiresAt: NOW + HOUR,
}

function aRecord(id: string, more: Partial<BlockRecord> = {}): BlockRecord {
  return { ...ABUSE, kind: 'manual', id, createdBy: 'user_1', createdAt: NOW, ...more }
}

describe('a block that the library makes', () => {
  test('is in force at once, then stored and written down', async () => {
    const { blocks, isBlocked, stored, audited, warnings } = withBlocks()
    expect(blocks.start(ABUSE)).toBeUndefined()
    expect([isBlocked(), isBlocked(OTHER), stored()]).toEqual([true, false, []])
    await blocks.settle()
    const [block] = stored()
    expect(block).toEqual({ ...ABUSE, id: expect.stringMatching(/^blk_/), createdBy: 'system', createdAt: NOW })
    const expiresAt = new Date(ABUSE.expiresAt).toISOString()
    const details = { kind: 'abuse', subject: ADDRESS, scope: 'global', path: null, expiresAt }
    expect(audited()).toEqual([{ action: 'block.created', actor: 'system', subject: block?.id ?? '', details }])
    expect([isBlocked(), warnings]).toEqual([true, []])
  })

  test('of a path is in force there', async () => {
    const { blocks, isBlocked } = withBlocks()
    blocks.start(LOCKOUT)
    expect([isBlocked(ADDRESS, '/withdraw'), isBlocked(ADDRESS, '/other')]).toEqual([true, false])
    await blocks.settle()
    expect([isBlocked(ADDRESS, '/withdraw'), isBlocked(ADDRESS, '/other')]).toEqual([true, false])
  })

  test('made a hundred times at once is one, with the latest end', async () => {
    const { blocks, index, stored, isBlocked, time } = withBlocks()
    for (let count = 0; count < 100; count++) blocks.start({ ...ABUSE, expiresAt: NOW + HOUR + ((count * 37) % 100) })
    await blocks.settle()
    expect([...index.all()]).toEqual(stored())
    expect(stored()).toMatchObject([{ expiresAt: NOW + HOUR + 99 }])
    time.now = NOW + HOUR + 98
    expect(isBlocked()).toBe(true)
  })

  test('takes nothing from one that somebody made and that ends later', async () => {
    const { blocks, stored } = withBlocks()
    const { id } = await blocks.add({ subject: ADDRESS, duration: '30d', reason: 'mine' })
    blocks.start(ABUSE)
    await blocks.settle()
    expect(stored()).toMatchObject([{ id, kind: 'manual', reason: 'mine', expiresAt: NOW + 30 * 24 * HOUR }])
  })

  test('that storage refuses is in force all the same, and somebody hears of it', async () => {
    const { blocks, fail, isBlocked, stored, audited, warnings } = withBlocks()
    fail('blocks.put')
    blocks.start(ABUSE)
    await blocks.settle()
    expect([isBlocked(), stored(), audited()]).toEqual([true, [], []])
    expect(warnings).toEqual([expect.stringMatching(/^a block could not be stored and ends with this process: blk_/)])
  })

  test('that storage refuses shortens none that is in force', async () => {
    const { blocks, fail, isBlocked, storage, time } = withBlocks()
    const { id } = await blocks.add({ subject: ADDRESS, duration: '30d' })
    const seen: number[] = []
    storage.before.set('blocks.put', () => {
      time.now = ABUSE.expiresAt
      seen.push(Number(isBlocked()))
      time.now = NOW
      throw new Error('disk full')
    })
    blocks.start(ABUSE)
    await blocks.settle()
    time.now = ABUSE.expiresAt
    expect([seen, isBlocked()]).toEqual([[1], true])
    fail('blocks.put')
    await expect(blocks.add({ subject: ADDRESS, duration: '1m' })).rejects.toThrow('disk full')
    await blocks.remove(id)
    expect(isBlocked()).toBe(false)
  })

  test('that cannot be written down is stored, and somebody hears of it', async () => {
    const { blocks, fail, isBlocked, stored, warnings } = withBlocks()
    fail('audit.append')
    blocks.start(ABUSE)
    await blocks.settle()
    expect([isBlocked(), stored().length, warnings]).toEqual([true, 1, ['audit']])
  })

  test('is waited for at the end, however long storage takes', async () => {
    const { blocks, storage, stored } = withBlocks()
    const gate = Promise.withResolvers<void>()
    storage.before.set('blocks.put', () => gate.promise)
    blocks.start(ABUSE)
    let isSettled = false
    const settled = blocks.settle().then(() => {
      isSettled = true
    })
    for (let turn = 0; turn < 50; turn++) await null
    expect([isSettled, stored()]).toEqual([false, []])
    gate.resolve()
    await settled
    expect(stored()).toHaveLength(1)
    await blocks.settle()
  })
})

describe('blocks that the library makes are bounded', () => {
  const MOST = 100_000
  const ofOther = { ...ABUSE, subject: `ip:${OTHER}` }

  test('the last one is made, a further one is not, and somebody hears of it now and then', async () => {
    const { blocks, index, isBlocked, warnings, time, stored } = withBlocks()
    index.crowd = MOST - 1
    blocks.start(ABUSE)
    for (let times = 0; times < 100; times++) blocks.start(ofOther)
    time.now += 9_999
    blocks.start(ofOther)
    expect(warnings).toEqual([`${MOST} blocks are in force: no further ones are made by themselves`])
    time.now += 1
    blocks.start(ofOther)
    await blocks.settle()
    expect([isBlocked(), isBlocked(OTHER), stored().length, warnings.length]).toEqual([true, false, 1, 2])
  })

  test('but people still block', async () => {
    const { blocks, index, isBlocked } = withBlocks()
    index.crowd = MOST
    await blocks.add({ subject: OTHER, duration: '1h' })
    expect(isBlocked(OTHER)).toBe(true)
  })

  test('what has ended makes room', async () => {
    const { blocks, index, isBlocked, warnings, time } = withBlocks()
    index.crowd = MOST - 1
    blocks.start({ ...ABUSE, expiresAt: NOW + 1000 })
    time.now += 1000
    blocks.start(ofOther)
    await blocks.settle()
    expect([isBlocked(), isBlocked(OTHER), warnings]).toEqual([false, true, []])
  })

  test('what is freed makes room at once', async () => {
    const { blocks, index, isBlocked } = withBlocks()
    index.crowd = MOST - 1
    const { id } = await blocks.add({ subject: ADDRESS, duration: '1h' })
    blocks.start(ofOther)
    await blocks.remove(id)
    blocks.start(ofOther)
    expect(isBlocked(OTHER)).toBe(true)
  })
})

describe('blocks of other processes', () => {
  test('are read at the start: those in force', async () => {
    const { blocks, storage, index, isBlocked } = withBlocks()
    await storage.blocks.put(aRecord('blk_1'))
    await storage.blocks.put(aRecord('blk_2', { subject: `ip:${OTHER}`, expiresAt: NOW }))
    await blocks.load()
    expect([isBlocked(), isBlocked(OTHER), index.size]).toEqual([true, false, 1])
  })

  test('reading again frees what is gone, has the limits forget it, and keeps the rest', async () => {
    const { blocks, storage, isBlocked, forgotten } = withBlocks()
    await storage.blocks.put(aRecord('blk_1'))
    await storage.blocks.put(aRecord('blk_2', { subject: `ip:${OTHER}` }))
    await blocks.load()
    await storage.blocks.delete('blk_1')
    await storage.blocks.put(aRecord('blk_3', { subject: 'ip:10.0.0.1' }))
    await blocks.load()
    expect([isBlocked(), isBlocked(OTHER), isBlocked('10.0.0.1')]).toEqual([false, true, true])
    expect(forgotten).toEqual([`ip:${ADDRESS}`])
  })

  test('reading that fails changes nothing', async () => {
    const { blocks, fail, isBlocked } = withBlocks()
    await blocks.add({ subject: ADDRESS, duration: '1h' })
    fail('blocks.listActive')
    await expect(blocks.load()).rejects.toThrow('disk full')
    expect(isBlocked()).toBe(true)
  })

  test('reading again says nothing of one that is being stored, or that storage has refused', async () => {
    const { blocks, storage, fail, isBlocked, forgotten } = withBlocks()
    fail('blocks.put')
    blocks.start({ ...ABUSE, subject: `ip:${OTHER}` })
    await blocks.settle()
    const gate = Promise.withResolvers<void>()
    storage.before.set('blocks.put', () => gate.promise)
    blocks.start(ABUSE)
    storage.before.set('blocks.listActive', async () => {
      blocks.start({ ...ABUSE, subject: 'ip:10.0.0.1' })
      await null
    })
    await blocks.load()
    expect([isBlocked(), isBlocked(OTHER), isBlocked('10.0.0.1')]).toEqual([true, true, true])
    expect(forgotten).toEqual([])
    gate.resolve()
    await blocks.settle()
    await blocks.load()
    expect([isBlocked(), isBlocked(OTHER), isBlocked('10.0.0.1')]).toEqual([true, true, true])
    expect(forgotten).toEqual([])
  })

  test('are heard of one by one: made, prolonged, removed', async () => {
    const { blocks, storage, isBlocked, forgotten, time } = withBlocks()
    await storage.blocks.put(aRecord('blk_1', { expiresAt: NOW + HOUR }))
    expect(isBlocked()).toBe(false)
    await blocks.refresh('blk_1')
    expect(isBlocked()).toBe(true)
    await storage.blocks.put(aRecord('blk_2', { expiresAt: NOW + 2 * HOUR }))
    await blocks.refresh('blk_1')
    time.now = NOW + HOUR
    expect(isBlocked()).toBe(true)
    await storage.blocks.delete('blk_1')
    await blocks.refresh('blk_1')
    expect([isBlocked(), forgotten]).toEqual([false, [`ip:${ADDRESS}`]])
    await blocks.refresh('blk_none')
    expect(forgotten).toHaveLength(1)
  })

  test('asking that fails changes nothing, and is told', async () => {
    const { blocks, fail, isBlocked } = withBlocks()
    const { id } = await blocks.add({ subject: ADDRESS, duration: '1h' })
    fail('blocks.find')
    await expect(blocks.refresh(id)).rejects.toThrow('disk full')
    expect(isBlocked()).toBe(true)
  })
})

test('sweeping forgets what has ended, here and in storage', async () => {
  const { blocks, index, stored, time } = withBlocks()
  await blocks.add({ subject: ADDRESS, duration: '1h' })
  const { id } = await blocks.add({ subject: OTHER, duration: '2h' })
  time.now += HOUR + 1
  await blocks.sweep(time.now)
  expect([...index.all()].map((block) => block.id)).toEqual([id])
  expect(stored().map((block) => block.id)).toEqual([id])
})
