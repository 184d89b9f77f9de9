/** SECURITY.md, API keys: what is presented, and what the answer tells. */
import { afterAll, describe, expect, test } from 'bun:test'
import { apiKeyIdAt, generateApiKey } from '../../src/credentials/api-key-format.ts'
import { checksum } from '../../src/lib/crc32.ts'
import { sendRaw } from '../guards/support.ts'
import { expectProblem } from '../support/answers.ts'
import {
  type Answer,
  addKey,
  addPeople,
  addSession,
  addTokens,
  createTestApp,
  withBearer,
  withCookie,
  withKey,
} from '../support/test-app.ts'
import { measureWork } from '../support/work.ts'

const t = await createTestApp()
const { bob } = await addPeople(t)
const known = await addKey(t, { permissions: ['users.view'] })
const revoked = await addKey(t)
await t.core.keys.revoke(revoked.id)
afterAll(t.close)

const ask = (text: string, path = '/key') => t.ask(path, { headers: withKey(text) })
/** Another text of the same length, its checksum right. */
function reseal(body: string): string {
  return body + checksum(body)
}
function withCharacter(rawKey: string, fromSecret: number): string {
  const at = rawKey.lastIndexOf('_') + 1 + fromSecret
  const other = rawKey[at] === 'A' ? 'B' : 'A'
  return reseal(rawKey.slice(0, at) + other + rawKey.slice(at + 1, -6))
}

/** All a client can see, but for what differs on every request. */
function visible({ status, headers, text, json }: Answer): string {
  const shown = [...headers].filter(([name]) => name !== 'date' && name !== 'content-length')
  return JSON.stringify([status, shown, text]).replaceAll(String(json.requestId), '<id>')
}

/** Each is refused by look-up: nobody can tell by the work which part was right. */
const LOOKED_UP: Readonly<Record<string, string>> = {
  'an unknown id': generateApiKey('mac', 'live').raw,
  'a known id, the first character of the secret wrong': withCharacter(known.rawKey, 0),
  'a known id, the middle character wrong': withCharacter(known.rawKey, 21),
  'a known id, the last character wrong': withCharacter(known.rawKey, 42),
  'a known id, the secret of another key': reseal(
    known.rawKey.slice(0, -49) + generateApiKey('mac', 'live').raw.slice(-49, -6),
  ),
  'a known id in the other environment': reseal(known.rawKey.slice(0, -6).replace('_live_', '_test_')),
  'a revoked id, the secret wrong': withCharacter(revoked.rawKey, 5),
}

/** Each is refused by its form. */
const MALFORMED: Readonly<Record<string, string>> = {
  'a wrong checksum': `${known.rawKey.slice(0, -1)}${known.rawKey.endsWith('0') ? '1' : '0'}`,
  'a truncated key': known.rawKey.slice(0, -1),
  'a key with a character more': `${known.rawKey}0`,
  'the part that is shown': known.rawKey.slice(0, -50),
  'another prefix': reseal(known.rawKey.slice(0, -6).replace('mac_', 'mad_')),
  'a prefix in capitals': known.rawKey.replace('mac_', 'MAC_'),
  'another environment': reseal(known.rawKey.slice(0, -6).replace('_live_', '_prod_')),
  'all in lower case': known.rawKey.toLowerCase(),
  'a character outside the alphabet': reseal(`${known.rawKey.slice(0, -7)}-`),
  'a word': 'nonsense',
  'one character': 'x',
}

describe('P21 the work does not tell how much of a key is right', () => {
  test.each(Object.entries(LOOKED_UP))('%s: one look-up, one HMAC', async (_, text) => {
    for (let round = 0; round < 3; round += 1) {
      expect((await ask(known.rawKey)).status).toBe(200)
      // So long a wrong text is remembered as one.
      t.time.now += 1000
      t.takeStatements()
      const { result, work } = await measureWork(() => ask(text))
      expectProblem(result, 'api_key_invalid')
      expect([t.takeStatements().length, work.hmacs]).toEqual([1, 1])
    }
  })
})

