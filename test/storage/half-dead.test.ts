/** A host that went without a word: its old connections are silent for ever, new ones reach its successor. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Socket } from 'bun'
import { openStorage } from '../../src/storage/open.ts'
import { createServerDatabase, isServerUp } from '../contract/adapters.ts'
import { aKey } from '../contract/fixtures.ts'
import { atOnce, codeOf } from '../contract/support.ts'
import { until } from '../support/until.ts'

const serverUp = await isServerUp()
const required = process.env.REQUIRE_SERVICES === '1'

interface Way {
  other: Socket<Way> | null
  waiting: Uint8Array[]
  isDead: boolean
}

/** Passes on what clients and a server say, until the connections of the moment go silent, or all that come as well. */
function startProxy(port: number) {
  const ways: Way[] = []
  let isFrozen = false
  let clients = 0
  const pass = (socket: Socket<Way>, data: Uint8Array) => {
    const { other, waiting, isDead } = socket.data
    if (isDead) return
    if (other === null) waiting.push(new Uint8Array(data))
    else other.write(data)
  }
  const listener = Bun.listen<Way>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(client) {
        clients += 1
        const way: Way = { other: null, waiting: [], isDead: isFrozen }
        client.data = way
        ways.push(way)
        void Bun.connect<Way>({
          hostname: '127.0.0.1',
          port,
          data: { other: client, waiting: [], isDead: false },
          socket: {
            open(server) {
              ways.push(server.data)
              way.other = server
              for (const data of way.waiting) server.write(data)
            },
            data: pass,
            close: (server) => void (server.data.isDead || client.end()),
          },
        })
      },
      data: pass,
      close: (client) => void client.data.other?.end(),
    },
  })
  return {
    port: listener.port,
    silence: () => {
      for (const way of ways) way.isDead = true
    },
    freeze: () => {
      isFrozen = true
      for (const way of ways) way.isDead = true
    },
    clients: () => clients,
    stop: () => listener.stop(true),
  }
}

describe.skipIf(!serverUp && !required)('PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createServerDatabase>>
  beforeAll(async () => {
    database = await createServerDatabase()
  })
  afterAll(() => database.drop())

  /** Opens the database by a proxy of its own, with connections that were used. */
  async function open(timeout: number) {
    const proxy = startProxy(5432)
    const url = new URL(database.url)
    url.port = String(proxy.port)
    const postgres = { poolSize: 3, timeout, prepare: true, ca: null }
    const { storage, ready, listen } = openStorage(url.href, { migrate: 'auto', postgres })
    await ready
    const key = aKey()
    await storage.keys.insert(key)
    await atOnce(10, () => storage.keys.find(key.id))
    const end = async () => {
      await storage.close()
      proxy.stop()
    }
    return { proxy, storage, key, listen, end }
  }

  test('whose connections went silent is reached by new ones, and whoever listens hears that he must listen anew', async () => {
    const { proxy, storage, key, listen, end } = await open(200)
    const states: string[] = []
    await listen?.(
      () => undefined,
      (state) => states.push(state),
    )
    expect(states).toEqual(['heard'])
    proxy.silence()
    const codes = await atOnce(6, () => codeOf(storage.keys.find(key.id)))
    expect(new Set(codes)).toEqual(new Set(['storage_unavailable']))
    const took = await until(async () => (await codeOf(storage.keys.find(key.id))) === 'none')
    // A quarter of a second and one call in vain, then half a second.
    expect(took).toBeLessThan(3000)
    expect(states).toContain('ended')
    const found = await atOnce(30, () => storage.keys.find(key.id))
    expect(found.every((each) => each?.id === key.id)).toBe(true)
    await end()
  }, 20_000)

  test('whose connections went silent is asked for changes by new ones long before the time of its verbs is over', async () => {
    const { proxy, storage, key, end } = await open(10_000)
    expect(await codeOf(storage.changes.since(0))).toBe('none')
    proxy.silence()
    const looks: string[] = []
    const took = await until(async () => {
      looks.push(await codeOf(storage.changes.since(0)))
      return looks.at(-1) === 'none'
    })
    expect(looks).toEqual(['storage_unavailable', 'none'])
    // The first look has a second.
    expect(took).toBeLessThan(2500)
    const found = await atOnce(30, () => storage.keys.find(key.id))
    expect(found.every((each) => each?.id === key.id)).toBe(true)
    await end()
  }, 20_000)

  test('that is frozen gets few connections, however often it is asked for changes', async () => {
    const { proxy, storage, end } = await open(100)
    const before = proxy.clients()
    proxy.freeze()
    let looks = 0
    const start = performance.now()
    while (performance.now() - start < 2500) {
      expect(await codeOf(storage.changes.since(0))).toBe('storage_unavailable')
      looks += 1
      await Bun.sleep(1)
    }
    expect(looks).toBeGreaterThan(100)
    // Eight of them ask, five before the circuit opens; a pool has three connections.
    expect(proxy.clients() - before).toBeLessThan(40)
    await end()
  }, 20_000)
})
