import { Database } from 'bun:sqlite'
import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { until } from '../support/until.ts'
import { inTemporaryFolder, manage, runScript, startServer } from './fixtures.ts'

async function createKey(origin: string): Promise<{ id: string; rawKey: string }> {
  const answer = await manage(origin, '/auth/keys', { name: 'system' })
  expect(answer.status).toBe(201)
  const { key, rawKey } = (await answer.json()) as { key: { id: string }; rawKey: string }
  return { id: key.id, rawKey }
}

async function statusOf(origin: string, rawKey: string): Promise<number> {
  const answer = await fetch(`${origin}/key`, { headers: { 'x-api-key': rawKey } })
  await answer.arrayBuffer()
  return answer.status
}

test('of eight processes that start at once on an empty database, one migrates and all are ready', async () => {
  await inTemporaryFolder(async (folder) => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => runScript('start.ts', folder)))
    for (const run of runs) expect(run).toMatchObject({ exitCode: 0, output: 'ready\n' })
    const database = new Database(join(folder, 'machine-auth.db'))
    const applied = database.query(
      'SELECT count(*) AS count, count(DISTINCT name) AS names FROM machine_auth_migrations',
    )
    const { count, names } = applied.get() as { count: number; names: number }
    expect(count).toBe(names)
    database.close()
  })
}, 60_000)

describe('two processes on one database', () => {
  test('a key that one revokes is refused by the other within a second', async () => {
    await inTemporaryFolder(async (folder) => {
      const [first, second] = await Promise.all([startServer(folder), startServer(folder)])
      try {
        const { id, rawKey } = await createKey(first.origin)
        // Both have it in their caches now.
        expect([await statusOf(first.origin, rawKey), await statusOf(second.origin, rawKey)]).toEqual([200, 200])
        expect((await manage(first.origin, `/auth/keys/${id}/revoke`, { reason: 'test' })).status).toBe(200)
        expect(await statusOf(first.origin, rawKey)).toBe(401)
        expect(await until(async () => (await statusOf(second.origin, rawKey)) === 401, 5000)).toBeLessThan(1000)
      } finally {
        await Promise.all([first.kill(), second.kill()])
      }
    })
  }, 60_000)
})

test('a revocation that was answered outlives SIGKILL', async () => {
  await inTemporaryFolder(async (folder) => {
    const before = await startServer(folder)
    const { id, rawKey } = await createKey(before.origin)
    expect((await manage(before.origin, `/auth/keys/${id}/revoke`, {})).status).toBe(200)
    await before.kill()
    const after = await startServer(folder)
    try {
      expect(await statusOf(after.origin, rawKey)).toBe(401)
      const shown = await manage(after.origin, `/auth/keys/${id}`)
      expect(await shown.json()).toMatchObject({ id, status: 'revoked' })
    } finally {
      await after.kill()
    }
  })
}, 60_000)

describe('a start that is refused', () => {
  test('by an unguarded route ends with 1 and names the route', async () => {
    await inTemporaryFolder(async (folder) => {
      const run = await runScript('unguarded.ts', folder)
      expect(run.exitCode).toBe(1)
      expect(run.output).toContain("GET /hole: 'requireRole' is not applied")
    })
  }, 60_000)

  const MISTAKES = {
    'no secret in production': { env: { NODE_ENV: 'production', MACHINE_AUTH_SECRET: '' }, says: 'secret' },
    'a well-known secret': { env: { MACHINE_AUTH_SECRET: 'change-me' }, says: 'secret' },
    'a secret that is the master key': {
      env: {
        MACHINE_AUTH_SECRET: 'one-and-the-same-value-0123456789-abcdef',
        MACHINE_AUTH_MASTER_KEY: 'one-and-the-same-value-0123456789-abcdef',
      },
      says: 'masterKey',
    },
    'a database of no known kind': { env: { MACHINE_AUTH_DATABASE: 'mysql://u:hunter2@h/d' }, says: 'database' },
  }

  test.each(Object.entries(MISTAKES))(
    'by %s ends with 1, names the option and shows no secret',
    async (_, { env, says }) => {
      await inTemporaryFolder(async (folder) => {
        const run = await runScript('start.ts', folder, env)
        expect(run.exitCode).toBe(1)
        expect(run.output).toContain(says)
        expect(run.output).not.toContain('hunter2')
        expect(run.output).not.toContain('one-and-the-same-value')
      })
    },
    60_000,
  )
})
