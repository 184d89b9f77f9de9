/** SECURITY.md, browser: what other sites can make a visitor's browser do. */
import { afterAll, describe, expect, test } from 'bun:test'
import { openSocket, sendRaw, upgradeRequest } from '../guards/support.ts'
import { expectProblem, textAt } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addSession,
  addTokens,
  asMaster,
  BOB,
  createTestApp,
  MASTER_KEY,
  PASSWORD,
  withBearer,
} from '../support/test-app.ts'

const t = await createTestApp({ sessions: { trustedOrigins: ['https://app.example'] } })
const { alice, bob } = await addPeople(t)
const session = await addSession(t, bob.id)
afterAll(t.close)

const HOST = new URL(t.origin).host
const LOGIN = { email: BOB, password: PASSWORD }

/** What a browser says of where a request comes from, and whether it is our own page. */
const SOURCES: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
  ['our own page', { 'sec-fetch-site': 'same-origin' }, true],
  ['our own page, with its origin', { 'sec-fetch-site': 'same-origin', origin: `http://${HOST}` }, true],
  ['the address bar', { 'sec-fetch-site': 'none' }, true],
  ['an older browser on our own page', { origin: `http://${HOST}` }, true],
  ['a trusted origin', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example' }, true],
  ['an older browser on a trusted origin', { origin: 'https://app.example' }, true],
  ['no browser', {}, true],
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, false],
  ['another site that names no origin', { 'sec-fetch-site': 'cross-site' }, false],
  ['a sibling of our site', { 'sec-fetch-site': 'same-site', origin: 'https://blog.app.example' }, false],
  ['a sibling that names no origin', { 'sec-fetch-site': 'same-site' }, false],
  ['a sandboxed page', { origin: 'null' }, false],
  ['a sandboxed page of a new browser', { 'sec-fetch-site': 'cross-site', origin: 'null' }, false],
  ['an older browser on another site', { origin: 'https://evil.example' }, false],
  ['an origin that begins like ours', { origin: `http://${HOST}.evil.example` }, false],
  ['an origin that ends like ours', { origin: 'https://evilapp.example' }, false],
  ['an origin that holds ours', { origin: `https://evil.example/http://${HOST}` }, false],
  ['our origin as a user name', { origin: `http://${HOST}@evil.example` }, false],
  ['another port', { origin: 'http://127.0.0.1:1' }, false],
  ['a trusted origin without TLS', { origin: 'http://app.example' }, false],
  ['a value no browser sends', { 'sec-fetch-site': 'SAME-ORIGIN', origin: 'https://evil.example' }, false],
  ['two values', { 'sec-fetch-site': 'same-origin, cross-site' }, false],
  ['an empty value', { 'sec-fetch-site': '' }, false],
  ['no origin at all', { origin: '' }, false],
]

describe('P45 a request that a browser authenticates by cookie', () => {
  test.each(SOURCES)('from %s', async (_, source, isOurs) => {
    const headers = { ...session.headers, ...source }
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await t.ask(method === 'POST' ? '/user' : '/auth/sessions/sess_none', { method, headers })
      if (isOurs) expect(answer.said).toBe(method === 'POST' ? '200' : '404 not_found')
      else if (method === 'POST' || method === 'DELETE') expectProblem(answer, 'csrf_rejected')
    }
    // Reading is harmless: nothing changes by it, and the page of another site cannot see it.
    expect((await t.ask('/user', { headers })).status).toBe(200)
  })

  test.each(SOURCES)('an upgrade from %s', async (_, source, isOurs) => {
    const answer = await sendRaw(
      t.origin,
      upgradeRequest('/ws', { Host: HOST, Cookie: session.headers.cookie, ...source }),
    )
    expect(answer?.status).toBe(isOurs ? 101 : 403)
    if (!isOurs) expect(answer?.text).toContain('csrf_rejected')
  })

  test('a form of another site does not log its visitor out', async () => {
    const { headers, id } = await addSession(t, bob.id)
    const evil = { ...headers, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    for (const path of ['current', id]) {
      expectProblem(await t.ask(`/auth/sessions/${path}`, { method: 'DELETE', headers: evil }), 'csrf_rejected')
    }
    expect((await t.ask('/session', { headers })).status).toBe(200)
  })

  test('nor does an administrator’s cookie manage keys from another site', async () => {
    const { headers } = await addSession(t, alice.id)
    const before = t.countRows()
    for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
      const evil = { ...headers, 'sec-fetch-site': 'cross-site', 'content-type': type }
      expectProblem(await t.ask('/auth/keys', { method: 'POST', headers: evil, raw: '{"name":"x"}' }), 'csrf_rejected')
    }
    expect(t.countRows()).toEqual(before)
    expect((await t.ask('/auth/keys', { headers, body: { name: 'x' } })).status).toBe(201)
  })

  test('a header that only a script can set is exempt', async () => {
    const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    const key = await addKey(t, { userId: bob.id })
    for (const { headers } of [await addTokens(t, bob.id), key]) {
      expect((await t.ask('/user', { method: 'POST', headers: { ...evil, ...headers } })).status).toBe(200)
      // Also beside a cookie, which then decides nothing.
      const both = { ...evil, ...session.headers, ...headers }
      expect((await t.ask('/user', { method: 'POST', headers: both })).status).toBe(200)
      expect(await openSocket(t.origin, '/ws', { ...evil, ...headers })).toBe(bob.id)
    }
  })
})

