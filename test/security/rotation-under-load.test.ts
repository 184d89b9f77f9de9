/** A key is rotated while clients use it: nobody notices before the grace period ends. */
import { expect, test } from 'bun:test'
import { createTestApp, type TestApp } from '../support/test-app.ts'

const HOUR = 3_600_000
const CLIENTS = 16

/** Clients that ask without a pause, each with whatever key its turn gives it, until they are stopped. */
function startClients(app: TestApp, keyOf: (client: number) => string) {
  const answers = new Map<string, number>()
  let isRunning = true
  async function run(client: number): Promise<void> {
    while (isRunning) {
      const { said } = await app.ask('/key', { headers: { 'x-api-key': keyOf(client) } })
      answers.set(said, (answers.get(said) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: CLIENTS }, (_, client) => run(client))
  return {
    /** Resolves when each client has had some more answers. */
    async wait(count: number): Promise<void> {
      const goal = [...answers.values()].reduce((sum, each) => sum + each, 0) + count
      while ([...answers.values()].reduce((sum, each) => sum + each, 0) < goal) await Bun.sleep(0)
    },
    async stop(): Promise<Readonly<Record<string, number>>> {
      isRunning = false
      await Promise.all(clients)
      return Object.fromEntries(answers)
    },
  }
}

test('clients of the old key see no failure inside the grace period, and 401 after it', async () => {
  await using app = await createTestApp()
  const { key, rawKey: old } = await app.core.keys.create({ name: 'k', permissions: ['users.view'] })
  let newest = old
  const before = startClients(app, (client) => (client % 2 === 0 ? old : newest))
  await before.wait(100)
  const rotated = await app.core.keys.rotate(key.id, { gracePeriod: '1h' })
  newest = rotated.rawKey
  await before.wait(200)
  app.time.now += HOUR - 1
  await before.wait(200)
  const inside = await before.stop()
  expect(Object.keys(inside)).toEqual(['200'])
  expect(inside['200']).toBeGreaterThanOrEqual(500)

  app.time.now += 1
  const late = startClients(app, () => old)
  await late.wait(100)
  expect(Object.keys(await late.stop())).toEqual(['401 api_key_expired'])
  expect((await app.ask('/key', { headers: { 'x-api-key': newest } })).said).toBe('200')
})

test('without a grace period the old key is refused from the next request on', async () => {
  await using app = await createTestApp()
  const { key, rawKey: old } = await app.core.keys.create({ name: 'k' })
  const clients = startClients(app, () => old)
  await clients.wait(100)
  const { rawKey: newest } = await app.core.keys.rotate(key.id, { gracePeriod: '0s' })
  expect((await app.ask('/key', { headers: { 'x-api-key': old } })).said).toBe('401 api_key_revoked')
  await clients.stop()
  expect((await app.ask('/key', { headers: { 'x-api-key': newest } })).said).toBe('200')
})

test('of 20 rotations at once one makes a successor', async () => {
  await using app = await createTestApp()
  const { key } = await app.core.keys.create({ name: 'k' })
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => app.core.keys.rotate(key.id)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect((await app.core.keys.list()).items.map(({ rotatedFrom }) => rotatedFrom).toSorted()).toEqual([key.id, null])
})
