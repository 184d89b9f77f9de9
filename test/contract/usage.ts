import { beforeEach, describe, expect, test } from 'bun:test'
import { createDatabaseIdentity, readDatabaseId } from '../../src/recording/usage/journal/database-id.ts'
import { START_OF_JOURNAL, type UsageCheckpoint, type UsageWrite } from '../../src/storage/ports/usage.ts'
import type { UsageRecord } from '../../src/storage/records.ts'
import { aKey, aUsage, NOW } from './fixtures.ts'
import { atOnce, changesOf, codeOf, type Open, type Opened } from './support.ts'

/** More than 32 bits. */
const LARGE = 2 ** 50
const FIRST: UsageCheckpoint = { position: 0, target: 100, written: 10 }
const SECOND: UsageCheckpoint = { position: 0, target: 100, written: 20 }
const DONE: UsageCheckpoint = { position: 100, target: 100, written: 0 }

export function describeUsageStore(name: string, open: Open): void {
  describe(name, () => {
    let opened: Opened
    beforeEach(async () => {
      opened = await open()
    })
    const usage = () => opened.storage.usage
    const record = (given: Partial<UsageWrite> = {}) =>
      usage().record({ journal: 'one', from: START_OF_JOURNAL, to: FIRST, rows: [aUsage()], now: NOW, ...given })
    /** How many requests the key has in the hour of the rows. */
    async function counted(keyId = 'key_1', period: 'hour' | 'day' = 'hour') {
      const { statuses } = await usage().sumsOfKey({ keyId, period, from: NOW, to: NOW + 1 })
      return statuses.reduce((sum, { requests }) => sum + requests, 0)
    }

    describe('record', () => {
      test('adds the rows and moves the checkpoint', async () => {
        expect(await usage().checkpoint('one')).toBeNull()
        expect(await record()).toBe(true)
        expect(await usage().checkpoint('one')).toEqual(FIRST)
        expect(await record({ from: FIRST, to: SECOND, rows: [aUsage({ requests: 2 })] })).toBe(true)
        expect(await usage().checkpoint('one')).toEqual(SECOND)
        expect(await record({ from: SECOND, to: DONE, rows: [] })).toBe(true)
        expect(await usage().checkpoint('one')).toEqual(DONE)
        expect(await counted()).toBe(3)
      })

      test.each([
        { name: 'position', from: { ...FIRST, position: 1 } },
        { name: 'target', from: { ...FIRST, target: 99 } },
        { name: 'written', from: { ...FIRST, written: 11 } },
        { name: 'being at its start', from: START_OF_JOURNAL },
      ])('changes nothing from a checkpoint that differs in $name', async ({ from }) => {
        await record()
        expect(await record({ from, to: DONE })).toBe(false)
        expect(await usage().checkpoint('one')).toEqual(FIRST)
        expect(await counted()).toBe(1)
      })

      test('changes nothing where a journal is taken for begun', async () => {
        expect(await record({ from: FIRST, to: SECOND })).toBe(false)
        expect(await usage().checkpoint('one')).toBeNull()
        expect(await counted()).toBe(0)
      })

      test('goes on from a checkpoint that was stored at the start', async () => {
        expect(await record({ to: START_OF_JOURNAL, rows: [] })).toBe(true)
        expect(await record({ to: FIRST })).toBe(true)
        expect(await record({ to: FIRST })).toBe(false)
        expect(await counted()).toBe(1)
      })

      test('keeps each journal by itself', async () => {
        await record()
        expect(await record({ journal: 'two' })).toBe(true)
        expect(await record({ journal: 'two', from: FIRST, to: DONE })).toBe(true)
        expect([await usage().checkpoint('one'), await usage().checkpoint('two')]).toEqual([FIRST, DONE])
      })

      test.each([
        { name: 'from its start', from: START_OF_JOURNAL },
        { name: 'in its middle', from: FIRST },
      ])('of 20 racing callers that continue a journal $name one counts', async ({ from }) => {
        if (from !== START_OF_JOURNAL) await record({ rows: [] })
        const rows = Array.from({ length: 30 }, (_, index) => aUsage({ route: `/${index}` }))
        const answers = await atOnce(20, () => record({ from, to: SECOND, rows }))
        expect(answers.filter(Boolean)).toHaveLength(1)
        expect(await counted()).toBe(30)
      })

      test('what racing journals add to the same counters is all there', async () => {
        const rows = Array.from({ length: 20 }, (_, index) => aUsage({ route: `/${index}` }))
        await atOnce(20, async (index) => {
          const write = { journal: `journal ${index}`, rows: index % 2 === 0 ? rows : rows.toReversed() }
          expect(await record(write)).toBe(true)
        })
        expect(await counted()).toBe(400)
      })

      test('rows of the same counter are added up, those of another one are not', async () => {
        const others: readonly Partial<UsageRecord>[] = [
          { period: 'day' },
          { organizationId: 'org_1' },
          { method: 'POST' },
          { route: '' },
          { status: 404 },
          { keyId: '' },
        ]
        await record({ rows: [aUsage(), ...others.map(aUsage), aUsage({ requests: 5, duration: 1, latency11: 7 })] })
        expect(await counted()).toBe(10)
        expect(await counted('key_1', 'day')).toBe(1)
        expect(await counted('')).toBe(1)
        const { duration, latencies } = await usage().sumsOfKey({
          keyId: 'key_1',
          period: 'hour',
          from: NOW,
          to: NOW + 1,
        })
        expect(duration).toBe(5 * 2000 + 1)
        expect(latencies).toEqual([0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 7])
      })

      test('large numbers stay exact', async () => {
        await record({ rows: [aUsage({ requests: LARGE, duration: LARGE })] })
        await record({ from: FIRST, to: DONE, rows: [aUsage({ requests: LARGE + 1, duration: 3 })] })
        const sums = await usage().sumsOfKey({ keyId: 'key_1', period: 'hour', from: NOW, to: NOW + 1 })
        expect(sums).toMatchObject({ statuses: [{ requests: 2 * LARGE + 1 }], duration: LARGE + 3 })
      })

      test('counts and checkpoint fail together', async () => {
        await opened.exec('alter table machine_auth_usage rename to machine_auth_usage_away')
        const failed = await record().catch(() => 'failed')
        await opened.exec('alter table machine_auth_usage_away rename to machine_auth_usage')
        expect(failed).toBe('failed')
        expect(await usage().checkpoint('one')).toBeNull()
        expect(await record()).toBe(true)
      })

      test('is as good with more rows than a statement takes values', async () => {
        const rows = Array.from({ length: 2000 }, (_, index) => aUsage({ route: `/${index}` }))
        expect(await record({ rows })).toBe(true)
        expect(await counted()).toBe(2000)
      })
    })

    describe('accept', () => {
      const receipt = (id: string, keyId = 'key_1') => ({ keyId, id, at: NOW, weight: id.length })
      const accept = (receipts: readonly ReturnType<typeof receipt>[]) =>
        usage().accept(
          receipts,
          (accepted) => accepted.map(({ keyId, weight }) => aUsage({ keyId, requests: weight })),
          NOW,
        )

      test('counts what is new, once, and answers it as it was given', async () => {
        const [a, bb, other] = [receipt('a'), receipt('bb'), receipt('a', 'key_2')]
        expect(await accept([bb, a])).toEqual([bb, a])
        expect(await accept([a, other, bb, receipt('ccc')])).toEqual([other, receipt('ccc')])
        expect(await accept([a, bb])).toEqual([])
        expect(await accept([])).toEqual([])
        expect([await counted('key_1'), await counted('key_2')]).toEqual([6, 1])
      })

      test('takes the first of two with the same name', async () => {
        const [first, second] = [receipt('a'), { ...receipt('a'), weight: 50 }]
        const accepted = await accept([first, receipt('b'), second])
        expect(accepted).toEqual([first, receipt('b')])
        expect(await counted()).toBe(2)
      })

      test('of 20 racing callers with the same receipts each is counted by one', async () => {
        const receipts = Array.from({ length: 10 }, (_, index) => receipt(String(index)))
        const answers = await atOnce(20, (index) => accept(index % 2 === 0 ? receipts : receipts.toReversed()))
        expect(answers.flat().map(({ id }) => id)).toHaveLength(10)
        expect(await counted()).toBe(10)
      })

      test('moves the last use of the keys forward, not beyond now, also of what was there', async () => {
        for (const id of ['key_1', 'key_2']) await opened.storage.keys.insert(aKey({ id }))
        const lastUses = async () =>
          Promise.all(['key_1', 'key_2'].map(async (id) => (await opened.storage.keys.find(id))?.lastUsedAt))
        const receipts = [receipt('a'), { ...receipt('b', 'key_2'), at: NOW + 100 }]
        await usage().accept(receipts, () => [], NOW + 50)
        expect(await lastUses()).toEqual([NOW, NOW + 50])
        await usage().accept(receipts, () => [], NOW + 200)
        expect(await lastUses()).toEqual([NOW, NOW + 100])
        await accept([{ ...receipt('c', 'key_2'), at: NOW - 100 }])
        expect(await lastUses()).toEqual([NOW, NOW + 100])
      })

      test('counts and receipts fail together', async () => {
        const failing = usage().accept(
          [receipt('a')],
          () => {
            throw new TypeError('no rows')
          },
          NOW,
        )
        expect(await codeOf(failing)).toContain('no rows')
        expect(await accept([receipt('a')])).toEqual([receipt('a')])
      })
    })

    describe('touch', () => {
      const lastUse = async (id: string) => (await opened.storage.keys.find(id))?.lastUsedAt

      test('moves the last use of the keys there are forward, never back, and records no change', async () => {
        for (const id of ['key_1', 'key_2', 'key_3']) await opened.storage.keys.insert(aKey({ id }))
        await usage().touch([
          { keyId: 'key_1', at: NOW },
          { keyId: 'key_2', at: NOW + 5 },
          { keyId: 'key_9', at: NOW },
        ])
        expect([await lastUse('key_1'), await lastUse('key_2'), await lastUse('key_3')]).toEqual([NOW, NOW + 5, null])
        await usage().touch([
          { keyId: 'key_1', at: NOW + 1 },
          { keyId: 'key_2', at: NOW + 4 },
          { keyId: 'key_1', at: NOW - 1 },
        ])
        expect([await lastUse('key_1'), await lastUse('key_2')]).toEqual([NOW + 1, NOW + 5])
        await usage().touch([])
        expect(await changesOf(opened.storage)).toEqual([])
      })

      test('racing callers leave the latest of many keys', async () => {
        const ids = Array.from({ length: 30 }, (_, index) => `key_${index}`)
        for (const id of ids) await opened.storage.keys.insert(aKey({ id, organizationId: 'org_1' }))
        await atOnce(20, (index) => {
          const uses = ids.map((keyId) => ({ keyId, at: NOW + index }))
          return usage().touch(index % 2 === 0 ? uses : uses.toReversed())
        })
        expect(await Promise.all(ids.map(lastUse))).toEqual(ids.map(() => NOW + 19))
      })

      test('keeps nobody from revoking the same keys', async () => {
        const ids = Array.from({ length: 30 }, (_, index) => `key_${index}`)
        for (const id of ids) await opened.storage.keys.insert(aKey({ id, organizationId: 'org_1' }))
        const uses = ids.map((keyId) => ({ keyId, at: NOW })).toReversed()
        const revocation = { at: NOW, reason: null, by: 'user_1' }
        const [revoked] = await Promise.all([
          opened.storage.keys.revokeSelected({ organizationId: 'org_1' }, revocation),
          ...(await atOnce(5, () => usage().touch(uses))),
        ])
        expect(revoked).toHaveLength(30)
        expect(await Promise.all(ids.map(lastUse))).toEqual(ids.map(() => NOW))
      })
    })

    describe('purge', () => {
      test('deletes rows of one period from before a moment, at most so many', async () => {
        const starts = [0, 1, 2, 3].map((offset) => NOW + offset)
        const rows = starts.flatMap((start) => [aUsage({ start }), aUsage({ start, period: 'day' })])
        await record({ rows })
        expect(await usage().purge('hour', NOW + 3, 2)).toBe(2)
        expect(await usage().purge('hour', NOW + 3, 2)).toBe(1)
        expect(await usage().purge('hour', NOW + 3, 2)).toBe(0)
        const left = async (period: 'hour' | 'day') => {
          const { series } = await usage().sumsOfKey({ keyId: 'key_1', period, from: NOW, to: NOW + 9 })
          return series.map(({ start }) => start)
        }
        expect(await left('hour')).toEqual([NOW + 3])
        expect(await left('day')).toEqual(starts)
      })

      test('keeps the id of the database, which all who ask at once have made once', async () => {
        const ids = await atOnce(5, () => createDatabaseIdentity(usage()).find())
        expect(new Set(ids).size).toBe(1)
        expect(await usage().purgeCheckpoints(NOW + 2 ** 45)).toBe(0)
        expect(await readDatabaseId(usage())).toBe(ids[0] ?? null)
      })

      test('deletes receipts from before a moment, at most so many', async () => {
        const receipts = [0, 1, 2].map((offset) => ({ keyId: 'key_1', id: `id ${offset}`, at: NOW + offset }))
        await usage().accept(receipts, () => [], NOW)
        expect(await usage().purgeReceipts(NOW + 2, 1)).toBe(1)
        expect(await usage().purgeReceipts(NOW + 2, 9)).toBe(1)
        expect(await usage().purgeReceipts(NOW + 2, 9)).toBe(0)
        // What is forgotten is new again.
        expect(await usage().accept(receipts, () => [], NOW)).toEqual(receipts.slice(0, 2))
      })

      test('deletes checkpoints that were not moved since a moment', async () => {
        await record({ now: NOW })
        await record({ journal: 'two', now: NOW })
        await record({ journal: 'two', from: FIRST, to: SECOND, now: NOW + 1 })
        expect(await usage().purgeCheckpoints(NOW + 1)).toBe(1)
        expect([await usage().checkpoint('one'), await usage().checkpoint('two')]).toEqual([null, SECOND])
      })
    })
  })
}
