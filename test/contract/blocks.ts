import { beforeEach, describe, expect, test } from 'bun:test'
import type { BlockRecord } from '../../src/storage/records.ts'
import { aBlock, NOW } from './fixtures.ts'
import {
  changesOf,
  codeOf,
  expectAtomic,
  fiftyTimes,
  HOSTILE_CURSORS,
  type Open,
  type Opened,
  readAll,
} from './support.ts'

/** How a block meets one of the same subject, scope and path: what is taken over from the new one. */
const MERGES: readonly {
  readonly name: string
  readonly standing: Partial<BlockRecord>
  readonly given: Partial<BlockRecord>
  readonly taken: readonly (keyof BlockRecord)[]
}[] = [
  {
    name: 'one that ended long ago is replaced whole',
    standing: { createdAt: NOW - 100, expiresAt: NOW - 50 },
    given: { expiresAt: NOW + 10 },
    taken: ['id', 'createdAt', 'expiresAt', 'kind', 'reason', 'createdBy'],
  },
  {
    name: 'one that ends as the new one begins is replaced whole',
    standing: { createdAt: NOW - 100, expiresAt: NOW },
    given: { expiresAt: NOW + 10 },
    taken: ['id', 'createdAt', 'expiresAt', 'kind', 'reason', 'createdBy'],
  },
  {
    name: 'one that still lasts a moment is extended',
    standing: { createdAt: NOW - 100, expiresAt: NOW + 1 },
    given: { expiresAt: NOW + 10 },
    taken: ['expiresAt', 'kind', 'reason', 'createdBy'],
  },
  {
    name: 'one that ends later stays',
    standing: { createdAt: NOW - 100, expiresAt: NOW + 11 },
    given: { expiresAt: NOW + 10 },
    taken: [],
  },
  {
    name: 'one that ends at the same time stays',
    standing: { createdAt: NOW - 100, expiresAt: NOW + 10 },
    given: { expiresAt: NOW + 10 },
    taken: [],
  },
  {
    name: 'one whose reason is replaced by none has none',
    standing: { createdAt: NOW - 100, expiresAt: NOW + 1 },
    given: { expiresAt: NOW + 10, reason: null },
    taken: ['expiresAt', 'kind', 'reason', 'createdBy'],
  },
]

