import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { chmodSync, copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import type { SqliteHandle } from '../../src/options/types.ts'
import { openSqlite } from '../../src/storage/drizzle/sqlite.ts'
import { listPendingMigrations, openStorage } from '../../src/storage/open.ts'
import { aKey, NOW } from '../contract/fixtures.ts'
import { codeOf } from '../contract/support.ts'
import { cellOf, inDirectory, SETTINGS } from './support.ts'

const mode = (file: string) => statSync(file).mode & 0o777

describe('a SQLite file of our own', () => {
  test('is made with its directory, readable to its owner only, and so are the files beside it', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'a', 'b', 'auth.db')
      const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
      await ready
      expect([file, `${file}-wal`, `${file}-shm`].map(mode)).toEqual([0o600, 0o600, 0o600])
      await storage.close()
    }))

  test('keeps the mode it has', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'auth.db')
      writeFileSync(file, '')
      chmodSync(file, 0o640)
      const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
      await ready
      expect(mode(file)).toBe(0o640)
      await storage.close()
    }))

  test('has the settings that credentials need', () =>
    inDirectory(async (directory) => {
      const database = openSqlite(join(directory, 'auth.db'), SETTINGS)
      const pragma = async (name: string) => {
        const [row] = await database.handle.all<Record<string, unknown>>(`PRAGMA ${name}`)
        return Object.values(row ?? {})[0]
      }
      expect(await pragma('journal_mode')).toBe('wal')
      expect(await pragma('synchronous')).toBe(2)
      expect(await pragma('busy_timeout')).toBe(5000)
      expect(await pragma('foreign_keys')).toBe(1)
      expect(await pragma('mmap_size')).toBe(1024 ** 3)
      await database.close()
    }))

  test('keeps what was stored when it is opened again', () =>
    inDirectory(async (directory) => {
      const key = aKey()
      for (const turn of [0, 1]) {
        const { storage, ready } = openStorage(`sqlite:${directory}/auth.db`, { migrate: 'auto' })
        await ready
        if (turn === 0) await storage.keys.insert(key)
        expect(await storage.keys.find(key.id)).toEqual(key)
        await storage.close()
      }
    }))

  test('is complete without its journal once closed, and then unavailable', () =>
    inDirectory(async (directory) => {
      const { storage, ready } = openStorage(`sqlite:${directory}/auth.db`, { migrate: 'auto' })
      await ready
      await storage.keys.insert(aKey())
      await storage.close()
      await storage.close()
      copyFileSync(`${directory}/auth.db`, `${directory}/copy.db`)
      const copy = new Database(`${directory}/copy.db`)
      expect(cellOf(copy, 'select count(*) from machine_auth_api_keys')).toBe(1)
      copy.close()
      expect(await codeOf(storage.ping())).toBe('storage_unavailable')
    }))

  test('tells by its version that another connection wrote', () =>
    inDirectory(async (directory) => {
      const opened = [0, 1].map(() => openStorage(`sqlite:${directory}/auth.db`, { migrate: 'auto' }))
      for (const { ready } of opened) await ready
      const [reader, writer] = opened.map(({ storage }) => storage)
      const before = reader?.changes.version()
      expect(before).toBeNumber()
      expect(reader?.changes.version()).toBe(before ?? null)
      await writer?.keys.insert(aKey())
      expect(reader?.changes.version()).not.toBe(before ?? null)
      for (const { storage } of opened) await storage.close()
    }))

  test.each([
    { name: 'a directory', path: '', reason: /directory/ },
    { name: 'below a file', path: 'file/auth.db', reason: /not a directory|cannot be made/ },
    { name: 'no database', path: 'text', reason: /not a SQLite database/ },
  ])('that is $name is refused with the path, the reason and advice', ({ path, reason }) =>
    inDirectory(async (directory) => {
      writeFileSync(join(directory, 'file'), '')
      writeFileSync(join(directory, 'text'), 'x'.repeat(5000))
      const open = () => openStorage(`sqlite:${join(directory, path)}`, { migrate: 'auto' })
      expect(open).toThrow(reason)
      expect(open).toThrow(join(directory, path))
      expect(open).toThrow(/MACHINE_AUTH_DATABASE=/)
    }),
  )

  test('in a directory that cannot be written is refused', () => {
    expect(() => openStorage('sqlite:/proc/self/auth.db', { migrate: 'auto' })).toThrow(/"\/proc\/self\/auth.db"/)
  })

  test('that another process keeps locked is storage_unavailable, to be tried again', () =>
    inDirectory(async (directory) => {
      const file = join(directory, 'auth.db')
      const client = new Database(file)
      const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'auto' })
      await ready
      const other = new Database(file)
      other.run('begin exclusive')
      expect(await codeOf(storage.keys.insert(aKey()))).toBe('storage_unavailable')
      expect(await codeOf(storage.keys.revoke('key_1', { at: NOW, reason: null, by: 'x' }))).toBe('storage_unavailable')
      other.run('rollback')
      expect(await codeOf(storage.keys.insert(aKey()))).toBe('none')
      other.close()
      client.close()
    }))
})

test('memory needs no file', async () => {
  const { storage, ready } = openStorage('sqlite::memory:', { migrate: 'auto' })
  await ready
  expect(storage.dialect).toBe('sqlite')
  expect(await storage.changes.latest()).toBe(0)
  await storage.close()
  expect(existsSync(':memory:')).toBeFalse()
})

describe('an app’s own database', () => {
  test('keeps its settings and its life', () =>
    inDirectory(async (directory) => {
      const client = new Database(join(directory, 'app.db'))
      client.run('PRAGMA busy_timeout=123')
      const settings = () =>
        ['journal_mode', 'synchronous', 'busy_timeout', 'foreign_keys'].map((name) => cellOf(client, `PRAGMA ${name}`))
      const before = settings()
      const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'auto' })
      await ready
      await storage.keys.insert(aKey())
      // The version would be blind to what the app writes on this connection.
      expect(storage.changes.version()).toBeNull()
      await storage.close()
      expect(settings()).toEqual(before)
      expect(cellOf(client, 'select count(*) from machine_auth_api_keys')).toBe(1)
      client.close()
    }))

  test.each([
    { name: 'null', db: null },
    { name: 'an object', db: {} },
    { name: 'a driver’s client', db: Database },
    { name: 'text', db: 'sqlite::memory:' },
  ])('that is $name is refused', ({ db }) => {
    const option = { db } as unknown as { db: SqliteHandle }
    expect(() => openStorage(option, { migrate: 'auto' })).toThrow(/^database: \{ db \} must be a Drizzle database/)
  })
})

describe('listPendingMigrations', () => {
  test('names what opening would apply, and makes no file', () =>
    inDirectory(async (directory) => {
      mkdirSync(join(directory, 'data'))
      const file = join(directory, 'data', 'auth.db')
      const pending = await listPendingMigrations(`sqlite:${file}`)
      expect(pending[0]).toBe('0000_init')
      expect(existsSync(file)).toBeFalse()
      const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
      await ready
      await storage.close()
      expect(await listPendingMigrations(`sqlite:${file}`)).toEqual([])
    }))
})
