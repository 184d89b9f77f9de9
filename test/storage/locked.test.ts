/** A SQLite file that another process keeps locked holds up nobody but who must write to it. */
import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { isLocked } from '../../src/storage/drizzle/errors.ts'
import { guarded } from '../../src/storage/drizzle/guarded.ts'
import { openStorage } from '../../src/storage/open.ts'
import { aKey } from '../contract/fixtures.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'

const LOCKED = Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' })

test('while a write waits for the lock everything else goes on, and then it is written', async () => {
  const directory = createDatabaseDirectory('machine-auth-locked')
  const file = join(directory, 'auth.db')
  const { storage, ready } = openStorage(`sqlite:${file}`, { migrate: 'auto' })
  await ready
  const other = new Database(file)
  other.run('BEGIN IMMEDIATE')
  const key = aKey()
  let isWritten = false
  const writing = storage.keys.insert(key).then(() => {
    isWritten = true
  })
  const reads: (typeof key | null)[] = []
  for (let turn = 0; turn < 20; turn++) {
    reads.push(await storage.keys.find(key.id))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(reads).toEqual(Array.from({ length: 20 }, () => null))
  expect(isWritten).toBe(false)
  other.run('COMMIT')
  await writing
  expect(await storage.keys.find(key.id)).toEqual(key)
  other.close()
  await storage.close()
  removeDirectory(directory)
})

test('a verb is tried again for a lock alone, and not for longer than its patience', async () => {
  const calls = { lock: 0, other: 0, ever: 0 }
  const store = guarded(
    {
      lock: () => (++calls.lock < 4 ? Promise.reject(LOCKED) : Promise.resolve('done')),
      other: () => Promise.reject(new Error(`other ${++calls.other}`)),
    },
    { timeout: null, lockPatience: 5000 },
  )
  expect(await store.lock()).toBe('done')
  expect(store.other()).rejects.toThrow('other 1')
  expect(calls).toMatchObject({ lock: 4, other: 1 })

  const impatient = guarded({ ever: () => Promise.reject(LOCKED) }, { timeout: null, lockPatience: 1 })
  const failure = await impatient.ever().catch((error: unknown) => error)
  expect(isLocked(failure)).toBe(true)
  expect(failure).toMatchObject({ code: 'storage_unavailable' })
})
