/** SECURITY.md, P103: a new secret first, the old one second; then the old one goes. */

import { Database } from 'bun:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { expectProblem } from '../support/answers.ts'
import { createDatabaseDirectory, removeDirectory } from '../support/directories.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  createTestApp,
  type TestApp,
  withBearer,
} from '../support/test-app.ts'

const OLD = 'old-root-secret-of-the-tests-Kd8Wq2ZrVt5'
const NEW = 'new-root-secret-of-the-tests-Jx4Np7YsLm1'

const directory = createDatabaseDirectory('machine-auth-rotation')
const file = join(directory, 'rotation.db')
afterAll(() => removeDirectory(directory))

/** The same database under other secrets. */
async function withSecrets<T>(secret: readonly string[], use: (app: TestApp) => Promise<T>): Promise<T> {
  await using app = await createTestApp({ secret, database: `sqlite:${file}` })
  return await use(app)
}

function read<T>(statement: string): readonly T[] {
  using client = new Database(file, { readonly: true })
  return client.query<T, []>(statement).all()
}

const peppersOf = (table: string) =>
  new Map(
    read<{ id: string; pepper: string; hash: string }>(`select id, pepper, hash from machine_auth_${table}`).map(
      ({ id, pepper }) => [id, pepper],
    ),
  )

async function makeAll(app: TestApp) {
  const [used, idle, revoked] = [await addKey(app), await addKey(app), await addKey(app)]
  await app.core.keys.revoke(revoked.id)
  const make = () => app.core.tokens.bearer.create({ name: 'x' })
  const [usedToken, idleToken] = [await make(), await make()]
  return {
    used,
    idle,
    usedToken,
    idleToken,
    tokens: await addTokens(app, 'user_bob'),
    session: await addSession(app, 'user_bob'),
  }
}

let old: Awaited<ReturnType<typeof makeAll>>
beforeAll(async () => {
  old = await withSecrets([OLD], async (app) => {
    await addPeople(app)
    return makeAll(app)
  })
})

describe('P103 with the new secret first and the old one second', () => {
  test('what was made under the old one works, and what is used is hashed anew', async () => {
    const before = { keys: peppersOf('api_keys'), tokens: peppersOf('bearer_tokens') }
    await withSecrets([NEW, OLD], async (app) => {
      expect(app.warnings).toEqual([])
      expect((await app.ask('/key', { headers: old.used.headers })).status).toBe(200)
      expect((await app.ask('/token', { headers: withBearer(old.usedToken.rawToken) })).status).toBe(200)
      expect((await app.ask('/token', { headers: old.tokens.headers })).status).toBe(200)
      expect((await app.ask('/session', { headers: old.session.headers })).status).toBe(200)
      const fresh = await addKey(app)
      const after = { keys: peppersOf('api_keys'), tokens: peppersOf('bearer_tokens') }
      expect(after.keys.get(old.used.id)).toBe(after.keys.get(fresh.id) ?? '')
      expect(after.keys.get(old.used.id)).not.toBe(before.keys.get(old.used.id) ?? '')
      expect(after.tokens.get(old.usedToken.token.id)).not.toBe(before.tokens.get(old.usedToken.token.id) ?? '')
      // Nobody asked for these.
      expect(after.keys.get(old.idle.id)).toBe(before.keys.get(old.idle.id) ?? '')
      expect((await app.ask('/key', { headers: old.used.headers })).status).toBe(200)
    })
  })

  test('a refresh token of the old one is still spent once', async () => {
    await withSecrets([NEW, OLD], async (app) => {
      const refresh = (token: unknown) => app.ask('/auth/refresh', { body: { refresh_token: token } })
      const first = await refresh(old.tokens.pair.refresh_token)
      expect(first.status).toBe(200)
      expect((await refresh(old.tokens.pair.refresh_token)).json.refresh_token).toBe(first.json.refresh_token)
      expect((await app.ask('/token', { headers: withBearer(String(first.json.access_token)) })).status).toBe(200)
    })
  })

  test('the signing key of the old one is shown beside the new one', async () => {
    await withSecrets([NEW, OLD], async (app) => {
      expect((await app.ask('/.well-known/jwks.json')).json.keys).toHaveLength(2)
    })
  })

  test('and the other way around nothing is lost either', async () => {
    await withSecrets([OLD, NEW], async (app) => {
      expect(app.warnings).toEqual([])
      expect((await app.ask('/key', { headers: old.idle.headers })).status).toBe(200)
    })
  })
})

describe('P103 when the old one is removed', () => {
  test('what was not used meanwhile is refused, and the start says how much that is', async () => {
    await withSecrets([NEW], async (app) => {
      // The idle key and token; what was revoked or hashed anew is not missed, nor the signing key beside the new one.
      expect(app.warnings).toHaveLength(1)
      expect(app.warnings[0]).toMatch(/^2 stored keys or tokens belong to a secret that is no longer given/)
      expect(app.warnings[0]).not.toContain(OLD)
      expect((await app.ask('/key', { headers: old.used.headers })).status).toBe(200)
      expect((await app.ask('/token', { headers: withBearer(old.usedToken.rawToken) })).status).toBe(200)
      expect((await app.ask('/session', { headers: old.session.headers })).status).toBe(200)
      expectProblem(await app.ask('/key', { headers: old.idle.headers }), 'api_key_invalid')
      expectProblem(await app.ask('/token', { headers: withBearer(old.idleToken.rawToken) }), 'token_invalid')
      const { refresh_token } = old.tokens.pair
      expectProblem(await app.ask('/auth/refresh', { body: { refresh_token } }), 'token_invalid')
    })
  })

  test('and with it put back all of it works again', async () => {
    await withSecrets([NEW, OLD], async (app) => {
      expect(app.warnings).toEqual([])
      expect((await app.ask('/key', { headers: old.idle.headers })).status).toBe(200)
      expect((await app.ask('/token', { headers: withBearer(old.idleToken.rawToken) })).status).toBe(200)
    })
  })
})
