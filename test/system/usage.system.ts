/**
 * Requests are counted exactly once, however their server ends.
 *
 * `USAGE_REQUESTS` says how many of them are answered in each test that ends a server under load, 6000 unless given:
 * `USAGE_REQUESTS=100000 bun run test:system usage`. What that comes to is printed.
 */
import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import { inTemporaryFolder } from './fixtures.ts'
import { answersOf, type Client, counted, createClients, load, startCounting } from './usage-load.ts'

const REQUESTS = Number(process.env.USAGE_REQUESTS ?? 6000)
/** ms for that many, on a machine that is busy with others. */
const PATIENCE = 30_000 + REQUESTS * 2
const CLIENTS = 8
/** What creating the clients' keys comes to, in the total. */
const CREATES = CLIENTS

/** Has them ask until all have `enough` answers together. */
async function answer(enough: number, clients: readonly Client[]): Promise<void> {
  await until(async () => {
    await Bun.sleep(1)
    return answersOf(clients) >= enough
  }, PATIENCE)
}

/**
 * Each client asks one request after the other, so that of the requests it got no answer for only one may be counted at
 * each time that the server was killed.
 */
function expectExactlyOnce(folder: string, clients: readonly Client[], kills: number): void {
  const { total, byKey } = counted(folder)
  const sent = clients.reduce((sum, client) => sum + client.sent, 0)
  console.log(`sent ${sent}, answered ${answersOf(clients)}, counted ${total - CREATES}`)
  for (const { keyId, sent, answered, refused } of clients) {
    const own = byKey.get(keyId) ?? 0
    expect(refused).toBe(0)
    expect(own).toBeGreaterThanOrEqual(answered)
    expect(own).toBeLessThanOrEqual(Math.min(sent, answered + kills))
  }
  expect(total).toBe(CREATES + [...byKey.values()].reduce((sum, requests) => sum + requests, 0))
}

const JOURNALED = {
  'flushed every second': { durability: 'journaled' },
  'flushed all the time, each counter in a transaction of its own': {
    ...{ durability: 'journaled', flushInterval: '5ms', batchSize: 1 },
  },
}

describe('journaled: of a server that is killed twice under load, each answered request is counted once', () => {
  test.each(Object.entries(JOURNALED))(
    '%s',
    async (_, usage) => {
      await inTemporaryFolder(async (folder) => {
        const clients: Client[] = []
        for (const enough of [REQUESTS / 2, REQUESTS]) {
          const server = await startCounting(folder, usage)
          if (clients.length === 0) clients.push(...(await createClients(server.origin, CLIENTS)))
          const loading = load(server.origin, clients, () => false)
          await answer(enough, clients)
          await server.kill()
          await loading
        }
        const last = await startCounting(folder, usage)
        await until(async () => counted(folder).total >= CREATES + answersOf(clients), PATIENCE)
        await last.stop()
        expectExactlyOnce(folder, clients, 2)
        expect(readdirSync(join(folder, 'machine-auth.db.usage'))).toEqual([])
      })
    },
    3 * PATIENCE,
  )

  test('its files are for their owner alone, and hold no credential', async () => {
    await inTemporaryFolder(async (folder) => {
      const server = await startCounting(folder, { durability: 'journaled' })
      const clients = await createClients(server.origin, 1)
      await load(server.origin, clients, () => answersOf(clients) >= 20)
      await server.kill()
      const directory = join(folder, 'machine-auth.db.usage')
      expect(statSync(directory).mode & 0o777).toBe(0o700)
      const [name = ''] = readdirSync(directory)
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600)
      const text = await Bun.file(join(directory, name)).text()
      expect(text).toContain(clients[0]?.keyId ?? 'no key')
      expect(text).not.toContain(clients[0]?.rawKey.slice(-20) ?? '')
    })
  }, 60_000)
})

test(
  'buffered: of a server that is ended by SIGTERM under load, each answered request is counted once',
  async () => {
    await inTemporaryFolder(async (folder) => {
      const server = await startCounting(folder, { durability: 'buffered', flushInterval: '1h' })
      const clients = await createClients(server.origin, CLIENTS)
      const loading = load(server.origin, clients, () => false)
      await answer(REQUESTS, clients)
      await server.stop()
      await loading
      expectExactlyOnce(folder, clients, 0)
    })
  },
  2 * PATIENCE,
)

describe('while another process keeps the database locked', () => {
  test.each(['buffered', 'journaled'])(
    '%s: known keys go on, nothing waits, and nothing is lost',
    async (durability) => {
      await inTemporaryFolder(async (folder) => {
        const first = await startCounting(folder, { durability })
        const clients = await createClients(first.origin, CLIENTS)
        // What creating the keys left to do is done with it.
        await first.stop()
        const server = await startCounting(folder, { durability })
        // All keys are known before, and what a start does is done.
        const warm = performance.now() + 1000
        await load(server.origin, clients, () => performance.now() > warm)
        for (const client of clients) client.slowest = 0
        const known = answersOf(clients)
        const other = new Database(join(folder, 'machine-auth.db'))
        other.run('PRAGMA busy_timeout = 5000')
        other.run('BEGIN IMMEDIATE')
        const before = counted(folder).total
        const end = performance.now() + 3000
        await load(server.origin, clients, () => performance.now() > end)
        const answered = answersOf(clients) - known
        expect(counted(folder).total).toBe(before)
        other.run('COMMIT')
        other.close()
        expect(answered).toBeGreaterThan(1000)
        expect(Math.max(...clients.map(({ slowest }) => slowest))).toBeLessThan(1000)
        await server.stop()
        expectExactlyOnce(folder, clients, 0)
      })
    },
    60_000,
  )
})