describe('P22 the answer does not tell either', () => {
  test('every wrong key gets the same bytes', async () => {
    const texts = [...Object.values(LOOKED_UP), ...Object.values(MALFORMED)]
    const answers = await Promise.all(texts.map((text) => ask(text)))
    for (const answer of answers) expectProblem(answer, 'api_key_invalid')
    expect([...new Set(answers.map(visible))]).toHaveLength(1)
    expect(new Set(answers.map(({ json }) => json.requestId)).size).toBe(texts.length)
  })

  test('in any header and under any scheme', async () => {
    const text = LOOKED_UP['an unknown id'] ?? ''
    const headers = ['Bearer', 'ApiKey', 'machine_auth'].map((scheme) => ({ authorization: `${scheme} ${text}` }))
    const answers = await Promise.all([...headers, withKey(text)].map((each) => t.ask('/key', { headers: each })))
    expect([...new Set(answers.map(visible))]).toHaveLength(1)
  })

  test('only the right secret hears that its key was revoked', async () => {
    expectProblem(await ask(revoked.rawKey), 'api_key_revoked')
    expectProblem(await ask(LOOKED_UP['a revoked id, the secret wrong'] ?? ''), 'api_key_invalid')
  })

  test('sessions and tokens tell no more', async () => {
    const session = await addSession(t, bob.id)
    const wrong = [
      'x',
      '0'.repeat(59),
      session.cookieValue.slice(0, 16) + '0'.repeat(43),
      session.id,
      session.cookieValue.toUpperCase(),
    ]
    const answers = await Promise.all(wrong.map((value) => t.ask('/session', { headers: withCookie(value) })))
    expect([...new Set(answers.map(visible))]).toHaveLength(1)
    const { rawToken } = await t.core.tokens.bearer.create({ name: 'x' })
    const body = `${rawToken.slice(0, -8)}${rawToken.at(-8) === 'A' ? 'B' : 'A'}${rawToken.at(-7)}`
    const tokens = ['x', 'a.b.c', rawToken.slice(0, -1), body + checksum(body), `mat_${'0'.repeat(16)}_x`]
    const refused = await Promise.all(tokens.map((token) => t.ask('/token', { headers: withBearer(token) })))
    expect([...new Set(refused.map(visible))]).toHaveLength(1)
  })
})

describe('P23 what cannot be a key asks no database', () => {
  test.each(Object.entries(MALFORMED))('%s', async (_, text) => {
    t.takeStatements()
    const { result, work } = await measureWork(() => ask(text))
    expectProblem(result, 'api_key_invalid')
    expect([t.takeStatements(), work.hmacs]).toEqual([[], 0])
  })

  /** Bytes as they go over the wire, in each header. */
  const HOSTILE: Readonly<Record<string, string>> = {
    'letters with accents': `${known.rawKey.slice(0, -1)}\u00e9`,
    'UTF-8 of an emoji': Buffer.from('🔑'.repeat(19)).toString('latin1'),
    'UTF-8 of full-width digits': Buffer.from(`mac_live_${'１'.repeat(66)}`).toString('latin1'),
    'UTF-8 of a zero-width space inside': Buffer.from(known.rawKey.replace('live', 'li\u200bve')).toString('latin1'),
    'a tab inside': known.rawKey.replace('_live', '\t_live'),
    'a space inside': known.rawKey.replace('_live', ' _live'),
    'DEL behind it': `${known.rawKey}\u007f`,
    'no-break space behind it': `${known.rawKey}\u00a0`,
    'eight kilobytes': 'x'.repeat(8000),
    'a key and eight kilobytes': known.rawKey.padEnd(8000, '0'),
    'quotes around it': `"${known.rawKey}"`,
  }
  test.each(Object.entries(HOSTILE))('%s', async (_, text) => {
    t.takeStatements()
    for (const header of [`X-API-Key: ${text}`, `Authorization: ApiKey ${text}`, `Authorization: Bearer ${text}`]) {
      const request = Buffer.from(`GET /key HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`, 'latin1')
      const answer = await sendRaw(t.origin, request.toString('latin1'))
      expect([400, 401]).toContain(answer?.status ?? 0)
    }
    expect(t.takeStatements()).toEqual([])
  })

  test('NUL does not reach the app', async () => {
    const answer = await sendRaw(
      t.origin,
      `GET /key HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${known.rawKey}\0\r\n\r\n`,
    )
    expect(answer?.status ?? 400).toBe(400)
  })

  test('blanks around a key are no part of it, as HTTP says', async () => {
    const answer = await sendRaw(
      t.origin,
      `GET /key HTTP/1.1\r\nHost: localhost\r\nX-API-Key: \t ${known.rawKey} \t\r\n\r\n`,
    )
    expect(answer?.status).toBe(200)
  })
})

