/** Guards refuse the upgrade of a WebSocket, with the status and body of any other refusal. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { authorizedResource } from '../../src/guards/authorized-resource.ts'
import { createTestPlugin, STANDARD, type Table } from '../support/guarded-app.ts'
import { openSocket, PRESENT, type Presented, sendRaw, upgradeRequest } from './support.ts'

interface Sending {
  send(text: string): unknown
}

function createApp(table: Table) {
  const { plugin } = createTestPlugin(table, { protect: [{ path: '/protected', require: { session: true } }] })
  const posts = authorizedResource('post', {
    load: async ({ params }) => (params.id === '0' ? null : { by: params.id ?? '' }),
    owner: (post) => post.by,
  })
  const message = () => undefined
  const say = (text: (data: { auth: unknown }) => string) => (ws: Sending & { data: { auth: unknown } }) => {
    ws.send(text(ws.data))
  }
  return new Elysia()
    .use(plugin)
    .use(posts)
    .ws('/apiKey', { apiKey: true, message, open: (ws) => void ws.send(ws.data.apiKey.id) })
    .ws('/bearerToken', { bearerToken: true, message, open: (ws) => void ws.send(ws.data.bearerToken.kind) })
    .ws('/session', { session: true, message, open: (ws) => void ws.send(ws.data.session.id) })
    .ws('/currentUser', { currentUser: true, message, open: (ws) => void ws.send(ws.data.currentUser.id) })
    .ws('/optionalUser', {
      optionalUser: true,
      message,
      open: (ws) => void ws.send(ws.data.optionalUser?.id ?? 'nobody'),
    })
    .ws('/requireRole', { requireRole: 'admin', message, open: (ws) => void ws.send(ws.data.currentUser.id) })
    .ws('/requirePermission', {
      requirePermission: 'users.view',
      message,
      open: (ws) => void ws.send(ws.data.principal.id),
    })
    .ws('/requireModule', { requireModule: 'users', message, open: (ws) => void ws.send(ws.data.principal.id) })
    .ws('/masterKey', { masterKey: true, message, open: (ws) => void ws.send(ws.data.principal.id) })
    .ws('/authorizedPost/:id', { authorizedPost: true, message, open: (ws) => void ws.send(ws.data.post.by) })
    .ws('/protected/ws', { message, open: say(() => 'open') })
    .ws('/dependency', {
      message,
      async open(ws) {
        ws.send((await ws.data.auth.currentUser()).id)
      },
    })
    .group('/group', { currentUser: true }, (inner) =>
      inner.ws('/ws', { message, open: (ws) => void ws.send(ws.data.currentUser.id) }),
    )
    .guard({ requireRole: 'admin' }, (inner) =>
      inner.ws('/guard', { message, open: (ws) => void ws.send(ws.data.currentUser.id) }),
    )
}

/** Path, what is presented, and what comes: a first message, or status and code. */
const TABLE: readonly [path: string, presented: Presented, expected: string][] = [
  ['/apiKey', 'nothing', '401 credential_missing'],
  ['/apiKey', 'wrong key', '401 api_key_invalid'],
  ['/apiKey', 'two keys', '400 request_malformed'],
  ['/apiKey', 'key', 'key_1'],
  ['/bearerToken', 'nothing', '401 credential_missing'],
  ['/bearerToken', 'wrong token', '401 token_invalid'],
  ['/bearerToken', 'user token', 'jwt'],
  ['/session', 'nothing', '401 credential_missing'],
  ['/session', 'stale session', '401 session_expired'],
  ['/session', 'user session', 'sess_1'],
  ['/currentUser', 'nothing', '401 credential_missing'],
  ['/currentUser', 'other scheme', '401 token_invalid'],
  ['/currentUser', 'key', '403 user_required'],
  ['/currentUser', 'user token', 'user_bob'],
  ['/currentUser', 'user session', 'user_bob'],
  ['/optionalUser', 'nothing', 'nobody'],
  ['/optionalUser', 'wrong token', '401 token_invalid'],
  ['/optionalUser', 'stale session', 'nobody'],
  ['/optionalUser', 'user token', 'user_bob'],
  ['/requireRole', 'nothing', '401 credential_missing'],
  ['/requireRole', 'user token', '403 role_required'],
  ['/requireRole', 'admin token', 'user_alice'],
  ['/requirePermission', 'user token', '403 permission_required'],
  ['/requirePermission', 'key', 'key_1'],
  ['/requireModule', 'user token', '403 permission_required'],
  ['/requireModule', 'key', 'key_1'],
  ['/masterKey', 'nothing', '401 credential_missing'],
  ['/masterKey', 'wrong master key', '401 master_key_invalid'],
  ['/masterKey', 'master key', 'master'],
  ['/authorizedPost/user_bob', 'nothing', '401 credential_missing'],
  ['/authorizedPost/0', 'user token', '404 not_found'],
  ['/authorizedPost/user_alice', 'user token', '403 not_owner'],
  ['/authorizedPost/user_bob', 'user token', 'user_bob'],
  ['/protected/ws', 'nothing', '401 credential_missing'],
  ['/protected/ws', 'user token', '401 credential_missing'],
  ['/protected/ws', 'user session', 'open'],
  ['/dependency', 'user token', 'user_bob'],
  ['/group/ws', 'nothing', '401 credential_missing'],
  ['/group/ws', 'user token', 'user_bob'],
  ['/guard', 'user token', '403 role_required'],
  ['/guard', 'admin token', 'user_alice'],
]

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

  test.each(TABLE)('%s given %s: %s', async (path, presented, expected) => {
    const [status, code] = expected.split(' ')
    if (code === undefined) {
      expect(await openSocket(origin, path, PRESENT[presented])).toBe(expected)
      return
    }
    expect(await openSocket(origin, path, PRESENT[presented])).toBeNull()
    const answer = await sendRaw(origin, upgradeRequest(path, PRESENT[presented]))
    expect(answer?.status).toBe(Number(status))
    expect(answer?.text).toContain(`"code":"${code}"`)
    expect(answer?.text.toLowerCase()).toContain('cache-control: no-store')
  })

  describe('P95: an upgrade that a browser authenticates by cookie', () => {
    test.each([
      ['of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, 403],
      ['of another origin', { Origin: 'https://evil.example' }, 403],
      ['of no origin', { Origin: 'null' }, 403],
      ['of a sibling', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://sub.localhost' }, 403],
      ['of the same origin', { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://localhost' }, 101],
      ['of the host itself', { Origin: 'http://localhost' }, 101],
      ['of a trusted origin', { Origin: 'https://trusted.example' }, 101],
      ['of a client that is no browser', {}, 101],
    ])('%s', async (_, headers, status) => {
      const answer = await sendRaw(origin, upgradeRequest('/session', { ...headers, ...PRESENT['user session'] }))
      expect(answer?.status).toBe(status)
      if (status === 403) expect(answer?.text).toContain('"code":"csrf_rejected"')
    })

    test('a credential in a header is exempt', async () => {
      const headers = { Origin: 'https://evil.example', ...PRESENT['user token'] }
      expect((await sendRaw(origin, upgradeRequest('/currentUser', headers)))?.status).toBe(101)
    })
  })

  test('P95: a token in the query counts for nothing', async () => {
    for (const query of ['token=a.bob.s', 'access_token=a.bob.s', 'session_id=bob', 'api_key=mac_live_key']) {
      expect(await openSocket(origin, `/currentUser?${query}`)).toBeNull()
      expect((await sendRaw(origin, upgradeRequest(`/currentUser?${query}`)))?.status).toBe(401)
    }
  })

  test('a refused client that asks again with the right credential is let in', async () => {
    expect(await openSocket(origin, '/currentUser', PRESENT['wrong token'])).toBeNull()
    expect(await openSocket(origin, '/currentUser', PRESENT['user token'])).toBe('user_bob')
  })
})
