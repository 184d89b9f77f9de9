/** What once was wrong with the endpoints. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { machineAuth } from '../../src/index.ts'
import { withLog } from '../guards/support.ts'
import { expectInvalidAt, expectProblem, listAt, textAt } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addTokens,
  asMaster,
  createTestApp,
  createTestCore,
  readAnswer,
} from '../support/test-app.ts'

const t = await createTestApp()
await addPeople(t)
afterAll(t.close)

test('POST /keys/verify showed an organization’s keys to another', async () => {
  const [acme, rival] = [
    await t.core.organizations.create({ name: 'Acme' }),
    await t.core.organizations.create({ name: 'Rival' }),
  ]
  const caller = await addKey(t, { organizationId: acme.id, permissions: ['machine_auth.keys.verify'] })
  const victim = await addKey(t, { organizationId: rival.id })
  const answer = await t.ask('/auth/keys/verify', { headers: caller.headers, body: { key: victim.rawKey } })
  expect(answer.json).toEqual({ valid: false, code: 'api_key_invalid' })
})

test('an access token with many claims was 422 at /refresh instead of 401', async () => {
  const access_token = `${'a'.repeat(600)}.${'b'.repeat(600)}.c`
  expectProblem(await t.ask('/auth/refresh', { body: { refresh_token: access_token } }), 'token_invalid')
  expect((await t.ask('/auth/logout', { body: { refresh_token: access_token } })).status).toBe(204)
})

test('POST /keys/verify was 422 for a key of more than 1024 characters', async () => {
  const answer = await t.ask('/auth/keys/verify', { headers: asMaster, body: { key: 'x'.repeat(1025) } })
  expect(answer.json).toEqual({ valid: false, code: 'api_key_invalid' })
})

test('a list was taken for an object without members', async () => {
  const key = await addKey(t)
  expectInvalidAt(await t.ask(`/auth/keys/${key.id}/revoke`, { headers: asMaster, body: [] }), 'body')
  expect((await t.ask('/key', { headers: key.headers })).status).toBe(200)
  expectInvalidAt(await t.ask('/auth/keys', { headers: asMaster, body: { name: 'x', metadata: [] } }), 'metadata')
})

test('text was taken for a number in a body', async () => {
  expectInvalidAt(
    await t.ask('/auth/keys', { headers: asMaster, body: { name: 'x', expiresInDays: '3' } }),
    'expiresInDays',
  )
})

test('a limit out of range was reported as a mistake at "property"', async () => {
  expectInvalidAt(await t.ask('/auth/keys?limit=0', { headers: asMaster }), 'limit')
})

test('a wrong member of a body that may be left out was reported as a mistake of the whole body', async () => {
  expectInvalidAt(await t.ask('/auth/keys/key_x/revoke', { headers: asMaster, body: { reason: 1 } }), 'reason')
})

test('a refused cursor had no detail', async () => {
  const answer = await t.ask('/auth/keys?cursor=x', { headers: asMaster })
  expect(textAt(answer.json, 'detail')).toContain('nextCursor')
})

test('the cursor after a name of 255 characters of another script was too long for its own list', async () => {
  await using app = await createTestApp()
  for (let count = 0; count < 2; count += 1) await app.core.keys.create({ name: '字'.repeat(255) })
  const path = '/auth/keys?sort=name&limit=1'
  const { json } = await app.ask(path, { headers: asMaster })
  const next = await app.ask(`${path}&cursor=${json.nextCursor}`, { headers: asMaster })
  expect(listAt(next.json, 'items')).toHaveLength(1)
})

describe('where the endpoints are', () => {
  const ask = async (app: { handle: (request: Request) => Promise<Response> }, path: string) =>
    readAnswer(await app.handle(new Request(`http://localhost${path}`)))

  test('of two apps with one core only the one with the shorter prefix had them', async () => {
    const { core } = createTestCore()
    const apps = [new Elysia().use(machineAuth(core)), new Elysia({ prefix: '/v2' }).use(machineAuth(core))] as const
    for (const [index, prefix] of ['', '/v2'].entries()) {
      expectProblem(await ask(apps[index === 0 ? 0 : 1], `${prefix}/auth/me`), 'credential_missing')
    }
    await core.close()
  })

  test('a route of the app’s own that ended in /auth/me took them away', async () => {
    const { core } = createTestCore()
    const app = new Elysia()
      .get('/x/auth/me', () => 'mine')
      .use(new Elysia({ prefix: '/long/prefix' }).use(machineAuth(core)))
    expectProblem(await ask(app, '/long/prefix/auth/me'), 'credential_missing')
    await core.close()
  })

  test('a guard of one core took the credentials of another in the same app', async () => {
    const other = createTestCore()
    const app = new Elysia()
      .use(machineAuth(t.core))
      .use(
        new Elysia({ prefix: '/other' })
          .use(machineAuth(other.core))
          .get('/user', () => 'let in', { currentUser: true }),
      )
    const { headers } = await addTokens(t, 'user_alice')
    const { result } = await withLog(() => app.handle(new Request('http://localhost/other/user', { headers })))
    expectProblem(await readAnswer(result), 'internal_error')
    await other.core.close()
  })

  test('an app that never listens did not hear of an unknown role when asked before it was ready', async () => {
    const { core } = createTestCore()
    const app = new Elysia().use(machineAuth(core)).get('/x', () => 'x', { requireRole: 'nobody' })
    expectProblem(await ask(app, '/x'), 'credential_missing')
    await core.ready
    const { result } = await withLog(() => ask(app, '/x'))
    expectProblem(result, 'internal_error')
    await core.close()
  })
})
