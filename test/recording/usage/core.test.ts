/** What becomes of the option `usage` in a core. */
import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Elysia } from 'elysia'
import { createMachineAuth } from '../../../src/core.ts'
import { machineAuth } from '../../../src/plugin.ts'
import { createDatabaseDirectory, removeDirectory } from '../../support/directories.ts'

const folder = createDatabaseDirectory('machine-auth-usage-core')
afterAll(() => removeDirectory(folder))

const SECRET = 'a-secret-of-the-tests-of-usage-0123456789-abcdef'
const runtime = { env: {}, cwd: folder, warn: () => undefined }

describe('with a journal that cannot be written', () => {
  const journal = join(folder, 'in-the-way')
  beforeAll(() => writeFileSync(journal, ''))
  const create = () =>
    createMachineAuth(
      { secret: SECRET, database: 'sqlite::memory:', docs: false, usage: { durability: 'journaled', journal } },
      runtime,
    )
  const why = `usage: cannot keep the journal in "${journal}": a part of the path is a file, not a directory (ENOTDIR). Name a directory that this process may write as usage.journal, or choose usage.durability: 'buffered'.`

  test('a core that serves an app does not start, and says why', async () => {
    await using core = create()
    new Elysia().use(machineAuth(core))
    await expect(core.ready).rejects.toThrow(why)
  })

  test('an app cannot be served with a core that has started', async () => {
    await using core = create()
    await core.ready
    expect(() => machineAuth(core)).toThrow(why)
  })

  test('a core without an app works', async () => {
    await using core = create()
    await core.ready
    const { key } = await core.keys.create({ name: 'CI' })
    expect((await core.usage.ofKey(key.id)).total).toBe(0)
  })
})

test('a core that answers no request leaves no journal', async () => {
  const database = `sqlite:${join(folder, 'auth.db')}`
  const core = createMachineAuth({ secret: SECRET, database, usage: { durability: 'journaled' } }, runtime)
  await core.ready
  await core.keys.create({ name: 'CI' })
  await core.close()
  expect(existsSync(join(folder, 'auth.db'))).toBe(true)
  expect(existsSync(join(folder, 'auth.db.usage'))).toBe(false)
})

test('while the database is locked answers come, and say that they are not complete', async () => {
  const file = join(folder, 'locked.db')
  await using core = createMachineAuth(
    { secret: SECRET, database: `sqlite:${file}`, docs: false, usage: { flushInterval: '1h' } },
    runtime,
  )
  const app = new Elysia().use(machineAuth(core)).get('/key', () => 'ok', { apiKey: true })
  await core.ready
  const { key, rawKey } = await core.keys.create({ name: 'CI' })
  const ask = () => app.handle(new Request('http://localhost/key', { headers: { 'x-api-key': rawKey } }))
  await ask()
  expect(await core.usage.ofKey(key.id)).toMatchObject({ total: 1, complete: true })
  await ask()
  using other = new Database(file)
  other.run('BEGIN IMMEDIATE')
  expect(await core.usage.ofKey(key.id)).toMatchObject({ total: 1, complete: false })
  expect(await core.usage.stats()).toMatchObject({ requests: 1, complete: false })
  other.run('COMMIT')
  expect(await core.usage.ofKey(key.id)).toMatchObject({ total: 2, complete: true })
  expect(await core.usage.stats()).toMatchObject({ requests: 2, complete: true })
})