describe('P24 two credentials of one kind', () => {
  const other = withBearer('a.b.c').authorization
  const head = (...lines: readonly string[]) =>
    `GET /several HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n`
  const said = async (path: string, ...lines: readonly string[]) => {
    const answer = await sendRaw(t.origin, head(...lines).replace('/several', path))
    return `${answer?.status} ${/"code":"([a-z_]+)"/.exec(answer?.text ?? '')?.[1] ?? ''}`
  }

  test.each([
    ['two key headers', [`X-API-Key: ${known.rawKey}`, `X-API-Key: ${revoked.rawKey}`]],
    ['the same key twice', [`X-API-Key: ${known.rawKey}`, `x-api-key: ${known.rawKey}`]],
    ['two keys in one header', [`X-API-Key: ${known.rawKey}, ${revoked.rawKey}`]],
    ['a key and a comma', [`X-API-Key: ${known.rawKey},`]],
    ['a key in each header', [`X-API-Key: ${known.rawKey}`, `Authorization: Bearer ${known.rawKey}`]],
    ['two Authorization headers', [`Authorization: ApiKey ${known.rawKey}`, `Authorization: ${other}`]],
    ['two in one Authorization header', [`Authorization: ApiKey ${known.rawKey}, ${other}`]],
  ])('%s are refused as malformed', async (_, lines) => {
    expect(await said('/key', ...lines)).toBe('400 request_malformed')
  })

  test('two cookies of one name are refused, the same one twice is one', async () => {
    const [one, two] = [await addSession(t, bob.id), await addSession(t, bob.id)]
    const cookie = `Cookie: session_id=${one.cookieValue}; session_id=`
    expect(await said('/session', cookie + two.cookieValue)).toBe('400 request_malformed')
    expect(await said('/session', cookie + one.cookieValue)).toBe('200 ')
  })

  test('one of each kind is welcome: each guard reads its own', async () => {
    const key = await addKey(t)
    const { headers } = await addTokens(t, bob.id)
    const session = await addSession(t, bob.id)
    const all = { ...headers, ...key.headers, ...session.headers }
    expect((await t.ask('/key', { headers: all })).json).toEqual({ id: key.id })
    expect((await t.ask('/token', { headers: all })).json).toEqual({ id: bob.id })
    expect((await t.ask('/session', { headers: all })).json).toEqual({ id: session.id })
    expect((await t.ask('/user', { headers: all })).json).toEqual({ id: bob.id })
  })

  test('a wrong one first is not saved by a right one behind', async () => {
    const session = await addSession(t, bob.id)
    const wrong = { ...withBearer('a.b.c'), ...session.headers }
    expectProblem(await t.ask('/user', { headers: wrong }), 'token_invalid')
    expectProblem(await t.ask('/optional', { headers: wrong }), 'token_invalid')
    expectProblem(await t.ask('/user', { headers: { ...withKey('x'), ...session.headers } }), 'api_key_invalid')
  })
})

