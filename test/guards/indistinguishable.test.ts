/** Wrong credentials of one kind cannot be told apart: the same bytes but for the request id. */
import { afterAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { generateApiKey } from '../../src/credentials/api-key-format.ts'
import { createTestPlugin } from '../support/guarded-app.ts'
import { type Answer, ask } from './support.ts'

const app = new Elysia()
  .use(createTestPlugin().plugin)
  .get('/key', () => 'let in', { apiKey: true })
  .get('/token', () => 'let in', { bearerToken: true })
  .get('/user', () => 'let in', { currentUser: true })
  .get('/session', () => 'let in', { session: true })
  .get('/master', () => 'let in', { masterKey: true })
  .listen({ port: 0, hostname: '127.0.0.1' })
const origin = `http://127.0.0.1:${app.server?.port}`
afterAll(() => app.stop(true))

/** All that a client can see, without what differs on every request. */
function visible(answer: Answer): string {
  const id = String(answer.problem.requestId)
  const headers = [...answer.headers].filter(([name]) => name !== 'date')
  return JSON.stringify([answer.status, headers, answer.text]).replaceAll(id, '<id>').replace(/"\d+"/, '"<length>"')
}

const generated = generateApiKey('mac', 'live').raw
const flipped = `${generated.slice(0, -1)}${generated.endsWith('0') ? '1' : '0'}`

const KEYS = [
  generated,
  generateApiKey('mac', 'test').raw,
  flipped,
  generated.slice(0, -1),
  `${generated}0`,
  generated.toUpperCase(),
  generated.replace('mac_', 'mad_'),
  'mac_live_key ',
  'x',
  '',
  '%00',
  "' OR 1=1 --",
  '../../etc/passwd',
  '__proto__',
  'constructor',
  'é',
  '\u00ff\u00fe',
  'x'.repeat(7000),
].filter((key) => key.trim() === key)

const WRONG: Readonly<Record<string, { path: string; code: string; headers: readonly Record<string, string>[] }>> = {
  'API keys': {
    path: '/key',
    code: 'api_key_invalid',
    headers: [
      ...KEYS.map((key) => ({ 'x-api-key': key })),
      ...KEYS.filter((key) => key !== '').map((key) => ({ authorization: `ApiKey ${key}` })),
      { authorization: `Bearer ${generated}` },
      { authorization: `machine_auth ${flipped}` },
      { authorization: 'Basic dXNlcjpwYXNzd29yZA==' },
      { authorization: 'ApiKey' },
      { authorization: '' },
    ],
  },
  tokens: {
    path: '/token',
    code: 'token_invalid',
    headers: [
      'a.b.c',
      'eyJhbGciOiJub25lIn0.e30.',
      'nonsense',
      'x'.repeat(7000),
      `${'a'.repeat(3000)}.${'b'.repeat(3000)}.c`,
      '..',
      'a..c',
      'a.b.c.d',
      'a b',
      'é',
      '"a.b.c"',
      'undefined',
    ].map((token) => ({ authorization: `Bearer ${token}` })),
  },
  'tokens where a user is asked': {
    path: '/user',
    code: 'token_invalid',
    headers: [
      { authorization: 'Bearer a.b.c' },
      { authorization: 'Bearer nonsense' },
      { authorization: 'Basic dXNlcjpwYXNzd29yZA==' },
      { authorization: 'Bearer' },
      { authorization: 'Bearer  a.bob.s' },
      { authorization: 'Digest username="x"' },
      { authorization: '\u00e9' },
      { authorization: 'Bearer __proto__' },
    ],
  },
  'session cookies': {
    path: '/session',
    code: 'session_invalid',
    headers: ['x', '', 'alice%20', '"alice"', 'ALICE', 'x'.repeat(5000), '__proto__', 'é'].map((value) => ({
      cookie: `session_id=${value}`,
    })),
  },
  'master keys': {
    path: '/master',
    code: 'master_key_invalid',
    headers: [
      { 'x-admin-key': 'x' },
      { 'x-admin-key': '' },
      { 'x-admin-key': 'x'.repeat(7000) },
      { authorization: 'Bearer x' },
      { authorization: 'Bearer mac_live_key' },
      { authorization: 'Basic eDp4' },
    ],
  },
}

describe.each(Object.entries(WRONG))('wrong %s', (_, { path, code, headers }) => {
  test('answer the same bytes', async () => {
    const answers = await Promise.all(headers.map((each) => ask(origin + path, { headers: each })))
    expect(answers.map(({ problem }) => problem.code)).toEqual(headers.map(() => code))
    expect([...new Set(answers.map(visible))]).toHaveLength(1)
    expect(new Set(answers.map(({ problem }) => problem.requestId)).size).toBe(headers.length)
  })
})

describe('request ids', () => {
  test.each(['abcdefgh', 'a.b_c-d.1', 'x'.repeat(128)])('keeps %s', async (id) => {
    const answer = await ask(`${origin}/key`, { headers: { 'x-request-id': id } })
    expect([answer.headers.get('x-request-id'), answer.problem.requestId]).toEqual([id, id])
  })

  test.each(['short', 'x'.repeat(129), 'with space', 'with"quote', '<script>x', 'a,b,c,d,e', 'é'.repeat(10), ''])(
    'makes one of its own instead of %j',
    async (id) => {
      const answer = await ask(`${origin}/key`, { headers: { 'x-request-id': id } })
      expect(answer.problem.requestId).not.toBe(id)
      expect(String(answer.problem.requestId)).toMatch(/^[A-Za-z0-9._-]{8,128}$/)
      expect(answer.headers.get('x-request-id')).toBe(String(answer.problem.requestId))
    },
  )

  test('two at once in one header are no id', async () => {
    const headers = new Headers({ 'x-request-id': 'aaaaaaaa' })
    headers.append('x-request-id', 'bbbbbbbb')
    expect((await ask(`${origin}/key`, { headers })).problem.requestId).not.toContain('aaaaaaaa')
  })
})
