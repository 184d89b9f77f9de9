import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { createLedger } from '../../src/storage/drizzle/migrate/ledger.ts'
import { listPending, migrate, requireMigrated } from '../../src/storage/drizzle/migrate/runner.ts'
import { type Migration, readMigrations } from '../../src/storage/drizzle/migrate/shipped.ts'
import { createStorage } from '../../src/storage/drizzle/storage.ts'
import { aKey } from '../contract/fixtures.ts'
import { codeOf } from '../contract/support.ts'
import { attach, cellOf, inDirectory } from './support.ts'

const shipped = readMigrations('sqlite')
const next: Migration = {
  name: `${String(shipped.length).padStart(4, '0')}_next`,
  hash: 'hash of next',
  statements: ['alter table machine_auth_api_keys add column extra text', 'create table next (id text)'],
}
const NAMES = shipped.map(({ name }) => name)

test('both dialects ship the same steps', () => {
  expect(readMigrations('postgres').map(({ name }) => name)).toEqual([...NAMES])
  expect(NAMES[0]).toBe('0000_init')
})

describe('migrate', () => {
  test('applies what is pending, records it, and then nothing', async () => {
    const { client, database } = attach()
    expect(await listPending(database)).toEqual(NAMES)
    expect(await migrate(database)).toEqual(NAMES)
    expect(await migrate(database)).toEqual([])
    expect(await listPending(database)).toEqual([])
    const recorded = client.query('select position, name, hash from machine_auth_migrations order by position').all()
    expect(recorded).toEqual(shipped.map(({ name, hash }, position) => ({ position, name, hash })))
    expect(cellOf(client, 'select count(*) from machine_auth_lease')).toBe(0)
  })

  test('an upgrade keeps the rows', async () => {
    const { client, database } = attach()
    await migrate(database)
    const key = aKey()
    await createStorage(database).keys.insert(key)
    expect(await migrate(database, { migrations: [...shipped, next] })).toEqual([next.name])
    expect(await createStorage(database).keys.find(key.id)).toEqual(key)
    expect(cellOf(client, 'select count(*) from next')).toBe(0)
  })

  test('a migration that fails leaves nothing of itself, and the lease free', async () => {
    const { client, database } = attach()
    const broken = { ...next, statements: ['create table half (id text)', 'insert into nowhere values (1)'] }
    expect(await codeOf(migrate(database, { migrations: [...shipped, broken] }))).toContain('not ours')
    expect(cellOf(client, "select count(*) from sqlite_master where name = 'half'")).toBe(0)
    expect(cellOf(client, 'select count(*) from machine_auth_migrations')).toBe(shipped.length)
    expect(await migrate(database, { migrations: [...shipped, next] })).toEqual([next.name])
  })

  test('refuses a database whose migration differs from the shipped file', async () => {
    const { client, database } = attach()
    await migrate(database)
    client.run("update machine_auth_migrations set hash = 'other' where position = 0")
    for (const attempt of [migrate, requireMigrated, listPending]) {
      await expect(attempt(database)).rejects.toThrow(/0000_init .*hashes differ/)
    }
  })

  test('refuses a database that a newer version migrated', async () => {
    const { database } = attach()
    await migrate(database, { migrations: [...shipped, next] })
    for (const attempt of [migrate, requireMigrated, listPending]) {
      await expect(attempt(database)).rejects.toThrow(new RegExp(`${next.name}.*newer version`))
    }
  })
})

describe('check', () => {
  test('refuses pending migrations by name with the command, and changes nothing', async () => {
    const { client, database } = attach()
    await expect(requireMigrated(database)).rejects.toThrow(/0000_init.*migrate: 'auto'/)
    expect(cellOf(client, 'select count(*) from sqlite_master')).toBe(0)
    await migrate(database)
    expect(await codeOf(requireMigrated(database))).toBe('none')
    await expect(requireMigrated(database, [...shipped, next, { ...next, name: 'x' }])).rejects.toThrow(
      `2 migrations: ${next.name}, x`,
    )
  })
})

