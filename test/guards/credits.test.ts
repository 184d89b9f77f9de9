/** Credits: a number of uses that is left to a key, and how they come back. */
import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { inDirectory } from '../storage/support.ts'
import { expectProblem, listAt, objectAt, textAt } from '../support/answers.ts'
import { askTimes, LIMITED } from '../support/limited.ts'
import { addKey, asMaster, createTestApp, START, type TestApp } from '../support/test-app.ts'

const EXCEEDED = '429 quota_exceeded'
const DAY = 86_400_000
const AT = (ms: number) => new Date(ms).toISOString()

const t = await createTestApp({}, (app) =>
  app
    .get('/guarded/twice', ({ auth }) => auth.apiKey(), { apiKey: true, requirePermission: 'users.view' })
    .get('/narrow', ({ apiKey }) => apiKey.id, { apiKey: true, rateLimit: { limit: 1, window: '1h', by: 'apiKey' } }),
)
afterAll(t.close)

/** What the management endpoint shows as left. */
async function shown(app: TestApp, id: string): Promise<unknown> {
  const { json } = await app.ask(`/auth/keys/${id}`, { headers: asMaster })
  return objectAt(json, 'credits').remaining
}

/** An app of its own, since its clock is moved by days. */
async function withKey(
  credits: NonNullable<Parameters<typeof addKey>[1]>['credits'],
  use: (app: TestApp, key: Awaited<ReturnType<typeof addKey>>) => Promise<void>,
): Promise<void> {
  await using app = await createTestApp()
  await use(app, await addKey(app, { credits }))
}

describe('credits without a refill', () => {
  test('are used up for good', async () => {
    await withKey({ remaining: 2 }, async (app, { id, headers }) => {
      expect(await askTimes(app, 2, '/key', { headers })).toEqual(['200', '200'])
      const refused = await app.ask('/key', { headers })
      expectProblem(refused, 'quota_exceeded')
      expect(textAt(refused.json, 'detail')).toBe('The API key has no uses left.')
      // There is nothing to wait for.
      expect(refused.headers.get('retry-after')).toBeNull()
      app.time.now += 400 * DAY
      expect(await askTimes(app, 1, '/key', { headers })).toEqual([EXCEEDED])
      expect(await shown(app, id)).toBe(0)
    })
  })

  test('may be none from the beginning', async () => {
    const { headers } = await addKey(t, { credits: { remaining: 0 } })
    expect(await askTimes(t, 2, '/key', { headers })).toEqual([EXCEEDED, EXCEEDED])
  })

  test('are shown as they are, though some are claimed ahead', async () => {
    const { id, headers } = await addKey(t, { credits: { remaining: 1000 } })
    for (const left of [1000, 999, 998, 997]) {
      expect(await shown(t, id)).toBe(left)
      await t.ask('/key', { headers })
    }
    const { json } = await t.ask('/auth/keys', { headers: asMaster })
    expect(listAt(json, 'items').find((key) => key.id === id)?.credits).toEqual({ remaining: 996 })
  })

  test('cost at most one statement a request', async () => {
    const { headers } = await addKey(t, { credits: { remaining: 1000 } })
    await t.ask('/key', { headers })
    t.takeStatements()
    for (let time = 0; time < 20; time += 1) {
      await t.ask('/key', { headers })
      expect(t.takeStatements().length).toBeLessThanOrEqual(1)
    }
  })
})

