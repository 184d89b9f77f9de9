/** Blocks, lockouts and quotas over processes that stop, are killed, or run side by side. */
import { describe, expect, test } from 'bun:test'
import { until } from '../support/until.ts'
import { inTemporaryFolder, MASTER_KEY, manage, type RunningServer, startServer } from './fixtures.ts'

async function statusOf(origin: string, path: string, init: RequestInit = {}): Promise<number> {
  const answer = await fetch(origin + path, init)
  await answer.arrayBuffer()
  return answer.status
}

async function createKey(origin: string, limits: object): Promise<RequestInit> {
  const answer = await manage(origin, '/auth/keys', { name: 'system', ...limits })
  expect(answer.status).toBe(201)
  const { rawKey } = (await answer.json()) as { rawKey: string }
  return { headers: { 'x-api-key': rawKey } }
}

/** How many of so many requests are let through. */
async function countLetIn({ origin }: RunningServer, key: RequestInit, requests: number): Promise<number> {
  const statuses = await Promise.all(Array.from({ length: requests }, () => statusOf(origin, '/key', key)))
  return statuses.filter((status) => status === 200).length
}

describe.each(['kill', 'stop'] as const)('over a restart by %s', (end) => {
  test('a block stays in force until it is removed', async () => {
    await inTemporaryFolder(async (folder) => {
      const before = await startServer(folder)
      const made = await manage(before.origin, '/auth/blocks', {
        subject: '127.0.0.1',
        duration: '1 hour',
        scope: 'path',
        path: '/open',
      })
      const { id } = (await made.json()) as { id: string }
      await before[end]()
      const after = await startServer(folder)
      try {
        expect(await statusOf(after.origin, '/open')).toBe(403)
        const removal = { method: 'DELETE', headers: { 'x-admin-key': MASTER_KEY } }
        expect(await statusOf(after.origin, `/auth/blocks/${id}`, removal)).toBe(204)
        expect(await statusOf(after.origin, '/open')).toBe(200)
      } finally {
        await after.kill()
      }
    })
  }, 60_000)

  test('a lockout that was answered stays in force', async () => {
    await inTemporaryFolder(async (folder) => {
      const before = await startServer(folder)
      const guess = () => statusOf(before.origin, '/guess', { method: 'POST' })
      expect([await guess(), await guess(), await guess()]).toEqual([200, 200, 429])
      // Written down behind the answer: listed as soon as it is.
      const listed = async () => (await (await manage(before.origin, '/auth/blocks')).text()).includes('lockout')
      await until(listed, 5000)
      await before[end]()
      const after = await startServer(folder)
      try {
        expect(await statusOf(after.origin, '/guess', { method: 'POST' })).toBe(429)
        expect(await statusOf(after.origin, '/open')).toBe(200)
      } finally {
        await after.kill()
      }
    })
  }, 60_000)

  test('a monthly quota is never exceeded, and after an orderly stop no use is lost', async () => {
    await inTemporaryFolder(async (folder) => {
      const quota = 1000
      const before = await startServer(folder)
      const key = await createKey(before.origin, { monthlyQuota: quota, rateLimit: { limit: 1_000_000, window: '1m' } })
      const first = await countLetIn(before, key, 150)
      expect(first).toBe(150)
      await before[end]()
      const after = await startServer(folder)
      try {
        let total = first
        for (let round = 0; round < 10; round++) total += await countLetIn(after, key, 100)
        expect(total).toBeLessThanOrEqual(quota)
        // Who is killed loses what he had claimed ahead: a hundredth of what was left.
        expect(total).toBeGreaterThanOrEqual(end === 'stop' ? quota : quota - 10)
      } finally {
        await after.kill()
      }
    })
  }, 60_000)
})

test('a monthly quota is not exceeded by servers that are killed while it is used', async () => {
  await inTemporaryFolder(async (folder) => {
    const quota = 1500
    const workers = 8
    let server = await startServer(folder)
    try {
      const key = await createKey(server.origin, { monthlyQuota: quota, rateLimit: { limit: 1_000_000, window: '1m' } })
      let used = 0
      let unanswered = 0
      /** Uses the key until it is refused, or nobody answers any more. */
      async function work(origin: string): Promise<void> {
        let status: number | null = 200
        while (status === 200) {
          status = await statusOf(origin, '/key', key).catch(() => null)
          if (status === 200) used += 1
          if (status === null) unanswered += 1
        }
      }
      for (let kills = 1; kills <= 3; kills++) {
        const working = Promise.all(Array.from({ length: workers }, () => work(server.origin)))
        await until(async () => (await statusOf(server.origin, '/open')) === 200 && used >= kills * 100, 10_000)
        await server.kill()
        await working
        server = await startServer(folder)
      }
      expect(unanswered).toBeGreaterThan(0)
      await Promise.all(Array.from({ length: workers }, () => work(server.origin)))
      expect(await statusOf(server.origin, '/key', key)).toBe(429)
      expect(used).toBeLessThanOrEqual(quota)
      // Each took along a hundredth of what was left, and what it had not answered yet.
      expect(used).toBeGreaterThanOrEqual(quota - 3 * (quota / 100 + workers))
    } finally {
      await server.kill()
    }
  })
}, 60_000)

describe('two processes on one database', () => {
  test('hear of each other\u2019s blocks, and of their removal, within a second', async () => {
    await inTemporaryFolder(async (folder) => {
      const [first, second] = await Promise.all([startServer(folder), startServer(folder)])
      try {
        const block = { subject: '127.0.0.1', duration: '1 hour', scope: 'path', path: '/open' }
        const { id } = (await (await manage(first.origin, '/auth/blocks', block)).json()) as { id: string }
        const isBlocked = async () => (await statusOf(second.origin, '/open')) === 403
        expect(await until(isBlocked, 5000)).toBeLessThan(1000)
        const removal = { method: 'DELETE', headers: { 'x-admin-key': MASTER_KEY } }
        expect(await statusOf(first.origin, `/auth/blocks/${id}`, removal)).toBe(204)
        expect(await until(async () => !(await isBlocked()), 5000)).toBeLessThan(1000)
      } finally {
        await Promise.all([first.kill(), second.kill()])
      }
    })
  }, 60_000)

  test('hear of each other’s lockouts within a second', async () => {
    await inTemporaryFolder(async (folder) => {
      const [first, second] = await Promise.all([startServer(folder), startServer(folder)])
      try {
        for (const status of [200, 200, 429]) {
          expect(await statusOf(first.origin, '/guess', { method: 'POST' })).toBe(status)
        }
        // Nothing is counted there; what is locked is the path.
        const isLocked = async () => (await statusOf(second.origin, '/guess')) === 429
        expect(await until(isLocked, 5000)).toBeLessThan(1000)
      } finally {
        await Promise.all([first.kill(), second.kill()])
      }
    })
  }, 60_000)

  test('share a quota without ever exceeding it', async () => {
    await inTemporaryFolder(async (folder) => {
      const [first, second] = await Promise.all([startServer(folder), startServer(folder)])
      try {
        const key = await createKey(first.origin, { monthlyQuota: 60, rateLimit: { limit: 1_000_000, window: '1m' } })
        const letIn = await Promise.all([countLetIn(first, key, 50), countLetIn(second, key, 50)])
        expect(letIn[0] + letIn[1]).toBe(60)
      } finally {
        await Promise.all([first.kill(), second.kill()])
      }
    })
  }, 60_000)
})
