/** A SQLite file that cannot be written is read all the same, and no client is told to come again for it. */
import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/bun-sqlite'
import { MachineAuthError } from '../../src/errors.ts'
import { openStorage } from '../../src/storage/open.ts'
import { aKey } from '../contract/fixtures.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { writeMigrated } from '../support/migrated.ts'

test('a file that may only be read is a mistake of whoever runs the app, told with what to do', async () => {
  const directory = createDatabaseDirectory('machine-auth-read-only')
  const file = join(directory, 'auth.db')
  writeMigrated(file)
  const client = new Database(file, { readonly: true })
  const { storage, ready } = openStorage({ db: drizzle(client) }, { migrate: 'check' })
  await ready
  expect(await storage.keys.find('key_none')).toBeNull()
  const failure: unknown = await storage.keys.insert(aKey()).catch((error: unknown) => error)
  expect(failure).not.toBeInstanceOf(MachineAuthError)
  expect(failure).toMatchObject({
    message: expect.stringContaining('this process may write both'),
    cause: { code: 'SQLITE_READONLY' },
  })
  client.close()
  await storage.close()
  removeDirectory(directory)
})
