/** Behind PgBouncer in transaction mode, where each transaction may get another connection. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { createServerDatabase, isServerUp, POOLED } from '../contract/adapters.ts'
import { aKey, NOW } from '../contract/fixtures.ts'
import { isPgBouncerInstalled, startPgBouncer } from '../support/servers/pgbouncer.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { describeRaces } from './races.ts'

const isHere = isPgBouncerInstalled && (await isServerUp())
const required = process.env.REQUIRE_SERVICES === '1'

describe.skipIf(!isHere && !required)('PgBouncer in transaction mode', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  let bouncer: PrivateServer
  let url: string
  let storages: readonly [Storage, Storage]
  beforeAll(async () => {
    database = await createServerDatabase()
    bouncer = await startPgBouncer({ port: Number(new URL(database.url).port) })
    const pooled = new URL(database.url)
    pooled.port = String(bouncer.port)
    url = pooled.href
    const open = async () => {
      const { storage, ready } = openStorage(url, { migrate: 'auto', postgres: POOLED, notify: true })
      await ready
      return storage
    }
    storages = await Promise.all([open(), open()])
  }, 20_000)
  afterAll(async () => {
    await Promise.all(storages.map((storage) => storage.close()))
    await bouncer.stop()
    await database.drop()
  })

  describeRaces('several processes that ask at the same moment', () => storages)

  test('300 transactions and reads at once are none of them wrong', async () => {
    const keys = Array.from({ length: 100 }, () => aKey())
    await Promise.all(keys.map((key, index) => storages[index % 2 === 0 ? 0 : 1].keys.insert(key)))
    const answers = await Promise.all(
      keys.flatMap((key, index) => {
        const { keys } = storages[index % 2 === 0 ? 1 : 0]
        return [keys.find(key.id), keys.update(key.id, { description: key.id }, NOW), keys.findWithOwner(key.id)]
      }),
    )
    for (const [index, key] of keys.entries()) {
      const [found, updated, owned] = answers.slice(index * 3)
      expect([found, updated]).toMatchObject([{ id: key.id }, { id: key.id, description: key.id }])
      expect(owned).toMatchObject({ key: { id: key.id } })
    }
  })

  test('listening is deaf: that is noticed, and harms nobody', async () => {
    const { storage, ready, listen } = openStorage(url, { migrate: 'check', postgres: POOLED, notify: true })
    await ready
    await expect(listen?.(() => undefined)).rejects.toThrow('not heard')
    const names = Array.from({ length: 60 }, (_, index) => `role ${index}`)
    const put = (name: string) => storage.roles.put({ name, permissions: [name], inherits: [] }, NOW)
    expect(await Promise.all(names.map(put))).toEqual(names.map(() => true))
    const stored = new Map((await storage.roles.list()).map(({ name, permissions }) => [name, permissions]))
    for (const name of names) expect(stored.get(name)).toEqual([name])
    await storage.close()
  })

  test('prepared statements fail, and tell which option to change', async () => {
    const { storage, ready } = openStorage(url, { migrate: 'check', postgres: { ...POOLED, prepare: true } })
    const asked = ready.then(() =>
      Promise.all(Array.from({ length: 60 }, (_, index) => storage.keys.findWithOwner(`key_${index % 3}`))),
    )
    await expect(asked).rejects.toThrow(/postgres\.prepare to false/)
    await storage.close()
  })
})
