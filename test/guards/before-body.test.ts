/** A guard refuses before the body is read, whatever the body is and whether it ever comes. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { Elysia, t } from 'elysia'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin, STANDARD, type Table } from '../support/guarded-app.ts'
import { ask, expectRefusal, JSON_TYPE, PRESENT, type Presented, sendRaw, unfinishedUpload } from './support.ts'

const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
const body = t.Object({ subject: t.String() })
let ran = 0

function reads({ body }: { body: unknown }): string {
  ran += 1
  return JSON.stringify(body)
}

/** Routes that read the body, and under `/unread` the same without. */
function createApp(table: Table) {
  const { plugin } = createTestPlugin(table, { protect: [{ path: '/protected', require: { apiKey: true } }] })
  const owned = authorizedResource('post', { load: () => ({ by: 'user_alice' }), owner: (post) => post.by })
  const app = new Elysia().use(plugin).use(owned)
  const ignores = () => {
    ran += 1
    return 'ran'
  }
  for (const method of METHODS) {
    app
      .route(method, '/apiKey', reads, { apiKey: true, body })
      .route(method, '/bearerToken', reads, { bearerToken: true, body })
      .route(method, '/session', reads, { session: true, body })
      .route(method, '/currentUser', reads, { currentUser: true, body })
      .route(method, '/optionalUser', reads, { optionalUser: true, body })
      .route(method, '/requireRole', reads, { requireRole: 'admin', body })
      .route(method, '/requirePermission', reads, { requirePermission: 'users.view', body })
      .route(method, '/requireModule', reads, { requireModule: 'users', body })
      .route(method, '/masterKey', reads, { masterKey: true, body })
      .route(method, '/authorizedPost', reads, { authorizedPost: true, body })
      .route(method, '/two', reads, { apiKey: true, requireRole: 'admin', body })
      .route(method, '/protected', reads, { body })
      .route(method, '/any', reads, { currentUser: true })
      .route(method, '/unread', ignores, { currentUser: true })
      .route(method, '/unread/owned', ignores, { authorizedPost: true })
      .route(method, '/parse', reads, { currentUser: true, parse: 'json' })
      .route(method, '/parse/first', reads, { parse: 'json', apiKey: true, currentUser: true })
      .guard({ parse: 'json' }, (inner) => inner.route(method, '/parse/guard', reads, { currentUser: true }))
      .group('/parse', { parse: ['json'] }, (inner) => inner.route(method, '/group', reads, { currentUser: true }))
  }
  return app
}

interface Refused {
  readonly path: string
  readonly presented: Presented
  readonly expected: readonly [number, string]
}

const MISSING = [401, 'credential_missing'] as const
/** Each guard with the least that it refuses. */
const REFUSED: readonly Refused[] = [
  { path: '/apiKey', presented: 'nothing', expected: MISSING },
  { path: '/apiKey', presented: 'wrong key', expected: [401, 'api_key_invalid'] },
  { path: '/bearerToken', presented: 'nothing', expected: MISSING },
  { path: '/bearerToken', presented: 'wrong token', expected: [401, 'token_invalid'] },
  { path: '/session', presented: 'nothing', expected: MISSING },
  { path: '/session', presented: 'stale session', expected: [401, 'session_expired'] },
  { path: '/currentUser', presented: 'nothing', expected: MISSING },
  { path: '/currentUser', presented: 'key', expected: [403, 'user_required'] },
  { path: '/optionalUser', presented: 'wrong token', expected: [401, 'token_invalid'] },
  { path: '/requireRole', presented: 'nothing', expected: MISSING },
  { path: '/requireRole', presented: 'user token', expected: [403, 'role_required'] },
  { path: '/requirePermission', presented: 'nothing', expected: MISSING },
  { path: '/requirePermission', presented: 'user token', expected: [403, 'permission_required'] },
  { path: '/requireModule', presented: 'nothing', expected: MISSING },
  { path: '/requireModule', presented: 'key', expected: [403, 'permission_required'] },
  { path: '/masterKey', presented: 'nothing', expected: MISSING },
  { path: '/masterKey', presented: 'wrong master key', expected: [401, 'master_key_invalid'] },
  { path: '/authorizedPost', presented: 'nothing', expected: MISSING },
  { path: '/authorizedPost', presented: 'user token', expected: [403, 'not_owner'] },
  { path: '/two', presented: 'key', expected: [403, 'user_required'] },
  { path: '/two', presented: 'admin token', expected: MISSING },
  { path: '/protected', presented: 'nothing', expected: MISSING },
  { path: '/any', presented: 'nothing', expected: MISSING },
  { path: '/unread', presented: 'nothing', expected: MISSING },
  { path: '/unread/owned', presented: 'nothing', expected: MISSING },
  { path: '/parse', presented: 'nothing', expected: MISSING },
  { path: '/parse/first', presented: 'nothing', expected: MISSING },
  { path: '/parse/guard', presented: 'nothing', expected: MISSING },
  { path: '/parse/group', presented: 'nothing', expected: MISSING },
]