describe('the lease', () => {
  test('of two runners on one file one migrates and the other waits for it', () =>
    inDirectory(async (directory) => {
      const [holder, waiter] = [attach(join(directory, 'a.db')), attach(join(directory, 'a.db'))]
      const ledger = createLedger(holder.database)
      await ledger.create()
      expect(await ledger.acquire('holder', 0, 1000)).toBeTrue()
      let now = 0
      const sleeps: number[] = []
      const applied = await migrate(waiter.database, {
        clock: () => now,
        async sleep(ms) {
          now += ms
          if (sleeps.push(ms) < 3) return
          for (const [position, migration] of shipped.entries()) {
            expect(await ledger.apply(migration, position, 'holder', now, 2000)).toBeTrue()
          }
          await ledger.release('holder')
        },
      })
      expect([applied, sleeps.length]).toEqual([[], 3])
      expect(await codeOf(requireMigrated(waiter.database))).toBe('none')
    }))

  test('of a holder that died expires', async () => {
    const { database } = attach()
    const ledger = createLedger(database)
    await ledger.create()
    await ledger.acquire('dead', 0, 500)
    let now = 0
    const sleep = async (ms: number) => {
      now += ms
    }
    expect(await migrate(database, { clock: () => now, sleep })).toEqual(NAMES)
    expect(now).toBe(500)
  })

  test('is waited for no longer than patience allows', async () => {
    const { database } = attach()
    const ledger = createLedger(database)
    await ledger.create()
    await ledger.acquire('slow', 0, 1_000_000)
    let now = 0
    const sleep = async (ms: number) => {
      now += ms
    }
    expect(await codeOf(migrate(database, { clock: () => now, sleep, patience: 1000 }))).toBe('storage_unavailable')
    expect(now).toBe(1000)
  })

  test('that was taken over keeps its former holder from applying anything', async () => {
    const { client, database } = attach()
    const ledger = createLedger(database)
    await ledger.create()
    expect(await ledger.acquire('first', 0, 10)).toBeTrue()
    expect(await ledger.acquire('second', 9, 20)).toBeFalse()
    expect(await ledger.acquire('second', 10, 20)).toBeTrue()
    expect(await ledger.apply(next, 0, 'first', 11, 30)).toBeFalse()
    await ledger.release('first')
    expect(cellOf(client, 'select holder from machine_auth_lease')).toBe('second')
    expect(cellOf(client, 'select count(*) from machine_auth_migrations')).toBe(0)
  })

  test('counts as held while another process keeps the file locked', () =>
    inDirectory(async (directory) => {
      const [holder, waiter] = [attach(join(directory, 'a.db')), attach(join(directory, 'a.db'))]
      holder.client.run('begin immediate')
      let sleeps = 0
      const sleep = async () => {
        if (++sleeps === 2) holder.client.run('rollback')
      }
      expect(await migrate(waiter.database, { sleep })).toEqual(NAMES)
      expect(sleeps).toBe(2)
    }))

  test('lets one of several processes on a new file migrate', () =>
    inDirectory(async (directory) => {
      const script = `
        const { openStorage } = await import(${JSON.stringify(join(import.meta.dir, '../../src/storage/open.ts'))})
        const { storage, ready } = openStorage('sqlite:${directory}/a.db', { migrate: 'auto' })
        await ready
        await storage.roles.put({ name: crypto.randomUUID(), permissions: [], inherits: [] }, 0)
        await storage.close()`
      const children = [0, 1, 2].map(() => Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' }))
      expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0, 0])
      const { client } = attach(join(directory, 'a.db'))
      expect(cellOf(client, 'select count(*) from machine_auth_migrations')).toBe(shipped.length)
      expect(cellOf(client, 'select count(*) from machine_auth_roles')).toBe(3)
    }))
})

describe('tables that an app’s own migrations made', () => {
  const applyAll = async ({ client }: ReturnType<typeof attach>) => {
    for (const { statements } of shipped) for (const statement of statements) client.run(statement)
  }

  test('are left to the app', async () => {
    const opened = attach()
    await applyAll(opened)
    expect(await migrate(opened.database)).toEqual([])
    expect(await codeOf(requireMigrated(opened.database))).toBe('none')
    expect(cellOf(opened.client, "select count(*) from sqlite_master where name like '%lease%'")).toBe(0)
  })

  test('are refused by name when a column is missing', async () => {
    const opened = attach()
    await applyAll(opened)
    opened.client.run('alter table machine_auth_users drop column tokens_not_before')
    for (const attempt of [migrate, requireMigrated]) {
      await expect(attempt(opened.database)).rejects.toThrow(/machine_auth_users.*elysia-machine-auth\/schema\/sqlite/)
    }
  })
})

test('the shipped migrations make what the schemas say', async () => {
  const script = join(import.meta.dir, '../../scripts/generate-migrations.ts')
  const child = Bun.spawn([process.execPath, script, '--check'], { stderr: 'inherit' })
  expect(await child.exited).toBe(0)
}, 20_000)
