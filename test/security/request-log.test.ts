/** SECURITY.md P80, P81: what the request log and the console keep of secrets and of hostile texts. */
import { afterAll, describe, expect, spyOn, test } from 'bun:test'
import { connect } from 'node:net'
import type { LoggingMode, RequestLogEntry } from '../../src/options/recording-types.ts'
import { listAt, objectAt, textAt } from '../support/answers.ts'
import { ALICE, addPeople, asMaster, createTestApp, MASTER_KEY, PASSWORD, withCookie } from '../support/test-app.ts'

const HUNTER = 'hunter2hunter2'
const OTHER_COOKIE = 'other-cookie-of-somebody'
const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2VjcmV0LXNpZ25hdHVyZQ'

/** Says what it was sent, so that answers are logged with it too. */
async function createLoggedApp(mode: LoggingMode, unsafeRaw = false) {
  const batches: RequestLogEntry[] = []
  // No database may hold what that mode keeps.
  const sink = { write: (batch: readonly RequestLogEntry[]) => void batches.push(...batch) }
  const t = await createTestApp({ logging: { mode, unsafeRaw, ...(unsafeRaw && { sink }), redact: ['iban'] } }, (app) =>
    app
      .post('/echo', ({ body }) => body as object)
      .post(
        '/raw',
        async ({ request }) => new Response(await request.text(), { headers: { 'content-type': 'text/plain' } }),
        {
          parse: 'none',
        },
      )
      .get('/own', ({ query: { length } }) => {
        const headers = { 'content-type': 'application/json', ...(length && { 'content-length': length }) }
        return new Response(`{"password":"${HUNTER}"}`, { headers })
      })
      .get('/reset/:token', () => 'ok')
      .post('/guarded', ({ body }) => body as object, { apiKey: true })
      .get('/cookies', ({ set }) => {
        set.headers['set-cookie'] = `mine=${HUNTER}; HttpOnly`
        return 'ok'
      }),
  )
  /** Reading writes first. */
  async function entries(filter: { readonly requestId?: string } = {}): Promise<readonly RequestLogEntry[]> {
    const found: RequestLogEntry[] = []
    let cursor: string | undefined
    do {
      const { items, nextCursor } = await t.core.logs.list(filter, { limit: 100, ...(cursor && { cursor }) })
      found.push(...items)
      cursor = nextCursor ?? undefined
    } while (cursor !== undefined)
    return found
  }
  return { t, entries, batches }
}

type Logged = Awaited<ReturnType<typeof createLoggedApp>>

