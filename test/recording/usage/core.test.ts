/** What becomes of the option `usage` in a core. */
import { afterAll, expect, test } from 'bun:test'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMachineAuth } from '../../../src/core.ts'
import { createDatabaseDirectory, removeDirectory } from '../../support/directories.ts'

const folder = createDatabaseDirectory('machine-auth-usage-core')
afterAll(() => removeDirectory(folder))

const SECRET = 'a-secret-of-the-tests-of-usage-0123456789-abcdef'
const runtime = { env: {}, cwd: folder, warn: () => undefined }

test('a journal that cannot be written keeps the core from starting, and says why', async () => {
  const journal = join(folder, 'in-the-way')
  writeFileSync(journal, '')
  const usage = { durability: 'journaled', journal } as const
  await using core = createMachineAuth({ secret: SECRET, database: 'sqlite::memory:', usage }, runtime)
  await expect(core.ready).rejects.toThrow(`usage: cannot keep the journal in "${journal}"`)
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