describe('P46 login cross-site', () => {
  test.each(SOURCES)('from %s', async (_, source, isOurs) => {
    if (isOurs && source.origin !== 'https://app.example') return
    for (const path of ['/auth/login', '/auth/sessions']) {
      const answer = await t.ask(path, { body: { ...LOGIN, password: isOurs ? PASSWORD : 'wrong' }, headers: source })
      if (isOurs) expect(answer.status).toBeLessThan(300)
      else expectProblem(answer, 'csrf_rejected')
      if (!isOurs) expect(answer.headers.has('set-cookie')).toBe(false)
    }
  })

  test('by a form is refused for its content type, before any password is looked at', async () => {
    for (const path of ['/auth/login', '/auth/sessions']) {
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
        const answer = await t.ask(path, { raw: JSON.stringify(LOGIN), headers: { 'content-type': type } })
        expectProblem(answer, 'validation_failed', ['errors'])
      }
    }
  })
})

describe('P47 other origins read nothing', () => {
  const evil = { origin: 'https://evil.example' }
  const CORS = /^access-control-/

  test('no answer has CORS headers of ours', async () => {
    const { headers } = await addTokens(t, bob.id)
    const asked = [
      t.ask('/user', { headers: { ...evil, ...headers } }),
      t.ask('/user', { headers: { ...evil, ...session.headers } }),
      t.ask('/user', { headers: evil }),
      t.ask('/auth/keys', { headers: { ...evil, ...asMaster } }),
      t.ask('/auth/me', { headers: { ...evil, ...headers } }),
      t.ask('/auth/login', { headers: evil, body: LOGIN }),
      t.ask('/.well-known/jwks.json', { headers: evil }),
      t.ask('/nowhere', { headers: evil }),
    ]
    for (const answer of await Promise.all(asked)) {
      expect([...answer.headers.keys()].filter((name) => CORS.test(name))).toEqual([])
    }
  })

  test('a preflight tells nothing and needs nothing', async () => {
    for (const path of ['/auth/keys', '/auth/login', '/user']) {
      for (const headers of [evil, { ...evil, ...asMaster }]) {
        const preflight = { ...headers, 'access-control-request-method': 'POST' }
        const answer = await t.ask(path, { method: 'OPTIONS', headers: preflight })
        expect(answer.said).toBe('404 not_found')
        expect([...answer.headers.keys()].filter((name) => CORS.test(name))).toEqual([])
      }
    }
  })

  test('what an app says of CORS stays on its refusals', async () => {
    const allow = 'access-control-allow-origin'
    await using app = await createTestApp({}, (routes) =>
      routes.onRequest(({ set }) => {
        set.headers[allow] = 'https://app.example'
      }),
    )
    const asked = [
      app.ask('/user'),
      app.ask('/key', { headers: { 'x-api-key': 'x' } }),
      app.ask('/user', { method: 'POST' }),
      app.ask('/auth/me'),
      app.ask('/auth/login', { body: {} }),
      app.ask('/auth/login', { raw: '{' }),
      app.ask('/auth/keys', { headers: (await addKey(app)).headers }),
    ]
    for (const answer of await Promise.all(asked)) {
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect([answer.said, answer.headers.get(allow)]).toEqual([answer.said, 'https://app.example'])
    }
  })
})

describe('P51 the Host header', () => {
  const strange = [
    { host: 'evil.example' },
    { 'x-forwarded-host': 'evil.example' },
    { forwarded: 'host=evil.example;proto=https' },
    { host: 'evil.example', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' },
  ]

  test.each(strange)('%p reaches no token, cookie or link', async (headers) => {
    const login = await t.ask('/auth/login', { body: LOGIN, headers })
    const [, payload = ''] = textAt(login.json, 'access_token').split('.')
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
      iss: 'machine-auth',
      aud: 'machine-auth',
    })
    const opened = await t.ask('/auth/sessions', { body: LOGIN, headers })
    for (const answer of [login, opened, await t.ask('/user', { headers }), await t.ask('/auth/me', { headers })]) {
      expect(answer.text + JSON.stringify([...answer.headers])).not.toContain('evil')
    }
    expect(opened.headers.get('set-cookie')).not.toMatch(/domain/i)
    // A token made through one name works through another.
    const user = await t.ask('/user', { headers: withBearer(textAt(login.json, 'access_token')) })
    expect(user.json).toEqual({ id: bob.id })
  })

  test('that is none at all breaks nothing', async () => {
    for (const host of ['', ' ', 'a b', '[', 'x:99999', '/', '\\', 'é', 'a'.repeat(300), 'localhost/../x']) {
      for (const path of ['/user', '/auth/me', '/auth/keys', '/protected']) {
        const answer = await sendRaw(t.origin, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
        expect([400, 401, 404]).toContain(answer?.status ?? 400)
      }
    }
  })
})

test('P47 the master key is no credential of a browser', async () => {
  for (const headers of [asMaster, withBearer(MASTER_KEY)]) {
    const evil = { ...headers, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    expectProblem(await t.ask('/auth/keys', { headers: evil, body: { name: 'x' } }), 'csrf_rejected')
    expectProblem(await t.ask('/auth/token/new', { headers: evil, method: 'POST' }), 'csrf_rejected')
  }
})