/** Everything that hands out or takes a credential, once; answers all credentials. */
async function useEverything({ t }: Logged): Promise<readonly string[]> {
  await addPeople(t)
  const json = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    (await t.ask(path, { body, headers })).json
  const pair = await json('/auth/login', { email: ALICE, password: PASSWORD })
  const access = textAt(pair, 'access_token')
  const refreshed = await json('/auth/refresh', { refresh_token: textAt(pair, 'refresh_token') })
  const client = await json('/auth/token/new', {}, asMaster)
  const made = await json('/auth/keys', { name: 'CI' }, { authorization: `Bearer ${access}` })
  const rawKey = textAt(made, 'rawKey')
  await json('/auth/keys/verify', { key: rawKey }, asMaster)
  const rotated = await json(`/auth/keys/${textAt(objectAt(made, 'key'), 'id')}/rotate`, {}, asMaster)
  const login = await t.ask('/auth/sessions', { body: { email: ALICE, password: PASSWORD } })
  const session = /session_id=([^;]+)/.exec(login.headers.get('set-cookie') ?? '')?.[1] ?? ''
  await t.ask('/session', { headers: { cookie: `${withCookie(session).cookie}; other=${OTHER_COOKIE}` } })
  await t.ask('/key', { headers: { 'x-api-key': rawKey } })
  await t.ask(`/open?api_key=${rawKey}&x=${access}&password=${HUNTER}`)
  await t.ask(`/reset/${textAt(refreshed, 'refresh_token')}`)
  await t.ask('/cookies')
  await json('/echo', { a: [{ deep: [[{ newPassword: HUNTER }]], text: `see ${rawKey} and ${JWT}` }] })
  await t.ask('/raw', { raw: `{"password":"${HUNTER}`, headers: { 'content-type': 'application/json' } })
  await t.ask('/raw', {
    raw: `password=${HUNTER}&a=1`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  await t.ask('/guarded', { body: { password: HUNTER }, headers: { 'x-api-key': 'wrong' } })
  async function* chunked() {
    yield Buffer.from('{"password":')
    yield Buffer.from(`"${HUNTER}"}`)
  }
  await t.ask('/echo', { raw: chunked() as unknown as ReadableStream, headers: { 'content-type': 'application/json' } })
  const tokens = [pair, refreshed, client].flatMap((each) => [
    textAt(each, 'access_token'),
    textAt(each, 'refresh_token'),
  ])
  const all = [...tokens, rawKey, textAt(rotated, 'rawKey'), session, MASTER_KEY, PASSWORD, HUNTER, JWT, OTHER_COOKIE]
  expect(all.every((each) => each.length > 10)).toBe(true)
  return all
}

describe.each<LoggingMode>(['metadata_only', 'redacted', 'raw'])('mode %s', (mode) => {
  test('keeps no credential of whatever was used, wherever it stood', async () => {
    const logged = await createLoggedApp(mode)
    const credentials = await useEverything(logged)
    const text = JSON.stringify(await logged.entries())
    for (const credential of credentials) expect(text).not.toContain(credential)
    expect(text).toContain('/auth/keys/verify')
    if (mode !== 'metadata_only') expect(text).toContain('CI')
    await logged.t.close()
  })
})

test('raw keeps all of it where an option of that name says so', async () => {
  const logged = await createLoggedApp('raw', true)
  const credentials = await useEverything(logged)
  await logged.t.close()
  const text = JSON.stringify(logged.batches)
  for (const credential of credentials) expect(text).toContain(credential)
})

describe('what is kept', () => {
  const apps = Promise.all([createLoggedApp('redacted'), createLoggedApp('raw')])
  afterAll(async () => {
    for (const { t } of await apps) await t.close()
  })
  const last = async ({ t, entries }: Logged, path: string, question: Parameters<typeof t.ask>[1]) => {
    const { headers } = await t.ask(path, question)
    return (await entries({ requestId: headers.get('x-request-id') ?? '' })).at(-1)
  }

  test('redacted: headers, query and bodies without their secrets; raw: without credentials and what an app names', async () => {
    const [redacted, raw] = await apps
    const question = { body: { name: 'x', token: 'soft', passport: 'C01', iban: 'DE1' }, headers: { 'x-thing': 'a' } }
    expect(await last(redacted, '/echo?page=1&token=soft', question)).toMatchObject({
      query: 'page=1&token=***REDACTED***',
      requestHeaders: { 'x-thing': 'a', 'content-type': 'application/json' },
      requestBody: '{"name":"x","token":"***REDACTED***","passport":"***REDACTED***","iban":"***REDACTED***"}',
      responseHeaders: { 'content-type': expect.stringContaining('json') },
      responseBody: '{"name":"x","token":"***REDACTED***","passport":"***REDACTED***","iban":"***REDACTED***"}',
    })
    expect(await last(raw, '/echo?page=1&token=soft', question)).toMatchObject({
      query: 'page=1&token=***REDACTED***',
      requestBody: '{"name":"x","token":"***REDACTED***","passport":"C01","iban":"***REDACTED***"}',
      responseBody: '{"name":"x","token":"***REDACTED***","passport":"C01","iban":"***REDACTED***"}',
    })
  })

  test('an answer that a handler made itself is kept', async () => {
    const [redacted] = await apps
    for (const path of ['/own', `/own?length=${`{"password":"${HUNTER}"}`.length}`]) {
      expect((await redacted.t.ask(path)).text).toBe(`{"password":"${HUNTER}"}`)
      expect(await last(redacted, path, {})).toMatchObject({ responseBody: '{"password":"***REDACTED***"}' })
    }
  })

  test('nothing that lets somebody in is kept by its name, in either mode', async () => {
    const names = ['x-auth-token', 'x-vault-token', 'private-token', 'x-amz-security-token', 'x-webhook-secret']
    const members = ['token', 'pwd', 'pass', 'passcode', 'resetToken', 'user_pass', 'otp_code']
    const parameters = ['token', 'auth_token', 'session', 'jwt', 'key', 'secret', 'code']
    for (const app of await apps) {
      const held = (each: readonly string[]) => Object.fromEntries(each.map((name) => [name, HUNTER]))
      const referer = 'https://app/reset/V1StGXR8_Z5jdHi6B-myT'
      const query = parameters.map((name) => `${name}=${HUNTER}`).join('&')
      const entry = await last(app, `/echo?${query}`, { body: held(members), headers: { ...held(names), referer } })
      expect(entry).toMatchObject({ path: '/echo', status: 200 })
      expect(entry?.requestHeaders).toMatchObject({ referer: 'https://app/reset/***REDACTED***' })
      expect(JSON.stringify(entry)).not.toContain(HUNTER)
    }
  })

  test('an upload that a guard refuses is answered at once, and its body is neither read nor kept', async () => {
    const [{ t, entries }] = await apps
    const { port } = new URL(t.origin)
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write(
          'POST /guarded HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Request-Id: refused-upload\r\nContent-Length: 50000\r\n\r\n{"a":',
        ),
      )
      socket.on('data', (data) => {
        resolve(String(data))
        socket.destroy()
      })
      socket.on('error', reject)
    })
    expect(answer).toStartWith('HTTP/1.1 401')
    const [entry] = await entries({ requestId: 'refused-upload' })
    expect(entry).toMatchObject({ path: '/guarded', status: 401, requestBody: '[not read]' })
  })

  test('hostile texts are data: one line of bounded length each', async () => {
    const [app] = await apps
    const hostile = 'a\n\u001b[31mfake\u2028'
    const entry = await last(app, `/open/${'y-'.repeat(2500)}`, {
      raw: hostile,
      headers: { 'user-agent': 'x'.repeat(5000), 'content-type': 'text/plain' },
    })
    const read = await last(app, '/echo', { raw: hostile, headers: { 'content-type': 'text/plain' } })
    expect(entry?.path).toHaveLength(2048)
    expect(entry?.requestHeaders?.['user-agent']).toHaveLength(1024)
    expect(read).toMatchObject({ requestBody: hostile, responseBody: hostile })
    expect(JSON.stringify(read)).not.toContain('\n')
  })
})

