/** SECURITY P23, P24: credentials as they arrive on the wire: twice, in odd cases, with bytes nobody sends by accident. */
import { afterAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { Elysia } from 'elysia'
import { createTestPlugin, MASTER_KEY } from '../support/guarded-app.ts'

let ran = 0
function reached(): string {
  ran += 1
  return 'reached'
}

const app = new Elysia()
  .use(createTestPlugin().plugin)
  .get('/key', reached, { apiKey: true })
  .get('/token', reached, { bearerToken: true })
  .get('/user', reached, { currentUser: true })
  .get('/session', reached, { session: true })
  .get('/optional', reached, { optionalUser: true })
  .get('/master', reached, { masterKey: true })
  .listen({ port: 0, hostname: '127.0.0.1' })
afterAll(() => app.stop(true))

/** Sends header lines byte by byte as given; answers status and code. */
function send(path: string, lines: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const head = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`
  const socket = connect(Number(app.server?.port), '127.0.0.1', () => socket.write(Buffer.from(head, 'latin1')))
  let answer = ''
  socket.on('data', (data) => {
    answer += data.toString('latin1')
  })
  socket.on('error', () => resolve('closed'))
  socket.on('close', () => {
    const code = /"code":"(\w+)"/.exec(answer)?.[1]
    const status = answer.split(' ')[1] ?? 'closed'
    resolve(code === undefined ? status : `${status} ${code}`)
  })
  return promise
}

describe('twice', () => {
  test.each([
    ['/key', ['X-API-Key: mac_live_key', 'X-API-Key: mac_live_owned'], '400 request_malformed'],
    ['/key', ['X-API-Key: mac_live_key', 'X-API-Key: mac_live_key'], '400 request_malformed'],
    ['/key', ['X-API-Key: mac_live_key', 'x-api-key: wrong'], '400 request_malformed'],
    ['/key', ['X-API-Key: mac_live_key', 'X-API-Key:'], '400 request_malformed'],
    ['/key', ['X-API-Key: mac_live_key,'], '400 request_malformed'],
    ['/key', ['X-API-Key: mac_live_key', 'Authorization: ApiKey mac_live_key'], '400 request_malformed'],
    ['/key', ['X-API-Key: mac_live_key', 'Authorization: Bearer mac_live_key'], '400 request_malformed'],
    ['/token', ['Authorization: Bearer a.bob.s', 'Authorization: Bearer a.alice.s'], '400 request_malformed'],
    ['/token', ['Authorization: Bearer a.bob.s', 'Authorization: Bearer a.bob.s'], '400 request_malformed'],
    ['/user', ['Authorization: Basic eDp4', 'Authorization: Bearer a.bob.s'], '400 request_malformed'],
    ['/session', ['Cookie: session_id=alice; session_id=bob'], '400 request_malformed'],
    ['/session', ['Cookie: session_id=alice', 'Cookie: session_id=bob'], '400 request_malformed'],
    ['/session', ['Cookie: session_id=alice; session_id=alice'], '200'],
    ['/session', ['Cookie: x=1', 'Cookie: session_id=alice'], '200'],
    // One of each kind is allowed; each guard reads its own.
    ['/key', ['X-API-Key: mac_live_key', 'Authorization: Bearer a.bob.s'], '200'],
    ['/token', ['X-API-Key: mac_live_key', 'Authorization: Bearer a.bob.s'], '200'],
    ['/session', ['X-API-Key: wrong', 'Authorization: Bearer wrong', 'Cookie: session_id=bob'], '200'],
    ['/user', ['X-API-Key: mac_live_owned', 'Authorization: Bearer a.wrong.s'], '401 token_invalid'],
    ['/user', ['X-API-Key: wrong', 'Cookie: session_id=bob'], '401 api_key_invalid'],
    ['/optional', ['X-API-Key: wrong', 'Cookie: session_id=bob'], '401 api_key_invalid'],
  ])('%s %j: %s', async (path, lines, expected) => {
    expect(await send(path, lines)).toBe(expected)
  })

  test('the master key twice is none', async () => {
    const twice = [`X-Admin-Key: ${MASTER_KEY}`, `X-Admin-Key: ${MASTER_KEY}`]
    expect(await send('/master', twice)).toMatch(/^(400 request_malformed|401 master_key_invalid)$/)
  })
})

describe('in another spelling', () => {
  test.each([
    ['/key', 'x-aPi-KEY: mac_live_key', '200'],
    ['/key', 'X-API-Key:mac_live_key', '200'],
    ['/key', 'X-API-Key:   mac_live_key  ', '200'],
    ['/key', 'X-API-Key: MAC_LIVE_KEY', '401 api_key_invalid'],
    ['/key', 'X_API_Key: mac_live_key', '401 credential_missing'],
    ['/key', 'Authorization: aPiKeY mac_live_key', '200'],
    ['/key', 'Authorization: MACHINE_AUTH mac_live_key', '200'],
    ['/token', 'AUTHORIZATION: bEARER a.bob.s', '200'],
    ['/token', 'Authorization: Bearer  a.bob.s', '401 token_invalid'],
    ['/token', 'Authorization: Bearer\ta.bob.s', '401 token_invalid'],
    ['/token', 'Authorization: Bearer a.bob.s;', '401 token_invalid'],
    ['/token', 'Authorization: Bearer "a.bob.s"', '401 token_invalid'],
    ['/token', 'Authorization: Bearera.bob.s', '401 token_invalid'],
    ['/token', 'Proxy-Authorization: Bearer a.bob.s', '401 credential_missing'],
    ['/session', 'Cookie: Session_Id=alice', '401 credential_missing'],
    ['/session', 'Cookie: __Host-session_id=alice', '401 credential_missing'],
    ['/session', 'Cookie: session_id="alice"', '401 session_invalid'],
  ])('%s %j: %s', async (path, line, expected) => {
    expect(await send(path, [line])).toBe(expected)
  })
})

describe('with bytes that no credential has', () => {
  const BYTES = [
    '\u0000',
    '\u0001',
    '\u0007',
    '\u001b',
    '\u007f',
    '\u0080',
    '\u00a0',
    '\u00ad',
    '\u00e9',
    '\u00ff',
    '\t',
  ]

  test.each(BYTES.map((byte) => [byte]))('%j', async (byte) => {
    ran = 0
    for (const [path, line] of [
      ['/key', `X-API-Key: mac_${byte}live_key`],
      ['/key', `Authorization: ApiKey mac_live_key${byte}x`],
      ['/token', `Authorization: Bearer a.${byte}bob.s`],
      ['/user', `Authorization: Bearer ${byte}a.bob.s`],
      ['/session', `Cookie: session_id=al${byte}ice`],
      ['/master', `X-Admin-Key: ${byte}${MASTER_KEY}${byte}x`],
    ] as const) {
      expect(await send(path, [line])).toMatch(/^(400|401 \w+|closed)$/)
    }
    expect(ran).toBe(0)
  })

  test.each([100, 8192, 12_000, 100_000])('%d characters long', async (length) => {
    ran = 0
    const long = 'x'.repeat(length)
    for (const [path, line] of [
      ['/key', `X-API-Key: ${long}`],
      ['/token', `Authorization: Bearer ${long}`],
      ['/token', `Authorization: Bearer ${long}.${long}.${long}`],
      ['/token', `Authorization: ${long} a.bob.s`],
      ['/session', `Cookie: session_id=${long}`],
      ['/master', `X-Admin-Key: ${long}`],
    ] as const) {
      expect(await send(path, [line])).toMatch(/^(401 \w+|431|closed)$/)
    }
    expect(ran).toBe(0)
  })

  test('P49: two hundred cookies, and names that objects have', async () => {
    const many = Array.from({ length: 200 }, (_, index) => `c${index}=x`).join('; ')
    expect(await send('/session', [`Cookie: ${many}; session_id=alice`])).toBe('200')
    expect(await send('/session', [`Cookie: __proto__=alice; constructor=alice; ${many}`])).toBe(
      '401 credential_missing',
    )
  })
})
