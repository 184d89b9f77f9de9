/** A PostgreSQL that dies, comes back, freezes and thaws, as a process with a pool sees it. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { openStorage } from '../../src/storage/open.ts'
import type { Storage } from '../../src/storage/ports.ts'
import { aKey, NOW } from '../contract/fixtures.ts'
import { atOnce, codeOf } from '../contract/support.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { askPostgres } from '../support/servers/postgres-process.ts'
import type { PrivateServer } from '../support/servers/private-server.ts'
import { until } from '../support/until.ts'

const TIMEOUT = 500
const POOL = 4
/** ms within which nobody notices: far below the timeout. */
const AT_ONCE = 100

let server: PrivateServer
let storage: Storage
let changes: boolean[]
const key = aKey()

beforeAll(async () => {
  server = await startPostgres()
}, 60_000)
afterAll(() => server.stop())
beforeEach(async () => {
  changes = []
  const postgres = { poolSize: POOL, timeout: TIMEOUT, prepare: true, ca: null }
  const warn = (message: string) => void changes.push(message.includes('is away'))
  const opened = openStorage(server.url, { migrate: 'auto', postgres, warn })
  await opened.ready
  storage = opened.storage
  if ((await storage.keys.find(key.id)) === null) await storage.keys.insert(key)
  // What SIGKILL finds in the memory of the server is lost.
  await askPostgres(server.url, 'checkpoint')
  // All connections are there.
  await atOnce(20, () => storage.keys.find(key.id))
})
afterEach(() => storage.close())

/** Verbs of each kind. */
const VERBS: Readonly<Record<string, (storage: Storage) => Promise<unknown>>> = {
  'a read': ({ keys }) => keys.findWithOwner(key.id),
  'a write': ({ quotas }) => quotas.claim({ subject: key.id, period: '2030-01', amount: 1, limit: 10 ** 9 }),
  'a transaction': ({ keys }) => keys.update(key.id, { enabled: true }, NOW),
  'a report': ({ usage }) => usage.overall('hour', NOW),
  ping: (opened) => opened.ping(),
}

async function measure(work: () => Promise<unknown>): Promise<{ readonly code: string; readonly took: number }> {
  const start = performance.now()
  const code = await codeOf(work())
  return { code, took: performance.now() - start }
}

async function openCircuit(): Promise<void> {
  await until(async () => {
    await atOnce(5, () => codeOf(storage.keys.findWithOwner(key.id)))
    return changes.at(-1) === true
  })
}

const isBack = async () => (await codeOf(storage.keys.findWithOwner(key.id))) === 'none'

describe('killed', () => {
  test('it is refused at once, and used again within three seconds of its start', async () => {
    await server.kill()
    await openCircuit()
    for (const [name, verb] of Object.entries(VERBS)) {
      const { code, took } = await measure(() => verb(storage))
      expect([name, code, took < AT_ONCE]).toEqual([name, 'storage_unavailable', true])
    }
    await server.start()
    expect(await until(isBack)).toBeLessThan(3000)
    for (const [name, verb] of Object.entries(VERBS))
      expect([name, await codeOf(verb(storage))]).toEqual([name, 'none'])
    expect(changes).toEqual([true, false])
  }, 30_000)

  test('and started at once no read fails by the connections that are lost', async () => {
    await server.kill()
    await server.start()
    const codes = await atOnce(20, () => codeOf(storage.keys.findWithOwner(key.id)))
    expect(new Set(codes)).toEqual(new Set(['none']))
  }, 30_000)

  test('it does not hold up the end', async () => {
    await server.kill()
    await openCircuit()
    const { took } = await measure(() => storage.close())
    expect(took).toBeLessThan(1000)
    await server.start()
  }, 30_000)
})

describe('frozen', () => {
  test('every verb gives up in time, then at once, and after the thaw all connections are good', async () => {
    server.pause()
    const first = await Promise.all(
      Object.entries(VERBS).map(async ([name, verb]) => ({ name, ...(await measure(() => verb(storage))) })),
    )
    for (const { name, code, took } of first) {
      expect([name, code]).toEqual([name, 'storage_unavailable'])
      expect(took).toBeLessThan(TIMEOUT + 300)
    }
    await openCircuit()
    // Long enough for some to have tried it again, in vain.
    const start = performance.now()
    let slow = 0
    await until(async () => {
      const { took } = await measure(() => storage.keys.findWithOwner(key.id))
      expect(took).toBeLessThan(TIMEOUT + 300)
      if (took > AT_ONCE) slow += 1
      return slow >= 2
    })
    expect(performance.now() - start).toBeLessThan(5000)
    server.resume()
    expect(await until(isBack)).toBeLessThan(3000)
    const found = await atOnce(100, () => storage.keys.find(key.id))
    expect(found.every((each) => each?.id === key.id)).toBe(true)
    for (const [name, verb] of Object.entries(VERBS))
      expect([name, await codeOf(verb(storage))]).toEqual([name, 'none'])
    expect(changes).toEqual([true, false])
  }, 30_000)
})

describe('busy with reports', () => {
  test('it serves everybody else, and the circuit stays closed', async () => {
    const url = new URL(server.url)
    // A lock that reports wait for, and nobody else.
    const { SQL } = await import('bun')
    const other = new SQL({ url: url.href, max: 1 })
    await using locking = await other.reserve()
    await locking`begin`
    await locking`lock table machine_auth_usage in access exclusive mode`
    const reports = atOnce(30, () => codeOf(storage.usage.overall('hour', NOW)))
    for (let round = 0; round < 20; round++) {
      const { code, took } = await measure(() => storage.keys.findWithOwner(key.id))
      expect(code).toBe('none')
      expect(took).toBeLessThan(TIMEOUT)
    }
    expect(new Set(await reports)).toEqual(new Set(['storage_unavailable']))
    expect(await codeOf(storage.keys.findWithOwner(key.id))).toBe('none')
    expect(changes).toEqual([])
    await locking`rollback`
    await until(async () => (await codeOf(storage.usage.overall('hour', NOW))) === 'none')
    await locking.release()
    await other.close()
  }, 30_000)
})
