/** SECURITY.md: hostile text in names, headers and errors. */
import { Database } from 'bun:sqlite'
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { join } from 'node:path'
import { sendRaw, withLog } from '../guards/support.ts'
import { inDirectory } from '../storage/support.ts'
import { expectProblem, listAt, objectAt, textAt } from '../support/answers.ts'
import {
  addKey,
  addPeople,
  addTokens,
  asMaster,
  createTestApp,
  openLogged,
  SECRET,
  withBearer,
} from '../support/test-app.ts'

const SECRETS = ['hunter2', 'SELECT * FROM', 'machine_auth_', '/work/', 'node_modules', 'at async', SECRET]

const t = await createTestApp({}, (app) =>
  app
    .get('/throws', () => {
      throw new Error('SELECT * FROM machine_auth_users where password = hunter2')
    })
    .get('/throws/deep', () => {
      throw Object.assign(new TypeError('hunter2', { cause: new Error(SECRET) }), { code: 'ECONNREFUSED' })
    })
    .get('/throws/text', () => {
      throw 'hunter2'
    })
    .get('/throws/frozen', () => {
      throw Object.freeze(new Error('hunter2'))
    })
    .get('/throws/guarded', () => Promise.reject(new Error('hunter2')), { currentUser: true })
    .get('/throws/*', () => {
      throw new Error('hunter2')
    }),
)
const { bob } = await addPeople(t)
afterAll(t.close)

describe('P77 members that reach a prototype', () => {
  const NAMES = ['__proto__', 'constructor', 'prototype']
  const clean = () => [Reflect.get({}, 'isAdmin'), Reflect.get([], 'isAdmin'), Reflect.get(Object, 'isAdmin')]

  test.each(NAMES)('%s is refused in any body of ours', async (name) => {
    const hostile = `"${name}":{"isAdmin":true,"prototype":{"isAdmin":true}}`
    const bodies = [
      ['/auth/keys', `{"name":"x",${hostile}}`],
      ['/auth/keys', `{"name":"x","metadata":{${hostile}}}`],
      ['/auth/keys', `{"name":"x","metadata":{"a":[{"b":{${hostile}}}]}}`],
      ['/auth/login', `{"email":"a@b.c","password":"x",${hostile}}`],
      ['/auth/token/new', `{${hostile}}`],
    ] as const
    for (const [path, raw] of bodies) {
      expectProblem(await t.ask(path, { raw, headers: asMaster }), 'validation_failed', ['errors'])
    }
    expect(clean()).toEqual([undefined, undefined, undefined])
  })

  test.each(NAMES)('%s in a query, header or cookie changes nothing', async (name) => {
    const { headers } = await addTokens(t, bob.id)
    await t.ask(`/auth/keys?${name}[isAdmin]=true&${name}=x&${name}.isAdmin=1`, { headers: asMaster })
    expect((await t.ask('/user', { headers: { ...headers, [name]: 'x', cookie: `${name}=x` } })).status).toBe(200)
    expect((await t.ask(`/auth/keys/${name}`, { headers: asMaster })).status).toBe(404)
    expect(clean()).toEqual([undefined, undefined, undefined])
  })

  test('from an app’s own user or claims they reach nobody', async () => {
    const polluted = JSON.parse(
      '{"email":"x@example.com","__proto__":{"isAdmin":true},"constructor":"x","nickname":"ok"}',
    )
    let seen: object = {}
    await using app = await createTestApp(
      { users: { load: (id) => ({ ...polluted, id }) }, claims: () => polluted },
      (routes) =>
        routes.get(
          '/seen',
          ({ currentUser }) => {
            seen = currentUser
            return Object.keys(currentUser)
          },
          { currentUser: true },
        ),
    )
    const pair = await app.core.tokens.issueForUser({ id: 'u1', email: null, roles: [] })
    const answer = await app.ask('/seen', { headers: withBearer(pair.access_token) })
    expect(answer.status).toBe(200)
    expect(Reflect.get(seen, 'isAdmin')).toBeUndefined()
    expect(Object.getPrototypeOf(seen)).toBe(Object.prototype)
    expect(answer.text).toContain('nickname')
    const [, payload = ''] = pair.access_token.split('.')
    expect(Object.keys(JSON.parse(Buffer.from(payload, 'base64url').toString()))).not.toContain('constructor')
  })
})

describe('P79 line breaks do not get into a response’s head', () => {
  test.each(['a\r\nSet-Cookie: x=1', 'a\nX-Evil: 1', 'a\rb', 'a\u2028b', 'a\0b', 'é'])(
    '%j as a request id or name',
    async (text) => {
      const bytes = Buffer.from(text).toString('latin1')
      const answer = await sendRaw(
        t.origin,
        `GET /user HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: abcdefgh${bytes}\r\n\r\n`,
      )
      expect(answer?.text ?? '').not.toMatch(/^(?:set-cookie|x-evil):/im)
      const named = await t.ask('/auth/keys', { headers: asMaster, body: { name: text, description: text } })
      expect(named.headers.has('x-evil')).toBe(false)
      expect(named.headers.has('set-cookie')).toBe(false)
      expect(named.status).toBe(text === 'é' ? 201 : 422)
    },
  )

  test('what a permission is called does not get there either', async () => {
    const { headers } = await addKey(t)
    const answer = await t.ask('/users', { headers })
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="machine-auth", error="insufficient_scope", scope="[a-z.]+"$/,
    )
  })
})

