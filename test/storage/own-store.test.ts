/** A store that an app makes itself, in place of a database. */
import { describe, expect, test } from 'bun:test'
import { tmpdir } from 'node:os'
import { createMachineAuth } from '../../src/index.ts'
import { createMemoryStorage } from '../support/memory-storage.ts'
import { createTestApp, SECRET, withKey } from '../support/test-app.ts'

test('serves keys, and is closed with the core', async () => {
  const store = createMemoryStorage()
  let closed = 0
  const storage = () => ({
    ...store,
    close: async () => {
      closed += 1
    },
  })
  {
    await using app = await createTestApp({ database: { storage } })
    const { key, rawKey } = await app.core.keys.create({ name: 'k', permissions: ['users.view'] })
    expect((await app.ask('/users', { headers: withKey(rawKey) })).said).toBe('200')
    await app.core.keys.revoke(key.id)
    expect((await app.ask('/users', { headers: withKey(rawKey) })).said).toBe('401 api_key_revoked')
    expect(await app.core.audit.verify()).toMatchObject({ ok: true })
    expect(store.rows.keys.get(key.id)?.revokedAt).not.toBeNull()
  }
  expect(closed).toBe(1)
})

describe('is refused', () => {
  const start =
    (database: unknown, secret: string | undefined = SECRET) =>
    () =>
      createMachineAuth({ database, secret } as Parameters<typeof createMachineAuth>[0], {
        env: {},
        cwd: tmpdir(),
        warn: () => undefined,
      })

  test('when it lacks ports, by their names', () => {
    const { keys, audit, ...rest } = createMemoryStorage()
    expect(start({ storage: () => rest })).toThrow('keys, audit')
    expect(start({ storage: () => null })).toThrow('keys, organizations')
  })

  test('when it is no function that makes one', () => {
    expect(start({ storage: createMemoryStorage() })).toThrow('a function that makes a store')
  })

  test('without a secret: nobody knows how long it lives', () => {
    const without = { database: { storage: createMemoryStorage } }
    expect(() => createMachineAuth(without, { env: {}, cwd: tmpdir() })).toThrow('with a store of your own')
  })
})
