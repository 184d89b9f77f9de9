/** Imported keys across restarts: a new secret, a kind that is gone, another process. */

import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { MachineAuthOptions } from '../../src/index.ts'
import { OptionsError, sha256, sha256Pepper } from '../../src/index.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import { addForeignKey, createImportingApp, FOREIGN, FOREIGN_NAMES, OLD_PEPPER } from '../support/foreign-keys.ts'
import { createTestApp, type TestApp } from '../support/test-app.ts'

const OLD = 'old-root-secret-of-the-tests-Kd8Wq2ZrVt5'
const NEW = 'new-root-secret-of-the-tests-Jx4Np7YsLm1'

const directory = createDatabaseDirectory('machine-auth-imported')
afterAll(() => removeDirectory(directory))
let files = 0
const newFile = () => join(directory, `${++files}.db`)

type Options = MachineAuthOptions<string, object>

async function inApp<T>(file: string, options: Options, use: (app: TestApp) => Promise<T>, kinds?: null): Promise<T> {
  await using app = await createImportingApp(
    { database: `sqlite:${file}`, ...options },
    ...(kinds === null ? [null] : []),
  )
  return await use(app)
}

const pepperOf = (file: string, id: string) => {
  using client = new Database(file, { readonly: true })
  return client.query<{ pepper: string }, [string]>('select pepper from machine_auth_api_keys where id = ?').get(id)
    ?.pepper
}
const say = async (app: TestApp, key: { headers: Record<string, string> }) => (await app.ask('/key', key)).said

describe('when the kinds are gone from the options', () => {
  test('keys that were used work on, and those that were not are refused with a warning', async () => {
    const file = newFile()
    const { used, unused } = await inApp(file, {}, async (app) => {
      const made = { used: await addForeignKey(app, 'django-pbkdf2'), unused: await addForeignKey(app, 'sha256') }
      expect(await say(app, made.used)).toBe('200')
      return made
    })
    await inApp(
      file,
      {},
      async (app) => {
        expect(await say(app, used)).toBe('200')
        expect(await say(app, unused)).toBe('401 api_key_invalid')
        expect(app.warnings.filter((text) => text.includes("'sha256'"))).toHaveLength(1)
        expect(app.warnings.join()).not.toContain('belong to a secret')
      },
      null,
    )
    await inApp(file, {}, async (app) => {
      expect([await say(app, unused), app.warnings]).toEqual(['200', []])
    })
  })

  test('and no key was ever imported, foreign texts are looked for nowhere', async () => {
    const file = newFile()
    await inApp(file, {}, async () => undefined)
    await using app = await createTestApp({ database: `sqlite:${file}` })
    expect(app.warnings).toEqual([])
  })
})

describe('after a rotation of the secret', () => {
  test('a key that was used is found, and hashed under the new one', async () => {
    const file = newFile()
    const key = await inApp(file, { secret: OLD }, async (app) => {
      const made = await addForeignKey(app, 'sha256')
      expect(await say(app, made)).toBe('200')
      return made
    })
    const before = pepperOf(file, key.id)
    await inApp(file, { secret: [NEW, OLD] }, async (app) => {
      expect(await say(app, key)).toBe('200')
      expect([await say(app, key), app.warnings]).toEqual(['200', []])
    })
    expect(pepperOf(file, key.id)).not.toBe(before)
    await inApp(file, { secret: NEW }, async (app) => expect(await say(app, key)).toBe('200'))
    // Under a secret that nobody gave it is found no more, as keys of ours are not.
    await inApp(file, { secret: `${NEW}-another` }, async (app) =>
      expect(await say(app, key)).toBe('401 api_key_invalid'),
    )
  })

  test('a key that was not used works as before, and is not imported twice', async () => {
    const file = newFile()
    const key = await inApp(file, { secret: OLD }, (app) => addForeignKey(app, 'sha256'))
    await inApp(file, { secret: [NEW, OLD] }, async (app) => {
      expect(await say(app, key)).toBe('200')
      const again = app.core.keys.import({ name: 'again', hash: key.hash, hashKind: 'sha256' })
      await expect(again).rejects.toMatchObject({ code: 'conflict' })
    })
  })
})

describe('two processes on one database', () => {
  test.each(FOREIGN_NAMES)('a key of %s is used in both for the first time: both let it in', async (name) => {
    const file = newFile()
    await inApp(file, {}, (one) =>
      inApp(file, {}, async (other) => {
        const key = await addForeignKey(one, name)
        expect(await Promise.all([say(one, key), say(other, key)])).toEqual(['200', '200'])
        expect(pepperOf(file, key.id)).toMatch(/^[0-9a-f]{16}$/)
        await one.core.keys.revoke(key.id)
        expect(await say(one, key)).toBe('401 api_key_revoked')
      }),
    )
  })
})

test('a text that two kinds know is one key: the one that was used first', async () => {
  await using app = await createImportingApp({}, [sha256(), { ...sha256(), name: 'sha256-again' }])
  const { text, hash } = FOREIGN.sha256()
  const first = await app.core.keys.import({ name: 'a', hash, hashKind: 'sha256' })
  await app.core.keys.import({ name: 'b', hash, hashKind: 'sha256-again' })
  const headers = { 'x-api-key': text }
  for (let times = 0; times < 3; times += 1) {
    expect((await app.ask('/key', { headers })).json).toEqual({ id: first.id })
    app.time.now += 61_000
  }
  await app.core.keys.revoke(first.id)
  expect(await say(app, { headers })).toBe('401 api_key_revoked')
})

describe('a kind of the app’s own', () => {
  const wrongKinds: readonly (readonly [string, unknown, string])[] = [
    ['without a verifier', [{ ...sha256(), verify: undefined }], 'apiKeys.importKinds[0]'],
    ['with a name that is taken', [sha256(), sha256Pepper('x', 'sha256')], 'apiKeys.importKinds[1]'],
    ['with the name of ours', [{ ...sha256(), name: 'hmac' }], 'apiKeys.importKinds[0]'],
    ['that is a function', [sha256], 'apiKeys.importKinds[0]'],
    ['that is no list', sha256(), 'apiKeys.importKinds'],
  ]
  test.each(wrongKinds)('%s stops the start, and says nothing of a pepper', async (_, importKinds, path) => {
    const failure = await createTestApp({ apiKeys: { importKinds: importKinds as never } }).catch(
      (error: unknown) => error,
    )
    expect(failure).toBeInstanceOf(OptionsError)
    expect((failure as OptionsError).mistakes.map((mistake) => mistake.path)).toEqual([path])
    expect(String(failure)).not.toContain(OLD_PEPPER)
  })

  test('that fails is a fault of ours and lets nobody in; one that is a class works', async () => {
    class Reversed {
      readonly name = 'reversed'
      readonly isSlow = false
      readonly #turn = (text: string) => [...text].toReversed().join('')
      lookupOf(text: string) {
        if (text.startsWith('fail')) throw new Error('as if it were broken')
        return this.#turn(text)
      }
      parse(hash: string) {
        return { hash, lookup: hash }
      }
      verify(text: string, hash: string) {
        return this.#turn(text) === hash
      }
    }
    await using app = await createImportingApp({}, [new Reversed()])
    await app.core.keys.import({ name: 'x', hash: '87654321', hashKind: 'reversed' })
    expect(await say(app, { headers: { 'x-api-key': '12345678' } })).toBe('200')
    expect(await say(app, { headers: { 'x-api-key': '87654321' } })).toBe('401 api_key_invalid')
    expect(await say(app, { headers: { 'x-api-key': 'failfail' } })).toBe('500 internal_error')
  })
})
