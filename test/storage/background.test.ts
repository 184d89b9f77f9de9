import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { openSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { openStorage } from '../../src/storage/open.ts'
import { START_OF_JOURNAL } from '../../src/storage/ports/usage.ts'
import { aKey, anEntry, aUsage, NOW } from '../contract/fixtures.ts'
import { codeOf } from '../contract/support.ts'
import { attach, cellOf, inDirectory, SETTINGS } from './support.ts'

const WRITE = {
  journal: 'one',
  from: START_OF_JOURNAL,
  to: { position: 1, target: 1, written: 0 },
  rows: [aUsage()],
  now: NOW,
}
const HOUR = { keyId: 'key_1', period: 'hour', from: NOW, to: NOW + 1 } as const

async function openFile(file: string) {
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
  await ready
  return storage
}

describe('what is recorded on the side of a SQLite file', () => {
  test('does not wait for a lock, whoever holds it, and is recorded once it is gone', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'auth.db')
      const storage = await openFile(file)
      await storage.keys.insert(aKey({ id: 'key_1' }))
      const other = new Database(file)
      other.run('begin immediate')
      const verbs = {
        record: () => storage.usage.record(WRITE),
        touch: () => storage.usage.touch([{ keyId: 'key_1', at: NOW }]),
        append: () => storage.requestLog.append([anEntry()]),
      }
      const began = performance.now()
      for (const [name, verb] of Object.entries(verbs))
        expect([name, await codeOf(verb())]).toEqual([name, 'storage_unavailable'])
      // One wait of the other connection would be 5 s.
      expect(performance.now() - began).toBeLessThan(2500)
      expect(await storage.usage.sumsOfKey(HOUR)).toMatchObject({ statuses: [] })
      expect(await storage.usage.checkpoint('one')).toBeNull()
      expect((await storage.requestLog.list({}, { limit: 1 })).items).toEqual([])
      other.run('rollback')
      for (const [name, verb] of Object.entries(verbs)) expect([name, await codeOf(verb())]).toEqual([name, 'none'])
      expect(await storage.usage.sumsOfKey(HOUR)).toMatchObject({ statuses: [{ status: 200, requests: 1 }] })
      expect((await storage.keys.find('key_1'))?.lastUsedAt).toBe(NOW)
      other.close()
      await storage.close()
    }))

  test('leaves what somebody waits for to the connection that waits for the lock', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'auth.db')
      const storage = await openFile(file)
      await storage.keys.insert(aKey({ id: 'key_1' }))
      const verbs = {
        accept: () => storage.usage.accept([{ keyId: 'key_1', id: 'one', at: NOW }], () => [aUsage()], NOW),
        purge: () => storage.usage.purge('hour', NOW, 1),
        purgeReceipts: () => storage.usage.purgeReceipts(NOW, 1),
        purgeCheckpoints: () => storage.usage.purgeCheckpoints(NOW),
        purgeLog: () => storage.requestLog.purge(NOW, 1),
      }
      const other = new Database(file)
      other.run('begin immediate')
      const names = Object.keys(verbs)
      const waiting = Object.values(verbs).map((verb) => codeOf(verb()))
      // Each has met the lock by then.
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      other.run('rollback')
      expect((await Promise.all(waiting)).map((code, index) => [names[index], code])).toEqual(
        names.map((name) => [name, 'none']),
      )
      expect((await storage.keys.find('key_1'))?.lastUsedAt).toBe(NOW)
      other.close()
      await storage.close()
    }))

  test('never finds the file locked by what its own process does at the same time', () =>
    inDirectory(async (directory) => {
      const storage = await openFile(join(directory, 'auth.db'))
      const work = Array.from({ length: 30 }, (_, index) => [
        storage.keys.insert(aKey({ id: `key_${index}` })),
        storage.usage.record({ ...WRITE, journal: `journal ${index}` }),
        storage.keys.update('key_0', { name: `name ${index}` }, NOW),
        storage.requestLog.append([anEntry()]),
      ])
      await Promise.all(work.flat())
      expect(await storage.usage.sumsOfKey(HOUR)).toMatchObject({ statuses: [{ status: 200, requests: 30 }] })
      await storage.close()
    }))

  test('is in the file, without its journal, once that is closed', () =>
    inDirectory(async (directory) => {
      const storage = await openFile(join(directory, 'auth.db'))
      await storage.usage.record(WRITE)
      await storage.close()
      copyFileSync(join(directory, 'auth.db'), join(directory, 'copy.db'))
      const copy = new Database(join(directory, 'copy.db'))
      expect(cellOf(copy, 'select sum(requests) from machine_auth_usage')).toBe(1)
      copy.close()
      expect(await codeOf(storage.usage.record(WRITE))).toBe('storage_unavailable')
    }))

  test('goes by a connection that neither waits nor syncs each commit', () =>
    inDirectory(async (directory) => {
      const database = openSqlite(join(directory, 'auth.db'), SETTINGS)
      const pragma = async (name: string) => {
        const [row] = (await database.background?.handle.all<Record<string, unknown>>(`PRAGMA ${name}`)) ?? []
        return Object.values(row ?? {})[0]
      }
      expect(await pragma('journal_mode')).toBe('wal')
      expect(await pragma('synchronous')).toBe(1)
      expect(await pragma('busy_timeout')).toBe(0)
      await database.close()
    }))

  test.each([
    { name: 'memory of our own', open: () => openSqlite(':memory:', SETTINGS) },
    { name: 'an app’s own database', open: () => attach().database },
  ])('goes by the one connection of $name', async ({ open }) => {
    const database = open()
    expect(database.background).toBeUndefined()
    await database.close()
  })
})