describe('P80 the log', () => {
  const LINES = ['a\nINFO fake', 'a\r\nb', '\u001b[31mred', '\u2028', '"}\n{"level":"info"', 'x'.repeat(7000)]

  test.each(LINES)('says %j in one line of JSON', async (text) => {
    const { log } = await withLog(() =>
      t.ask(`/throws/${encodeURIComponent(text)}?token=hunter2`, {
        headers: { 'user-agent': text.replaceAll(/[^ -~]/g, '_') },
      }),
    )
    expect(log).toHaveLength(1)
    const [line = ''] = log
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f\u2028]/)
    expect(JSON.parse(line)).toMatchObject({ level: 'error', from: 'machine-auth', method: 'GET' })
    expect(line).not.toContain('token=')
  })

  test('a session keeps no more of a User-Agent than can be shown', async () => {
    const { cookieValue, session } = await t.core.sessions.create(bob.id, {
      userAgent: `a\nb\u001b[1m${'x'.repeat(100_000)}`,
    })
    expect(session.userAgent).toMatch(/^[ -~]{1,256}$/)
    const listed = await t.ask('/auth/sessions', { headers: { cookie: `session_id=${cookieValue}` } })
    expect(listAt(listed.json, 'items').map(({ userAgent }) => userAgent)).toEqual([session.userAgent])
  })
})

describe('P82 an error that nobody expected', () => {
  test.each(['/throws', '/throws/deep', '/throws/frozen', '/throws/guarded'])(
    '%s is a bare 500 whose id is in the log',
    async (path) => {
      const { headers } = await addTokens(t, bob.id)
      const { result, log } = await withLog(() =>
        t.ask(path, { headers: { ...headers, 'x-request-id': 'trace-0001' } }),
      )
      expectProblem(result, 'internal_error')
      for (const secret of SECRETS) expect(result.text).not.toContain(secret)
      expect(result.json.requestId).toBe('trace-0001')
      expect(log.map((line) => JSON.parse(line).requestId)).toEqual(['trace-0001'])
      expect(log.join()).not.toContain(headers.authorization.slice(7))
    },
  )

  test('a database that does not answer is a 503, and tells nothing of itself', async () => {
    await inDirectory(async (directory) => {
      const file = join(directory, 'locked.db')
      const { client, db } = openLogged(file)
      await using app = await createTestApp({ database: { db } })
      await addPeople(app)
      const [known, unknown, tokens] = [await addKey(app), await addKey(app), await addTokens(app, 'user_bob')]
      expect((await app.ask('/key', { headers: known.headers })).status).toBe(200)
      const other = new Database(file)
      other.run('BEGIN EXCLUSIVE')
      const answers = await Promise.all([
        app.ask('/key', { headers: unknown.headers }),
        app.ask('/token', { headers: tokens.headers }),
        app.ask('/optional', { headers: { cookie: `session_id=${'A'.repeat(59)}` } }),
        app.ask('/auth/keys', { headers: asMaster }),
        app.ask('/auth/keys', { headers: asMaster, body: { name: 'x' } }),
        app.ask('/auth/login', { body: { email: 'a@b.c', password: 'x' } }),
        app.ask('/auth/refresh', { body: { refresh_token: tokens.pair.refresh_token } }),
      ])
      for (const answer of answers) {
        expectProblem(answer, 'storage_unavailable', ['retryAfter'])
        expect(answer.headers.get('retry-after')).toBe('1')
        for (const secret of SECRETS) expect(answer.text).not.toContain(secret)
      }
      // What is known is known for a while, and nobody is let in for want of an answer.
      expect((await app.ask('/key', { headers: known.headers })).status).toBe(200)
      expectProblem(await app.ask('/user'), 'credential_missing')
      other.run('ROLLBACK')
      other.close()
      expect((await app.ask('/key', { headers: unknown.headers })).status).toBe(200)
      expect((await app.ask('/token', { headers: tokens.headers })).status).toBe(200)
      client.close()
    })
  })

  test('no refusal names a file, a statement or a secret', async () => {
    const answers = await Promise.all([
      t.ask('/auth/keys', { headers: asMaster, raw: '{' }),
      t.ask('/auth/keys?cursor=x', { headers: asMaster }),
      t.ask('/auth/keys', { headers: asMaster, body: { name: 1, x: 2 } }),
      t.ask('/user', { headers: withBearer('a.b.c') }),
      t.ask('/user', { headers: withBearer(SECRET) }),
    ])
    for (const { text } of answers) for (const secret of SECRETS) expect(text).not.toContain(secret)
  })
})

test('P83 markup in names comes back as JSON text', async () => {
  const name = '<script>alert(1)</script>'
  const created = await t.ask('/auth/keys', { headers: asMaster, body: { name, description: name } })
  expect(objectAt(created.json, 'key').name).toBe(name)
  expect(created.headers.get('content-type')).toStartWith('application/json')
})

test('nothing of this writes a credential to the console', async () => {
  const lines: string[] = []
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) =>
    spyOn(console, name).mockImplementation((...parts: unknown[]) => void lines.push(parts.map(String).join(' '))),
  )
  const { pair, headers } = await addTokens(t, bob.id)
  const key = await addKey(t)
  for (const path of ['/throws', '/throws/guarded', '/throws/text']) {
    await t.ask(path, { headers: { ...headers, ...key.headers, ...asMaster, cookie: 'session_id=x' } })
  }
  for (const spy of spies) spy.mockRestore()
  expect(lines.length).toBeGreaterThan(0)
  for (const secret of [pair.access_token, key.rawKey, textAt(asMaster, 'x-admin-key')])
    expect(lines.join()).not.toContain(secret)
})
