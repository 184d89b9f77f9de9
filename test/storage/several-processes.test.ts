/** Several processes on one PostgreSQL: what storage promises holds between them too. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { SQL } from 'bun'
import { readMigrations } from '../../src/storage/drizzle/migrate/shipped.ts'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'
import { describeRaces } from './races.ts'

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'
/** The server has connections for other tests too. */
const SOME = { poolSize: 5, timeout: 10_000, prepare: true, ca: null }

describe.skipIf(!serverUp && !required)('several processes on one PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let storages: readonly [Storage, Storage]
  beforeAll(async () => {
    database = await createServerDatabase()
    const open = async () => {
      const { storage, ready } = openStorage(database.url, { migrate: 'auto', postgres: SOME, notify: true })
      await ready
      return storage
    }
    storages = await Promise.all([open(), open()])
  })
  afterAll(async () => {
    await Promise.all(storages.map((storage) => storage.close()))
    await database.drop()
  })

  describeRaces('that ask at the same moment', () => storages)

  test('three that start at once migrate it once', async () => {
    const { url, drop } = await createServerDatabase()
    try {
      const script = `
        const { openStorage } = await import(${JSON.stringify(join(import.meta.dir, '../../src/storage/open.ts'))})
        const { storage, ready } = openStorage(${JSON.stringify(url)}, { migrate: 'auto' })
        await ready
        await storage.signingKeys.list()
        await storage.close()`
      const children = [1, 2, 3].map(() => Bun.spawn([process.execPath, '-e', script], { stderr: 'pipe' }))
      const said = await Promise.all(children.map(({ stderr }) => new Response(stderr).text()))
      expect([said.join(''), await Promise.all(children.map(({ exited }) => exited))]).toEqual(['', [0, 0, 0]])
      const client = new SQL({ url, max: 1 })
      const rows = await client`select name from machine_auth_migrations order by position`.values()
      expect([...rows].flat()).toEqual(readMigrations('postgres').map(({ name }) => name))
      await client.close()
    } finally {
      await drop()
    }
  }, 20_000)
})
