import { describe, expect, test } from 'bun:test'
import { fileURLToPath } from 'node:url'
import { SQL } from 'bun'
import { readMigrations } from '../../src/storage/drizzle/migrate/shipped.ts'
import { listPendingMigrations, openStorage } from '../../src/storage/open.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'
import { aKey } from '../contract/fixtures.ts'
import { codeOf } from '../contract/support.ts'

describe('PostgreSQL', () => {
  test('that refuses connections is storage_unavailable, when starting and afterwards', async () => {
    const closed = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
    const { port } = closed
    closed.stop(true)
    const { storage, ready } = openStorage(`postgres://u:hunter2@127.0.0.1:${port}/app`, { migrate: 'auto' })
    const error = await ready.then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toMatchObject({ code: 'storage_unavailable', extras: { retryable: true, retryAfter: 1 } })
    expect(Bun.inspect(error)).not.toContain('hunter2')
    expect(await codeOf(storage.ping())).toBe('storage_unavailable')
    await storage.close()
  })

  test('that accepts connections and never answers is storage_unavailable after the timeout', async () => {
    const silent = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
    const url = `postgres://u@127.0.0.1:${silent.port}/app`
    const { storage, ready } = openStorage(url, { migrate: 'check', timeout: 30 })
    const started = codeOf(ready)
    expect(await codeOf(storage.keys.findWithOwner('key_1'))).toBe('storage_unavailable')
    silent.stop(true)
    expect(await started).toBe('storage_unavailable')
    await storage.close()
  })

  test('is not loaded by those who use SQLite', async () => {
    const open = fileURLToPath(new URL('../../src/storage/open.ts', import.meta.url))
    const script = `
      const { openStorage } = await import(${JSON.stringify(open)})
      const { storage, ready } = openStorage('sqlite::memory:', { migrate: 'auto' })
      await ready
      await storage.close()
      console.log(JSON.stringify([...Object.keys(require.cache), ...(globalThis.Loader?.registry.keys() ?? [])]))`
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
    const loaded: string[] = JSON.parse(await new Response(child.stdout).text())
    expect(loaded.some((path) => path.includes('schema.sqlite'))).toBeTrue()
    expect(loaded.filter((path) => /schema\.postgres|pg-core\/(dialect|session|db)|bun-sql\//.test(path))).toEqual([])
  })
})

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'

describe.skipIf(!serverUp && !required)('a PostgreSQL server', () => {
  test('that keeps the ledger locked holds up no start beyond its patience', async () => {
    const { url, drop } = await createServerDatabase()
    const locker = new SQL({ url, max: 1 })
    try {
      const { storage, ready } = openStorage(url, { migrate: 'auto' })
      await ready
      await storage.close()
      const release = Promise.withResolvers<void>()
      const isLocked = Promise.withResolvers<void>()
      const locked = locker.begin(async (tx) => {
        await tx`lock table machine_auth_migrations in access exclusive mode`
        isLocked.resolve()
        await release.promise
      })
      await isLocked.promise
      for (const mode of ['auto', 'check'] as const) {
        const opened = openStorage(url, { migrate: mode, patience: 200 })
        await expect(opened.ready).rejects.toThrow(/^machine-auth: .* no answer in time/)
        await opened.storage.close()
      }
      const postgres = { poolSize: 1, timeout: 200, prepare: false, ca: null }
      await expect(listPendingMigrations(url, { postgres })).rejects.toThrow('no answer in time')
      release.resolve()
      await locked
    } finally {
      await locker.close()
      await drop()
    }
  }, 30_000)

  test('is migrated once by several that start at once, and holds JSON as JSON', async () => {
    const { url, drop } = await createServerDatabase()
    try {
      const shipped = readMigrations('postgres').map(({ name }) => name)
      expect(await listPendingMigrations(url)).toEqual(shipped)
      const refused = openStorage(url, { migrate: 'check' })
      await expect(refused.ready).rejects.toThrow(/0000_init.*migrate: 'auto'/)
      await refused.storage.close()

      const opened = [0, 1, 2, 3].map(() => openStorage(url, { migrate: 'auto' }))
      await Promise.all(opened.map(({ ready }) => ready))
      await opened[0]?.storage.keys.insert(aKey())
      for (const { storage } of opened) await storage.close()
      expect(await listPendingMigrations(url)).toEqual([])

      const client = new SQL({ url, max: 1 })
      expect([...(await client`select name from machine_auth_migrations`.values())]).toEqual(
        shipped.map((name) => [name]),
      )
      const types = client`select jsonb_typeof(permissions), jsonb_typeof(rate_limit) from machine_auth_api_keys`
      expect([...(await types.values())]).toEqual([['array', 'object']])
      await client.close()
    } finally {
      await drop()
    }
  })
})