export function describeBlockStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const blocks = () => opened.storage.blocks
    const changes = () => changesOf(opened.storage)
    const count = async () => (await blocks().listActive(0)).length

    test('puts a block, answers it as it was given, and records a change', async () => {
      const block = aBlock({ kind: 'abuse', scope: 'path', path: '/auth/login' })
      expect(await blocks().put(block)).toEqual(block)
      expect(await blocks().find(block.id)).toEqual(block)
      expect(await blocks().find('blk_unknown')).toBeNull()
      expect(await opened.storage.changes.since(0)).toMatchObject({
        changes: [{ at: NOW, kind: 'block', subject: block.id }],
      })
    })

    test.each([...MERGES])('of a subject already blocked, $name', async ({ standing, given, taken }) => {
      const before = aBlock({ subject: 'ip:1.2.3.4', kind: 'lockout', ...standing })
      const block = aBlock({ subject: 'ip:1.2.3.4', kind: 'abuse', reason: 'new', createdBy: 'system', ...given })
      await blocks().put(before)
      const merged = { ...before, ...Object.fromEntries(taken.map((member) => [member, block[member]])) }
      expect(await blocks().put(block)).toEqual(merged)
      expect(await blocks().find(merged.id)).toEqual(merged)
      expect(await count()).toBe(1)
      expect(await changes()).toEqual([`block ${before.id}`, `block ${merged.id}`])
    })

    test('other subjects, scopes and paths are blocks of their own', async () => {
      const all = [
        aBlock({ subject: 'ip:1.2.3.4' }),
        aBlock({ subject: 'ip:1.2.3.5' }),
        aBlock({ subject: 'ip:1.2.3.4', scope: 'path', path: '/a' }),
        aBlock({ subject: 'ip:1.2.3.4', scope: 'path', path: '/b' }),
      ]
      for (const block of all) expect(await blocks().put(block)).toEqual(block)
      for (const block of all) expect(await blocks().find(block.id)).toEqual(block)
    })

    test.each([
      { name: 'a new subject', before: [] },
      { name: 'a subject whose block has ended', before: [aBlock({ subject: 'user:1', expiresAt: NOW })] },
    ])('50 puts on $name leave one row with the latest end', async ({ before }) => {
      for (const block of before) await blocks().put(block)
      const given = Array.from({ length: 50 }, (_, index) =>
        aBlock({ subject: 'user:1', reason: `reason ${index}`, expiresAt: NOW + 1 + ((index * 7) % 50) }),
      )
      const answers = await fiftyTimes((index) => blocks().put(given[index] ?? aBlock()))
      const [standing, ...others] = await blocks().listActive(NOW)
      const latest = given.find(({ expiresAt }) => expiresAt === NOW + 50)
      expect(others).toEqual([])
      expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([standing?.id ?? '']))
      expect(given.map(({ id }) => id)).toContain(standing?.id ?? '')
      expect(standing).toMatchObject({ expiresAt: NOW + 50, reason: latest?.reason, createdAt: NOW })
      expect(await count()).toBe(1)
      expect((await changes()).slice(before.length)).toEqual(Array(50).fill(`block ${standing?.id}`))
    })

    test('one of 50 deletions receives the block and records one change', async () => {
      const block = await blocks().put(aBlock())
      const other = await blocks().put(aBlock())
      const answers = await fiftyTimes(() => blocks().delete(block.id))
      expect(answers.filter((answer) => answer !== null)).toEqual([block])
      expect(await blocks().find(block.id)).toBeNull()
      expect(await blocks().find(other.id)).toEqual(other)
      expect(await blocks().delete('blk_unknown')).toBeNull()
      expect((await changes()).slice(2)).toEqual([`block ${block.id}`])
    })

    test('a put or a deletion whose change cannot be recorded does not happen', async () => {
      const block = await blocks().put(aBlock())
      await expectAtomic(opened, () => blocks().put(aBlock()))
      await expectAtomic(opened, () => blocks().put({ ...aBlock(), subject: block.subject, expiresAt: NOW + 5000 }))
      await expectAtomic(opened, () => blocks().delete(block.id))
      expect(await blocks().listActive(0)).toEqual([block])
    })

    test('lists what has not ended, all at once or newest first page by page', async () => {
      const active: BlockRecord[] = []
      for (let index = 0; index < 5; index++) {
        active.unshift(await blocks().put(aBlock({ createdAt: NOW + Math.floor(index / 2), expiresAt: NOW + 11 })))
        await blocks().put(aBlock({ createdAt: NOW + index, expiresAt: NOW + 10 }))
      }
      expect(await readAll((page) => blocks().list(page, NOW + 10), 2)).toEqual(active)
      const oldestFirst = await readAll((page) => blocks().list({ ...page, order: 'asc' }, NOW + 10), 2)
      expect(oldestFirst).toEqual(active.toReversed())
      const all = await blocks().listActive(NOW + 10)
      expect(all.map(({ id }) => id).toSorted()).toEqual(active.map(({ id }) => id).toSorted())
      expect(await blocks().listActive(NOW + 11)).toEqual([])
      for (const { cursor } of HOSTILE_CURSORS) {
        expect(await codeOf(blocks().list({ limit: 2, cursor }, NOW))).toBe('validation_failed')
      }
    })

    test('purges what ended before a moment, without a change', async () => {
      const gone = await blocks().put(aBlock({ expiresAt: NOW + 9 }))
      const kept = await blocks().put(aBlock({ expiresAt: NOW + 10 }))
      expect(await blocks().purge(NOW + 10)).toBe(1)
      expect(await blocks().find(gone.id)).toBeNull()
      expect(await blocks().find(kept.id)).toEqual(kept)
      expect(await changes()).toHaveLength(2)
    })
  })
}