describe('P25 schemes', () => {
  test.each(['Bearer', 'bearer', 'BEARER', 'bEaReR', 'ApiKey', 'APIKEY', 'machine_auth'])(
    '%s is one',
    async (scheme) => {
      expect((await t.ask('/key', { headers: { authorization: `${scheme} ${known.rawKey}` } })).status).toBe(200)
    },
  )

  test.each([
    ['another scheme', `BearerX ${known.rawKey}`],
    ['half a scheme', `Bear ${known.rawKey}`],
    ['two spaces', `Bearer  ${known.rawKey}`],
    ['a tab', `Bearer\t${known.rawKey}`],
    ['no space', `Bearer${known.rawKey}`],
    ['a colon', `Bearer: ${known.rawKey}`],
    ['an equals sign', `ApiKey key=${known.rawKey}`],
    ['no credential', 'Bearer'],
    ['no credential behind a space', 'ApiKey '],
    ['no scheme', known.rawKey],
    ['Basic', `Basic ${btoa(`${known.rawKey}:`)}`],
    ['Digest', `Digest username="x", response="${known.rawKey}"`],
    ['Negotiate', `Negotiate ${known.rawKey}`],
    ['nothing', ''],
  ])('%s is none', async (_, authorization) => {
    const answer = await t.ask('/key', { headers: { authorization } })
    expect(answer.said).toMatch(/^40[01] (?:api_key_invalid|credential_missing|request_malformed)$/)
  })
})

test('P27 what is stored does not open anything', async () => {
  const session = await addSession(t, bob.id)
  const { pair } = await addTokens(t, bob.id)
  const { rawToken } = await t.core.tokens.bearer.create({ name: 'x' })
  const stored = (table: string) =>
    t.client
      .query<Record<string, unknown>, []>(`select * from machine_auth_${table}`)
      .all()
      .flatMap((row) => Object.values(row).map(String))
  const key = stored('api_keys').filter((text) => /^[A-Za-z0-9_-]{43}$/.test(text))
  expect(key.length).toBeGreaterThanOrEqual(3)
  const id = apiKeyIdAt(known.rawKey)
  for (const hash of key) {
    for (const text of [hash, `mac_live_${id}_${hash}`, reseal(`mac_live_${id}_${hash.replaceAll(/[-_]/g, '0')}`)]) {
      expectProblem(await ask(text), 'api_key_invalid')
    }
  }
  for (const text of stored('sessions')) {
    for (const value of [text, session.cookieValue.slice(0, 16) + text]) {
      expect((await t.ask('/session', { headers: withCookie(encodeURIComponent(value)) })).said).toBe(
        '401 session_invalid',
      )
    }
  }
  for (const text of [...stored('refresh_families'), ...stored('bearer_tokens')]) {
    const mac = text.padEnd(43, '0').slice(0, 43)
    for (const token of [text, pair.refresh_token.slice(0, -43) + mac]) {
      expectProblem(await t.ask('/auth/refresh', { body: { refresh_token: token } }), 'token_invalid')
    }
    const body =
      rawToken.slice(0, -49) +
      text
        .replaceAll(/[^0-9A-Za-z]/g, '0')
        .padEnd(43, '0')
        .slice(0, 43)
    expect((await t.ask('/token', { headers: withBearer(body + checksum(body)) })).said).toBe('401 token_invalid')
  }
})

test('P29 a test key is refused by what is for live keys', async () => {
  const key = await addKey(t, { environment: 'test' })
  expect((await ask(key.rawKey, '/live')).json).toMatchObject({ code: 'environment_mismatch', required: ['live'] })
  expect((await ask(key.rawKey, '/live')).status).toBe(403)
  expect((await ask(key.rawKey)).status).toBe(200)
  expect((await ask(known.rawKey, '/live')).status).toBe(200)
})