describe('the line that tells of an error', () => {
  test.each([
    ['an API key and a JWT', () => new Error(`no such key mac_live_${'a'.repeat(16)}_${'b'.repeat(49)}, ${JWT}`)],
    ['a place in a file of a secret’s name', () => new Error('in session.js:120:5, see token.ts:7')],
    ['the URL of a database', () => new Error('cannot reach postgres://user:hunter2hunter2@host/db')],
    ['lines', () => new Error('a\nINFO fake\u2028b\u001b[31m\u0085')],
    [
      'what cannot be described',
      () => ({
        toString: () => {
          throw new Error(HUNTER)
        },
      }),
    ],
  ])('holds %s without harm', async (name, make) => {
    const t = await createTestApp({}, (app) =>
      app.get('/broken/:x', () => {
        throw make()
      }),
    )
    const console_ = spyOn(console, 'error').mockImplementation(() => undefined)
    const { headers, said } = await t.ask(`/broken/%E2%80%A8${JWT}`, { headers: { 'x-request-id': 'request-1' } })
    const lines = console_.mock.calls.map(([line]) => String(line))
    console_.mockRestore()
    await t.close()
    expect([said, headers.get('x-request-id')]).toEqual(['500 internal_error', 'request-1'])
    expect(lines).toHaveLength(1)
    const [line = ''] = lines
    expect(JSON.parse(line)).toMatchObject({ requestId: 'request-1', level: 'error', method: 'GET' })
    if (name.startsWith('a place')) expect(line).toContain('in session.js:120:5, see token.ts:7')
    for (const secret of [JWT, 'b'.repeat(20), HUNTER]) expect(line).not.toContain(secret)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/)
  })
})

test('the log of a core that keeps none is empty', async () => {
  const t = await createTestApp()
  await t.ask('/open')
  expect(listAt((await t.ask('/auth/logs', { headers: asMaster })).json, 'items')).toEqual([])
  await t.close()
})