describe('a refill', () => {
  const credits = { remaining: 1, refill: { amount: 2, every: '1d' } }

  test('brings them back after its time, and says when', async () => {
    await withKey(credits, async (app, { id, headers }) => {
      app.time.now = START + DAY / 4
      expect(await askTimes(app, 1, '/key', { headers })).toEqual(['200'])
      const refused = await app.ask('/key', { headers })
      expectProblem(refused, 'quota_exceeded', ['retryAfter', 'resetsAt'])
      expect([refused.json.resetsAt, refused.headers.get('retry-after')]).toEqual([AT(START + DAY), '64800'])
      app.time.now = START + DAY - 1
      expect(await askTimes(app, 1, '/key', { headers })).toEqual([EXCEEDED])
      app.time.now = START + DAY
      expect(await shown(app, id)).toBe(2)
      expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', EXCEEDED])
      expect(await shown(app, id)).toBe(0)
    })
  })

  test('does not pile up while nobody comes, and keeps its time of day', async () => {
    await withKey(credits, async (app, { headers }) => {
      app.time.now = START + 10 * DAY + DAY / 2
      expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', EXCEEDED])
      const refused = await app.ask('/key', { headers })
      expect(refused.json.resetsAt).toBe(AT(START + 11 * DAY))
      app.time.now = START + 11 * DAY
      expect(await askTimes(app, 3, '/key', { headers })).toEqual(['200', '200', EXCEEDED])
    })
  })

  test('takes nothing from a key that has more', async () => {
    await withKey({ remaining: 5, refill: { amount: 2, every: '1d' } }, async (app, { id, headers }) => {
      await askTimes(app, 1, '/key', { headers })
      app.time.now = START + DAY
      expect(await shown(app, id)).toBe(4)
      expect(await askTimes(app, 5, '/key', { headers })).toEqual(['200', '200', '200', '200', EXCEEDED])
    })
  })
})

describe('a request takes one', () => {
  test.each(['/key', '/guarded/twice', '/auth/me'])('however many guards ask: %s', async (path) => {
    const { id, headers } = await addKey(t, { credits: { remaining: 9 }, permissions: ['users.view'] })
    expect(await askTimes(t, 3, path, { headers })).toEqual(['200', '200', '200'])
    expect(await shown(t, id)).toBe(6)
  })

  test.each([
    ['/users', '403 permission_required'],
    ['/user', '403 user_required'],
    ['/token', '401 credential_missing'],
    ['/nowhere', '404 not_found'],
    ['/open', '200'],
  ])('not when it comes to %s', async (path, said) => {
    const { id, headers } = await addKey(t, { credits: { remaining: 9 } })
    await t.ask('/key', { headers })
    expect(await askTimes(t, 3, path, { headers })).toEqual([said, said, said])
    expect(await shown(t, id)).toBe(8)
  })

  test('not when a limit refuses it', async () => {
    const { id, headers } = await addKey(t, { credits: { remaining: 9 } })
    expect(await askTimes(t, 4, '/narrow', { headers })).toEqual(['200', LIMITED, LIMITED, LIMITED])
    expect(await shown(t, id)).toBe(8)
  })

  test('and one of the month’s quota, or neither', async () => {
    const { id, headers } = await addKey(t, { credits: { remaining: 9 }, monthlyQuota: 2 })
    expect(await askTimes(t, 4, '/key', { headers })).toEqual(['200', '200', EXCEEDED, EXCEEDED])
    expect(await shown(t, id)).toBe(7)
    const other = await addKey(t, { credits: { remaining: 1 }, monthlyQuota: 9 })
    expect(await askTimes(t, 3, '/key', { headers: other.headers })).toEqual(['200', EXCEEDED, EXCEEDED])
  })
})

test('P36: of 100 requests at once the last credit lets in one', async () => {
  for (const remaining of [1, 3]) {
    const { id, headers } = await addKey(t, { credits: { remaining } })
    const said = await Promise.all(Array.from({ length: 100 }, async () => (await t.ask('/key', { headers })).said))
    expect(said.filter((each) => each === '200')).toHaveLength(remaining)
    expect(said.filter((each) => each === EXCEEDED)).toHaveLength(100 - remaining)
    expect(await shown(t, id)).toBe(0)
  }
})

test('what is left is kept across a restart, and no claimed one is lost', async () => {
  await inDirectory(async (directory) => {
    const database = `sqlite:${join(directory, 'kept.db')}`
    const before = await createTestApp({ database })
    const { id, headers } = await addKey(before, { credits: { remaining: 1000 } })
    await askTimes(before, 25, '/key', { headers })
    await before.close()
    await using after = await createTestApp({ database })
    expect(await shown(after, id)).toBe(975)
    expect(await askTimes(after, 1, '/key', { headers })).toEqual(['200'])
    expect(await shown(after, id)).toBe(974)
  })
})