const BODIES: Readonly<Record<string, RequestInit>> = {
  none: {},
  'of another shape': { body: '{"x":1}', headers: JSON_TYPE },
  'of malformed JSON': { body: '{"subject":', headers: JSON_TYPE },
  'of another type': { body: 'subject=x', headers: { 'content-type': 'text/plain' } },
  'of an unknown type': { body: 'x', headers: { 'content-type': 'x/y; charset=none' } },
  'of a broken form': { body: 'x', headers: { 'content-type': 'multipart/form-data; boundary=a' } },
  'of 1 MB': { body: JSON.stringify({ subject: 'x'.repeat(1_000_000) }), headers: JSON_TYPE },
}

describe.each([
  { name: 'known credentials', isSlow: false },
  { name: 'credentials that must be looked up', isSlow: true },
])('$name', ({ isSlow }) => {
  const app = createApp({ ...STANDARD, slow: isSlow })
  let origin = ''
  beforeAll(() => {
    app.listen({ port: 0, hostname: '127.0.0.1' })
    origin = `http://127.0.0.1:${app.server?.port}`
  })
  afterAll(() => app.stop(true))
  beforeEach(() => {
    ran = 0
  })

  describe.each(REFUSED)('$path given $presented', ({ path, presented, expected: [status, code] }) => {
    test.each(Object.keys(BODIES))('refuses a body %s by every method', async (name) => {
      for (const method of METHODS) {
        const init = BODIES[name]
        // A credential may not be refused for its method: `users.view` is not what POST needs.
        const headers = { ...init?.headers, ...PRESENT[presented] } as Record<string, string>
        expectRefusal(await ask(origin + path, { ...init, method, headers }), status, code)
      }
      expect(ran).toBe(0)
    })

    test('refuses an upload that never ends, at once', async () => {
      const answers = await Promise.all(
        METHODS.map((method) =>
          sendRaw(origin, unfinishedUpload(method, path, { ...JSON_TYPE, ...PRESENT[presented] })),
        ),
      )
      expect(answers.map((answer) => answer?.status ?? 'no answer')).toEqual(METHODS.map(() => status))
      for (const answer of answers) expect(answer?.text).toContain(`"code":"${code}"`)
      expect(ran).toBe(0)
    })
  })

  test('says what is wrong with a body only to those who may send one', async () => {
    const wrong = { method: 'POST', body: '{"x":1}' }
    const refused = await ask(`${origin}/currentUser`, { ...wrong, headers: JSON_TYPE })
    expect(refused.text).not.toContain('subject')
    const allowed = await ask(`${origin}/currentUser`, {
      ...wrong,
      headers: { ...JSON_TYPE, ...PRESENT['user token'] },
    })
    expect(allowed.status).toBe(422)
    expect(allowed.text).toContain('subject')
  })

  test('reads and validates the body of those who may send one', async () => {
    for (const method of METHODS) {
      const headers = { ...JSON_TYPE, ...PRESENT['admin token'] }
      for (const path of ['/currentUser', '/requireRole', '/authorizedPost', '/any', '/parse', '/optionalUser']) {
        const answer = await ask(origin + path, { method, headers, body: '{"subject":"x"}' })
        expect([path, answer.status, answer.text]).toEqual([path, 200, '{"subject":"x"}'])
      }
    }
  })

  test('an upload that never ends is waited for where its sender is let in', async () => {
    const upload = unfinishedUpload('POST', '/any', { ...JSON_TYPE, ...PRESENT['user token'] })
    expect(await sendRaw(origin, upload, 50)).toBeNull()
  })
})

test('an app-level parser does not see the body of someone who is refused', async () => {
  const seen: string[] = []
  const app = new Elysia()
    .onParse({ as: 'global' }, async ({ request }) => {
      seen.push(await request.text())
      return { subject: 'parsed' }
    })
    .use(createTestPlugin().plugin)
    .onParse(() => {
      seen.push('second')
    })
    .post('/x', reads, { currentUser: true, body })
    .listen({ port: 0, hostname: '127.0.0.1' })
  const origin = `http://127.0.0.1:${app.server?.port}`
  try {
    expectRefusal(await ask(`${origin}/x`, { method: 'POST', body: 'secret', headers: JSON_TYPE }), ...MISSING)
    expect((await sendRaw(origin, unfinishedUpload('POST', '/x', JSON_TYPE)))?.status).toBe(401)
    expect(seen).toEqual([])
    const headers = { ...JSON_TYPE, ...PRESENT['user token'] }
    expect((await ask(`${origin}/x`, { method: 'POST', body: 'mine', headers })).text).toBe('{"subject":"parsed"}')
    expect(seen).toEqual(['mine'])
  } finally {
    await app.stop(true)
  }
})
